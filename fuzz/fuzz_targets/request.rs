//! A whole request, line by line: the method; the query; the value of `Content-Length`, or nothing, or
//! a `=` and by how much it is more than the body has, as in `=-1`; a verifier of the table, what its
//! handler takes and the size of a chunk, with commas between, and behind them any of `chunked`,
//! `encoded` and `raw`; and the body.
//!
//! Lines instead of a structure, so that the cases of the table are seeds and the dictionary helps.

#![no_main]

use fuzz::body::{self, Kind, Outcome, Takes};
use fuzz::event::Queued;
use fuzz::head::{self, Framing};
use fuzz::verifiers::{Configured, verifier};
use fuzz::{NOW, now};
use libfuzzer_sys::fuzz_target;
use trtc_call_webhook::adapter::{Answer, Head, Receipt, RequestHead};
use trtc_call_webhook::{
    Ack, CallEnded, CallStarted, Callback, Error, ErrorKind, Event, MemberChanged, Undecoded,
};

struct Request<'a> {
    method: &'a str,
    query: &'a str,
    framing: Framing<'a>,
    chunk: usize,
    body: &'a [u8],
}

fuzz_target!(|input: &[u8]| {
    let lines: Vec<&[u8]> = input.splitn(5, |byte| *byte == b'\n').collect();
    let [method, query, length, setting, body] = lines[..] else { return };
    let (Ok(method), Ok(query), Ok(setting)) =
        (str::from_utf8(method), str::from_utf8(query), str::from_utf8(setting))
    else {
        return;
    };
    let setting: Vec<&str> = setting.split(',').collect();
    let [name, takes, chunk, ref words @ ..] = setting[..] else { return };
    let chunk = chunk.parse().unwrap_or(1_usize).max(1);
    let relative = relative(length, body.len());
    let length = relative.as_deref().unwrap_or(length);
    let framing = Framing {
        length: (!length.is_empty()).then_some(length),
        is_chunked: words.contains(&"chunked"),
        is_encoded: words.contains(&"encoded"),
        is_raw: words.contains(&"raw"),
    };
    let request = Request { method, query, framing, chunk, body };
    let verifier = verifier(name);
    match takes {
        "CallStarted" => {
            check::<CallStarted>(verifier, &request, Some(Takes::Only(Kind::CallStarted)))
        }
        "MemberChanged" => {
            check::<MemberChanged>(verifier, &request, Some(Takes::Only(Kind::MemberChanged)));
        }
        "Callback" => check::<Callback>(verifier, &request, Some(Takes::All)),
        "Undecoded" => check::<Undecoded>(verifier, &request, None),
        _ => check::<CallEnded>(verifier, &request, Some(Takes::Only(Kind::CallEnded))),
    }
});

/// A length that is said by the body's, which no fuzzer guesses.
fn relative(length: &[u8], of_body: usize) -> Option<Vec<u8>> {
    let more = str::from_utf8(length).ok()?.strip_prefix('=')?;
    let more: i16 = if more.is_empty() { 0 } else { more.parse().ok()? };
    Some(of_body.saturating_add_signed(more.into()).to_string().into_bytes())
}

fn check<E: Queued>(to: &Configured, request: &Request<'_>, takes: Option<Takes>) {
    let whole = head(to, request).and_then(|head| head.receive::<E>(request.body));
    let whole = received(whole, request);
    for reads_on in [false, true] {
        let chunks = received(in_chunks::<E>(to, request, reads_on), request);
        assert_eq!(chunks, whole, "in chunks of {}", request.chunk);
    }
    if let Some(expected) = expect(to, request, takes) {
        assert_eq!(whole, expected);
    }
}

fn head(to: &Configured, request: &Request<'_>) -> Result<Head, Error> {
    let head = RequestHead::new(request.method, request.query).received_at(now());
    to.verifier.check(request.framing.tell(head))
}

/// Reads to the end of what comes, or until the body is complete.
fn in_chunks<E: Event>(
    to: &Configured,
    request: &Request<'_>,
    reads_on: bool,
) -> Result<Receipt<E>, Error> {
    let mut buffer = head(to, request)?.read_body();
    for chunk in request.body.chunks(request.chunk) {
        if buffer.is_complete() && !reads_on {
            break;
        }
        buffer.push(chunk)?;
    }
    buffer.receive()
}

/// What of the bytes on the wire is the body; `None` if it ends too early.
fn body<'a>(request: &Request<'a>) -> Option<&'a [u8]> {
    match request.framing.end() {
        None => Some(request.body),
        Some(end) => request.body.get(..usize::try_from(end).ok()?),
    }
}

/// What came of it, once its answer is known to be the contract's.
fn received<E: Queued>(receipt: Result<Receipt<E>, Error>, request: &Request<'_>) -> Outcome {
    match receipt {
        Ok(Receipt::Deliver(delivery)) => {
            assert_eq!(Some(delivery.body().as_ref()), body(request));
            let _ = (format!("{delivery:?}"), delivery.idempotency_key());
            body::got(Ok(Some(delivery.into_event())))
        }
        Ok(Receipt::Acknowledge(ack)) => {
            assert_eq!(ack, Ack::ok());
            Outcome::NotTaken
        }
        Err(error) => {
            assert_answer(error.kind(), &error.answer());
            body::got::<E>(Err(error))
        }
    }
}

/// Rows 1 to 10; `None` where the oracle does not know.
fn expect(to: &Configured, request: &Request<'_>, takes: Option<Takes>) -> Option<Outcome> {
    let Request { method, query, framing, .. } = *request;
    let head = match head::expect(&to.config, method, query, framing, NOW) {
        Ok(head) => head,
        Err(kind) => return Some(Outcome::Refused(kind)),
    };
    let Some(body) = body(request) else {
        return Some(Outcome::Refused(ErrorKind::UnreadableBody));
    };
    if body.len() > to.config.body_limit {
        return Some(Outcome::Refused(ErrorKind::BodyTooLarge));
    }
    match takes {
        Some(takes) => body::expect(takes, head.command.as_deref(), body),
        None => Some(Outcome::Event(serde_json::Value::Null)),
    }
}

/// The table of "The checks", and the answer's bytes.
fn assert_answer(kind: ErrorKind, answer: &Answer) {
    let (status, text) = match kind {
        ErrorKind::MethodNotAllowed => (405, "method not allowed"),
        ErrorKind::MalformedQuery => (400, "malformed query"),
        ErrorKind::ForeignApp
        | ErrorKind::Unsigned
        | ErrorKind::BadSignature
        | ErrorKind::StaleSignature => (403, "forbidden"),
        ErrorKind::BodyTooLarge => (413, "body too large"),
        ErrorKind::UnreadableBody => (400, "unreadable body"),
        ErrorKind::MalformedBody => (400, "malformed body"),
        ErrorKind::CommandMismatch => (400, "command mismatch"),
        ErrorKind::NoCallId => (422, "no call id"),
        other => panic!("{other:?} does not come from here"),
    };
    assert_eq!(answer.status(), status);
    let body = format!(r#"{{"ActionStatus":"FAIL","ErrorInfo":"{text}","ErrorCode":{status}}}"#);
    assert_eq!(answer.body(), &body);
    assert_eq!(answer.content_type(), "application/json");
    assert_eq!(answer.allow(), (status == 405).then_some("POST"));
}
