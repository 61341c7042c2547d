//! A whole request, line by line: the method; the query; the value of `Content-Length`, or nothing;
//! a receiver of the table, what its handler takes and the size of a chunk, with commas between;
//! and the body.
//!
//! Lines instead of a structure, so that the cases of the table are seeds and the dictionary helps.

#![no_main]

use fuzz::body::{self, Kind, Outcome, Takes};
use fuzz::event::Queued;
use fuzz::verifiers::{Configured, verifier};
use fuzz::{NOW, head, now};
use libfuzzer_sys::fuzz_target;
use trtc_call_webhook::{
    Ack, Answer, CallEnded, CallStarted, Callback, Error, ErrorKind, Event, MemberChanged, Receipt,
    Undecoded, content_length,
};

struct Request<'a> {
    method: &'a str,
    query: &'a str,
    length: Option<u64>,
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
    let [name, takes, chunk] = setting[..] else { return };
    let chunk = chunk.parse().unwrap_or(1_usize).max(1);
    let request = Request { method, query, length: content_length(length), chunk, body };
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

fn check<E: Queued>(to: &Configured, request: &Request<'_>, takes: Option<Takes>) {
    let whole = received(receive::<E>(to, request, usize::MAX), request);
    let chunks = received(receive::<E>(to, request, request.chunk), request);
    assert_eq!(chunks, whole, "in chunks of {}", request.chunk);
    if let Some(expected) = expect(to, request, takes) {
        assert_eq!(whole, expected);
    }
}

fn receive<E: Event>(
    to: &Configured,
    request: &Request<'_>,
    chunk: usize,
) -> Result<Receipt<E>, Error> {
    let head = to.verifier.check_at(request.method, request.query, request.length, now())?;
    let mut buffer = head.read_body();
    for chunk in request.body.chunks(chunk) {
        buffer.push(chunk)?;
    }
    buffer.receive()
}

/// What came of it, once its answer is known to be the contract's.
fn received<E: Queued>(receipt: Result<Receipt<E>, Error>, request: &Request<'_>) -> Outcome {
    match receipt {
        Ok(Receipt::Deliver(delivery)) => {
            assert_eq!(delivery.body(), request.body);
            let _ = (format!("{delivery:?}"), delivery.idempotency_key());
            body::got(Ok(Some(delivery.into_event())))
        }
        Ok(Receipt::Acknowledge(ack)) => {
            assert_eq!(ack, Ack::ok());
            Outcome::NotTaken
        }
        Err(error) => {
            assert_answer(error.kind(), &error.answer());
            Outcome::Refused(error.kind())
        }
    }
}

/// Rows 1 to 10; `None` where the oracle does not know.
fn expect(to: &Configured, request: &Request<'_>, takes: Option<Takes>) -> Option<Outcome> {
    let Request { method, query, length, body, .. } = *request;
    let head = match head::expect(&to.config, method, query, length, NOW) {
        Ok(head) => head,
        Err(kind) => return Some(Outcome::Refused(kind)),
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
