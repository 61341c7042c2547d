//! An item as it is shown: in a line, or all of it; for people, or for machines.

use serde_json::value::RawValue;
use serde_json::{Value, json};
use trtc_call_inbox::{Confirmation, Item, ItemId, State};
use trtc_call_webhook::Command;

use crate::event::Decoded;
use crate::out::plain;
use crate::time;

pub(super) const HEADER: [&str; 8] =
    ["item", "state", "received", "app", "command", "call", "attempts", "what of it"];

/// The longest error in a table, in characters.
const MAX_ERROR: usize = 60;

/// A row of a table.
pub(super) fn row(item: &Item) -> [String; 8] {
    let text = |text: Option<&str>| text.map_or_else(|| "-".to_owned(), |text| plain(text).into());
    let why = || {
        let why: String = why(item).chars().take(MAX_ERROR).collect();
        plain(&why).into_owned()
    };
    let what = match (item.state, &item.done) {
        (State::Waiting, _) if item.attempts == 0 => String::new(),
        (State::Waiting, _) => format!("due {}: {}", time::text(item.due_at), why()),
        (State::Confirming, _) if item.last_error.is_none() => {
            format!("asked next {}", time::text(item.due_at))
        }
        (State::Confirming, _) => format!("asked next {}: {}", time::text(item.due_at), why()),
        (_, Some((how, at))) => match item.replaces {
            Some(replaced) => format!("{how} {}, corrects {replaced}", time::text(*at)),
            None => format!("{how} {}", time::text(*at)),
        },
        _ => why(),
    };
    [
        item.id.to_string(),
        item.state.to_string(),
        time::text(item.received_at),
        item.sdk_app_id.to_string(),
        text(item.command.as_ref().map(Command::as_str)),
        text(item.call_id.as_deref()),
        item.attempts.to_string(),
        what,
    ]
}

/// What went wrong at last, after what came of asking for the record if that is why it is dead.
pub(super) fn why(item: &Item) -> String {
    let error = item.last_error.as_deref().unwrap_or_default();
    match item.confirmation.filter(|known| *known != Confirmation::Resolved) {
        // A worker says so itself.
        Some(confirmation) if !error.starts_with(confirmation.as_str()) => {
            format!("{confirmation}: {error}")
        }
        _ => error.to_owned(),
    }
}

/// All that an item's row tells, by name; null where there is nothing.
fn fields(item: &Item) -> Vec<(&'static str, Value)> {
    let is_due = matches!(item.state, State::Waiting | State::Confirming);
    vec![
        ("id", json!(item.id.get())),
        ("state", json!(item.state.as_str())),
        ("sdk_app_id", json!(item.sdk_app_id)),
        // The URL's.
        ("command", json!(item.command.as_ref().map(Command::as_str))),
        ("call_id", json!(item.call_id)),
        ("idempotency_key", json!(item.key)),
        ("source", json!(item.source.as_str())),
        ("signature", json!(item.signature.as_str())),
        ("received_at", json!(time::text(item.received_at))),
        ("due_at", json!(is_due.then(|| time::text(item.due_at)))),
        ("attempts", json!(item.attempts)),
        ("lost_leases", json!(item.lost_leases)),
        ("last_error", json!(item.last_error)),
        ("done_as", json!(item.done.map(|(how, _)| how.as_str()))),
        ("done_at", json!(item.done.map(|(_, at)| time::text(at)))),
        ("replaces", json!(item.replaces.map(ItemId::get))),
        ("confirmation", json!(item.confirmation.map(Confirmation::as_str))),
        ("sha256", json!(item.sha256.map(|byte| format!("{byte:02x}")).concat())),
    ]
}

/// With what the body and the record tell besides.
fn all_fields(item: &Item) -> Vec<(&'static str, Value)> {
    let body = item.body.as_deref();
    let decoded = body.map(|body| Decoded::new(item.command.as_ref(), body));
    let event = decoded.as_ref().and_then(|decoded| decoded.as_ref().ok()?.as_ref());
    let error = decoded.as_ref().and_then(|decoded| decoded.as_ref().err());
    // Only what is decoded is kept as a record.
    let record = item.record.as_deref();
    let record =
        record.and_then(|record| Decoded::new(Some(&Command::CallEnded), record).ok().flatten());
    let mut fields = fields(item);
    fields.extend([
        ("erased", json!(body.is_none())),
        ("event", json!(event.map(Decoded::event))),
        ("billing", json!(event.and_then(Decoded::billing))),
        ("not_decoded", json!(error.map(ToString::to_string))),
        ("record_event", json!(record.as_ref().map(Decoded::event))),
        ("record_billing", json!(record.as_ref().and_then(Decoded::billing))),
    ]);
    fields
}

/// A line of JSON for a row, without the line feed.
pub(super) fn row_json(item: &Item) -> Vec<u8> {
    object(fields(item))
}

/// The same for all of an item, with its body and its record if they are wanted.
pub(super) fn json(item: &Item, with_body: bool) -> Vec<u8> {
    let mut fields = all_fields(item);
    if with_body {
        for (name, bytes) in [("body", &item.body), ("record", &item.record)] {
            fields.push((name, json!(bytes.as_deref().map(String::from_utf8_lossy))));
        }
    }
    object(fields)
}

fn object(fields: Vec<(&'static str, Value)>) -> Vec<u8> {
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
    Value::Object(fields.collect()).to_string().into_bytes()
}

/// All of an item for people, with its body and its record if they are wanted.
pub(super) fn text(item: &Item, with_body: bool) -> String {
    let mut text = String::new();
    for (name, value) in all_fields(item).iter().filter(|(_, value)| !value.is_null()) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.push_str(&format!("{:<17}{}\n", name.replace('_', " "), plain(&value)));
    }
    for bytes in [&item.body, &item.record].into_iter().flatten().filter(|_| with_body) {
        // Line by line, since what is escaped is not what was broken here.
        for line in pretty(&String::from_utf8_lossy(bytes)).lines() {
            text.push_str(&format!("\n{}", plain(line)));
        }
        text.push('\n');
    }
    text
}

/// JSON with a line for each value, and not a byte of it changed: a number that is read and written
/// again may be another one. Anything else as it is.
fn pretty(body: &str) -> String {
    let json = body.strip_prefix('\u{feff}').unwrap_or(body);
    if serde_json::from_str::<&RawValue>(json).is_err() {
        return body.to_owned();
    }
    let mut text = String::with_capacity(json.len().saturating_mul(2));
    let mut depth = 0_usize;
    let (mut in_string, mut is_escaped) = (false, false);
    let mut last = ' ';
    for char in json.chars() {
        let is_open = matches!(last, '{' | '[');
        if in_string {
            text.push(char);
            in_string = is_escaped || char != '"';
            is_escaped = char == '\\' && !is_escaped;
        } else if !char.is_whitespace() {
            let is_close = matches!(char, '}' | ']');
            depth = depth.saturating_sub(is_close.into());
            if last == ',' || is_open != is_close && (is_open || is_close) {
                text.push('\n');
                text.extend(std::iter::repeat_n("  ", depth));
            }
            text.push(char);
            if char == ':' {
                text.push(' ');
            }
            depth = depth.saturating_add(matches!(char, '{' | '[').into());
            in_string = char == '"';
        } else {
            continue;
        }
        last = char;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_broken_into_lines_and_not_changed() {
        let body = r#"{"a": [1e400,{"b":"x,\"{}[ \\"},[ ]], "c":{},"d":"a\\\\","e":[]}"#;
        let lines = [
            "{",
            r#"  "a": ["#,
            "    1e400,",
            "    {",
            r#"      "b": "x,\"{}[ \\""#,
            "    },",
            "    []",
            "  ],",
            r#"  "c": {},"#,
            r#"  "d": "a\\\\","#,
            r#"  "e": []"#,
            "}",
        ];
        assert_eq!(pretty(body).lines().collect::<Vec<_>>(), lines);
        assert_eq!(pretty("{\"a\":1"), "{\"a\":1");
    }
}
