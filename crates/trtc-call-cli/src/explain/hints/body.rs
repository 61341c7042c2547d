//! What helps with a body: rows 6 to 10.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;
use trtc_call_webhook::sender;
use trtc_call_webhook::{
    CallEnded, CallStarted, Callback, Command, ErrorKind, MemberChanged, decode,
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
    let mut hints = Vec::new();
    if let crate::explain::capture::Body::Cut { why, .. } = &case.request.body {
        hints.push(why.clone());
    }
    hints.push(
        "the connection broke, or a proxy's or a server's time-out cut it off; if the capture is \
         what is cut, or its line ends were changed, only its Content-Length is to blame"
            .to_owned(),
    );
    hints
}

pub(super) fn malformed(case: &Case<'_>) -> Vec<String> {
    let body = case.request.body.bytes();
    let mut hints = Vec::new();
    if body.trim_ascii().is_empty() {
        hints.push(
            "the body is empty: something before the receiver has read it, or the capture lacks it"
                .to_owned(),
        );
        return hints;
    }
    if body.starts_with(&[0x1f, 0x8b]) {
        hints.push("the body is gzip: nothing inflates it before the receiver".to_owned());
    } else if let Some(encoding) = case.request.encoding.as_deref().and_then(letters) {
        hints.push(format!("Content-Encoding is {encoding}: nothing undoes it"));
    }
    if let Err(error) = std::str::from_utf8(body) {
        let place = error.valid_up_to();
        let utf_16 = body.starts_with(&[0xff, 0xfe]) || body.starts_with(&[0xfe, 0xff]);
        let what = if utf_16 { "it is UTF-16" } else { "is it in another character set?" };
        hints.push(format!("byte {place} is the first that is not UTF-8: {what}"));
        return hints;
    }
    let (inner, found) = unwrapped_body(body.to_vec());
    if !found.is_empty() {
        let is_right = decodes(case, &inner);
        let then = if is_right { "what is inside would pass" } else { "what is inside fails too" };
        hints.push(format!(
            "the body is {}: whatever hands it on encodes it once too often; {then}",
            found.join(", and that is ")
        ));
    }
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    // Nothing is kept, so that nothing is refused which is JSON.
    match serde_json::from_slice::<IgnoredAny>(body) {
        Ok(_) if body.trim_ascii_start().starts_with(b"[") => hints.push("the body is a JSON array: one event, not a list".to_owned()),
        Ok(_) if body.trim_ascii_start().starts_with(b"{") => hints.push(
            "it is an object: at that place one of the protocol's keys is there for the second time, \
             or its value is a number beyond a double or an escaped half of a surrogate pair"
                .to_owned(),
        ),
        Err(error) if error.is_eof() => {
            hints.push("it stops in the middle: logs and buffers cut long lines".to_owned());
        }
        Err(_) if looks_like_base64(body) => hints.push(
            "the body looks like base64: it has to be decoded before the verifier (AWS says so by \
             isBase64Encoded)"
                .to_owned(),
        ),
        Err(_) if looks_like_a_form(body) => {
            hints.push("the body is a form, not JSON".to_owned());
        }
        Err(_) if body.trim_ascii_start().starts_with(b"{'") => hints.push(
            "its texts are in single quotes, as in a Python dict: json.dumps writes JSON".to_owned(),
        ),
        Err(error) => hints.extend(like_the_samples(body, &error)),
        Ok(_) => {}
    }
    hints
}

/// What the vendor's own samples have, if that is what is wrong at the place of the error.
fn like_the_samples(body: &[u8], error: &serde_json::Error) -> Option<String> {
    let line = body.split(|byte| *byte == b'\n').nth(error.line().checked_sub(1)?)?;
    let what = match line.get(error.column().checked_sub(1)?..)? {
        [b'/', b'/', ..] => "a comment stands there",
        [b'"', ..] if error.to_string().starts_with("expected `,`") => {
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

fn looks_like_a_form(body: &[u8]) -> bool {
    !body.starts_with(b"{") && body.contains(&b'=')
}

/// Whether a body passes row 8 with the URL's command.
fn decodes(case: &Case<'_>, body: &[u8]) -> bool {
    let command = case.query.value("CallbackCommand").map(Command::from);
    let decoded = decode::<Callback>(command.as_ref(), body);
    decoded.map_err(|error| error.kind()) != Err(ErrorKind::MalformedBody)
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
    let in_url = case.query.value("CallbackCommand").filter(|command| !command.is_empty());
    let in_body = command_in(case.request.body.bytes());
    let name = |command: &str| shown(command).map_or("another text", |name| name).to_owned();
    match (in_url, in_body) {
        (None, None) => vec!["neither the URL nor the body says which command it is".to_owned()],
        (Some(url), None) => {
            vec![format!("the URL says {}, the body's CallbackCommand is no text", name(&url))]
        }
        (None, Some(_)) => Vec::new(),
        (Some(url), Some(body)) => {
            let mut hints =
                vec![format!("the URL says {}, the body says {}", name(&url), name(&body))];
            if url.trim().eq_ignore_ascii_case(body.trim()) {
                hints.push("they differ only in case or white space; every byte counts".to_owned());
            }
            hints
        }
    }
}

pub(super) fn no_call_id(case: &Case<'_>) -> Vec<String> {
    let mut hints = Vec::new();
    let in_url = case.query.value("CallbackCommand").filter(|command| !command.is_empty());
    let body = case.request.body.bytes();
    let command = in_url.or_else(|| command_in(body)).map(Command::from);
    if let Some(place) = command.as_ref().and_then(documented_place) {
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
