//! What helps with a body: rows 6 to 10.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;
use trtc_call_webhook::{
    CallEnded, CallStarted, Callback, Command, Error, ErrorKind, MemberChanged, Reason, decode,
    sender,
};

use super::shown;
use crate::explain::capture::unwrapped_body;
use crate::explain::judge::Case;

pub(super) fn too_large(case: &Case<'_>) -> Vec<String> {
    let limit = case.verifier.body_limit();
    let length = case.request.body.len();
    let size = match case.request.announced {
        Some(announced) => format!("Content-Length announces {announced} bytes"),
        None => format!("the body has {length} bytes"),
    };
    vec![format!(
        "{size}, the limit is {limit}: a callback has less than a thousand, unless the call has very \
         many members; --body-limit tries another"
    )]
}

pub(super) fn unreadable(case: &Case<'_>) -> Vec<String> {
    let length = case.request.body.len();
    let there = match case.request.announced {
        Some(announced) => format!("{length} of {announced} announced bytes are there"),
        None => format!("the chunks end after {length} bytes, without the last one"),
    };
    vec![
        there,
        "the connection broke, or a proxy's or a server's time-out cut it off; if the capture is \
         what is cut, or its line ends were changed, only its Content-Length is to blame"
            .to_owned(),
    ]
}

pub(super) fn malformed(case: &Case<'_>, error: &Error) -> Vec<String> {
    let body = case.request.body.bytes();
    let text = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body).trim_ascii_start();
    let hint = |text: &str| vec![text.to_owned()];
    match error.reason() {
        Reason::BodyEmpty => {
            hint("something before the verifier has read it, or the capture lacks it")
        }
        Reason::BodyNotUtf8 => [encoded(case), not_utf8(body)].concat(),
        // Of these three the parser knows the place.
        Reason::JsonEndsEarly => {
            vec![at_its_place(error), "logs and buffers cut long lines".to_owned()]
        }
        Reason::UnreadableField => vec![
            at_its_place(error),
            "the key there is one of the protocol's, and there for the second time, or its value is \
             a number beyond a double or an escaped half of a surrogate pair"
                .to_owned(),
        ],
        Reason::NotJson => {
            let mut hints = vec![at_its_place(error)];
            hints.extend([encoded(case), wrapped(case, body)].concat());
            if text.starts_with(b"{'") {
                hints.push(
                    "its texts are in single quotes, as in a Python dict: json.dumps writes JSON"
                        .to_owned(),
                );
            }
            hints.extend(like_the_samples(text));
            hints
        }
        _ => {
            let mut hints = [encoded(case), wrapped(case, body)].concat();
            if text.starts_with(b"[") {
                hints.push("the body is a JSON array: one event, not a list".to_owned());
            } else if looks_like_base64(text) {
                hints.push(
                    "the body looks like base64: it has to be decoded before the verifier (AWS says \
                     so by isBase64Encoded)"
                        .to_owned(),
                );
            } else if text.contains(&b'=') {
                hints.push("the body is a form, not JSON".to_owned());
            }
            hints
        }
    }
}

/// The whole text of an error, which has the place where the parser stopped.
fn at_its_place(error: &Error) -> String {
    format!("in full: {error}")
}

/// What is compressed, or says that it is.
fn encoded(case: &Case<'_>) -> Vec<String> {
    if case.request.body.bytes().starts_with(&[0x1f, 0x8b]) {
        return vec!["the body is gzip: nothing inflates it before the verifier".to_owned()];
    }
    let encoding = case.request.encoding.as_deref().and_then(letters);
    encoding
        .map(|name| format!("Content-Encoding is {name}: nothing undoes it"))
        .into_iter()
        .collect()
}

fn not_utf8(body: &[u8]) -> Vec<String> {
    let place = std::str::from_utf8(body).map_or_else(|error| error.valid_up_to(), str::len);
    let is_utf16 = body.starts_with(&[0xff, 0xfe]) || body.starts_with(&[0xfe, 0xff]);
    let what = if is_utf16 { "it is UTF-16" } else { "is it in another character set?" };
    vec![format!("byte {place} is the first that is not UTF-8: {what}")]
}

/// What a body is wrapped in, and whether what is inside is right.
fn wrapped(case: &Case<'_>, body: &[u8]) -> Vec<String> {
    let (inner, found) = unwrapped_body(body.to_vec());
    if found.is_empty() {
        return Vec::new();
    }
    let then = if decodes(case, &inner) {
        "what is inside would pass"
    } else {
        "what is inside fails too"
    };
    vec![format!(
        "the body is {}: whatever hands it on encodes it once too often; {then}",
        found.join(", and that is ")
    )]
}

/// What the vendor's own samples have, if that stands where the JSON breaks.
fn like_the_samples(body: &[u8]) -> Option<String> {
    // One value alone is read, and nothing of it is kept: what stands behind a whole object is
    // another matter.
    let mut parser = serde_json::Deserializer::from_slice(body);
    let error = IgnoredAny::deserialize(&mut parser).err()?;
    let lines = body.split_inclusive(|byte| *byte == b'\n');
    let line: usize = lines.take(error.line().checked_sub(1)?).map(<[u8]>::len).sum();
    let place = line.checked_add(error.column().checked_sub(1)?)?;
    let (before, there) = body.split_at_checked(place)?;
    let what = match (before.trim_ascii_end(), there) {
        (_, [b'/', b'/', ..]) => "a comment stands there",
        // No key ends so: what stands before it is a value.
        ([.., b'}' | b']' | b'0'..=b'9'], [b'"', ..]) => {
            "a comma is missing before what stands there"
        }
        _ => return None,
    };
    Some(format!(
        "{what}: the samples on the vendor's pages of Call.CallbackAfterEndCall and \
         Call.CallbackAfterMemberChanged are no valid JSON; `trtc-call send` sends what is"
    ))
}

/// Of an object: its first byte, and what can stand behind that.
fn looks_like_base64(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    let is_digit = |b: &u8| b.is_ascii_alphanumeric() || b"+/-_=\r\n".contains(b);
    [b"ey", b"ew", b"e3"].iter().any(|start| body.starts_with(*start))
        && body.len() >= 8
        && body.iter().all(is_digit)
}

/// A header's value, if it is a word that may be shown.
fn letters(value: &str) -> Option<&str> {
    let is_word = value.len() <= 20 && value.bytes().all(|byte| byte.is_ascii_alphabetic());
    (is_word && !value.is_empty() && !value.eq_ignore_ascii_case("identity")).then_some(value)
}

/// Whether a body passes row 8 with the URL's command.
fn decodes(case: &Case<'_>, body: &[u8]) -> bool {
    let command = case.command_in_url().map(Command::from);
    match decode::<Callback>(command.as_ref(), body) {
        Ok(_) => true,
        Err(error) => error.kind() != ErrorKind::MalformedBody,
    }
}

/// Of a body the command alone: what else is there need be no [`Value`].
#[derive(Deserialize)]
struct Commanded<'a> {
    #[serde(borrow, rename = "CallbackCommand")]
    command: &'a RawValue,
}

/// The command in a body, if it is a text that is not empty.
pub(crate) fn command_in(body: &[u8]) -> Option<String> {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let body: Commanded<'_> = serde_json::from_slice(body).ok()?;
    let command: String = serde_json::from_str(body.command.get()).ok()?;
    (!command.is_empty()).then_some(command)
}

pub(super) fn mismatch(case: &Case<'_>) -> Vec<String> {
    let Some(url) = case.command_in_url() else { return Vec::new() };
    let name = |command: &str| shown(command).map_or("another text", |name| name).to_owned();
    let Some(body) = command_in(case.request.body.bytes()) else {
        return vec![format!("the URL says {}, the body's CallbackCommand is no text", name(url))];
    };
    let mut hints = vec![format!("the URL says {}, the body says {}", name(url), name(&body))];
    if url.trim().eq_ignore_ascii_case(body.trim()) {
        hints.push("they differ only in case or white space; every byte counts".to_owned());
    }
    hints
}

pub(super) fn no_call_id(case: &Case<'_>) -> Vec<String> {
    let mut hints = Vec::new();
    let body = case.request.body.bytes();
    let command = case.command_in_url().map(str::to_owned).or_else(|| command_in(body));
    if let Some(place) = command.map(Command::from).as_ref().and_then(documented_place) {
        hints.push(format!("the documents have it at {place}"));
    }
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let Ok(body) = serde_json::from_slice(body) else {
        hints.push("the body cannot be searched for one: something odd is in it".to_owned());
        return hints;
    };
    let found = places(&body, "");
    if found.is_empty() {
        hints.push("there is no CallId anywhere in the body".to_owned());
    }
    hints.extend(found.into_iter().map(|(place, what)| format!("in the body, {place} is {what}")));
    hints
}

/// Where a callback of the documents has its call id.
fn documented_place(command: &Command) -> Option<String> {
    let sample: Callback = match command {
        Command::CallEnded => CallEnded::new("a").into(),
        Command::CallStarted => CallStarted::new("a").into(),
        Command::MemberChanged => MemberChanged::new("a").into(),
        _ => return None,
    };
    let body = serde_json::from_slice(sender::Request::new(1, sample).body()).ok()?;
    places(&body, "").into_iter().next().map(|(place, _)| place)
}

/// Every key that may be meant as `CallId`, with what stands there.
fn places(value: &Value, path: &str) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                // Keys that are no plain words are not shown.
                let is_word =
                    key.len() <= 32 && key.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
                let key = if is_word { key.as_str() } else { "…" };
                let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
                if key.replace('_', "").eq_ignore_ascii_case("callid") {
                    found.push((path.clone(), what(value)));
                }
                found.extend(places(value, &path));
            }
        }
        Value::Array(entries) => {
            let path = format!("{path}[]");
            found.extend(entries.iter().flat_map(|entry| places(entry, &path)));
        }
        _ => {}
    }
    found
}

fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(text) if text.is_empty() => "an empty text",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
