//! An item as it is shown: in a line, or all of it; for people, or for machines.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use trtc_call_inbox::{DoneAs, Item, ItemId, State};
use trtc_call_webhook::{Command, SdkAppId};

use crate::event::Decoded;
use crate::failure::Failure;
use crate::out::{add, plain};
use crate::time;

pub(super) const HEADER: [&str; 8] =
    ["item", "state", "received", "app", "command", "call", "attempts", "what of it"];

/// The longest error in a table, in characters.
const MAX_ERROR: usize = 60;

/// A row of a table.
pub(super) fn row(item: &Item) -> [String; 8] {
    let text = |text: Option<&str>| text.map_or_else(|| "-".to_owned(), |text| plain(text).into());
    let last_error = || {
        let error: String =
            item.last_error.iter().flat_map(|error| error.chars()).take(MAX_ERROR).collect();
        plain(&error).into_owned()
    };
    let what = match (item.state, &item.done) {
        (State::Waiting, _) if item.attempts == 0 => String::new(),
        (State::Waiting, _) => format!("due {}: {}", time::text(item.due_at), last_error()),
        (_, Some((how, at))) => format!("{how} {}", time::text(*at)),
        _ => last_error(),
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

/// An item for machines.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    id: i64,
    state: &'static str,
    sdk_app_id: SdkAppId,
    /// The URL's.
    command: Option<&'a str>,
    call_id: Option<&'a str>,
    idempotency_key: &'a str,
    source: &'static str,
    signature: &'static str,
    received_at: String,
    due_at: Option<String>,
    attempts: u32,
    lost_leases: u32,
    last_error: Option<&'a str>,
    done_as: Option<&'static str>,
    done_at: Option<String>,
    replaces: Option<i64>,
    sha256: String,
    #[serde(flatten)]
    whole: Option<Whole>,
}

/// What only the body tells.
#[derive(Serialize)]
struct Whole {
    erased: bool,
    event: Option<Value>,
    billing: Option<String>,
    /// Why it does not decode.
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

impl<'a> Shown<'a> {
    pub(super) fn of(item: &'a Item) -> Self {
        Self {
            id: item.id.get(),
            state: item.state.as_str(),
            sdk_app_id: item.sdk_app_id,
            command: item.command.as_ref().map(Command::as_str),
            call_id: item.call_id.as_deref(),
            idempotency_key: &item.key,
            source: item.source.as_str(),
            signature: item.signature.as_str(),
            received_at: time::text(item.received_at),
            due_at: (item.state == State::Waiting).then(|| time::text(item.due_at)),
            attempts: item.attempts,
            lost_leases: item.lost_leases,
            last_error: item.last_error.as_deref(),
            done_as: item.done.map(|(how, _)| DoneAs::as_str(how)),
            done_at: item.done.map(|(_, at)| time::text(at)),
            replaces: item.replaces.map(ItemId::get),
            sha256: item.sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
            whole: None,
        }
    }

    /// With what its body tells, and the body itself if it is wanted.
    pub(super) fn whole(item: &'a Item, with_body: bool) -> Self {
        let body = item.body.as_deref();
        let decoded = body.map(|body| Decoded::new(item.command.as_ref(), body));
        let event = decoded.as_ref().and_then(|decoded| decoded.as_ref().ok()?.as_ref());
        let whole = Whole {
            erased: body.is_none(),
            event: event.map(Decoded::event),
            billing: event.and_then(Decoded::billing),
            error: decoded.as_ref().and_then(|decoded| Some(decoded.as_ref().err()?.to_string())),
            body: body.filter(|_| with_body).map(|body| String::from_utf8_lossy(body).into_owned()),
        };
        Self { whole: Some(whole), ..Self::of(item) }
    }

    /// A line of JSON without the line feed.
    pub(super) fn json(&self) -> Result<Vec<u8>, Failure> {
        serde_json::to_vec(self)
            .map_err(|error| Failure::new(format!("cannot write the item: {error}")))
    }
}

/// All of an item, for people.
pub(super) fn text(item: &Item, with_body: bool) -> String {
    let shown = Shown::whole(item, with_body);
    let done = item.done.map(|(how, at)| format!("{how} {}", time::text(at)));
    let replaces = shown.replaces.map(|item| format!("item {item}, which was wrong"));
    let mut text = String::new();
    let mut line = |label: &str, value: Option<&str>| {
        if let Some(value) = value {
            add(&mut text, label, value);
        }
    };
    line("item", Some(&shown.id.to_string()));
    line("state", Some(shown.state));
    line("app", Some(&shown.sdk_app_id.to_string()));
    line("command", shown.command);
    line("call", shown.call_id);
    line("key", Some(shown.idempotency_key));
    line("source", Some(shown.source));
    line("signature", Some(shown.signature));
    line("received", Some(&shown.received_at));
    line("due", shown.due_at.as_deref());
    line("attempts", Some(&shown.attempts.to_string()));
    line("lost leases", Some(&shown.lost_leases.to_string()));
    line("last error", shown.last_error);
    line("done", done.as_deref());
    line("corrects", replaces.as_deref());
    line("SHA-256", Some(&shown.sha256));
    if let Some(whole) = &shown.whole {
        line("body", whole.erased.then_some("erased: only its SHA-256 is kept"));
        line("not decoded", whole.error.as_deref());
        line("event", whole.event.as_ref().map(Value::to_string).as_deref());
        line("billing", whole.billing.as_deref());
        if let Some(body) = &whole.body {
            text.push('\n');
            // Line by line, since what is escaped is not what was broken here.
            for line in pretty(body).lines() {
                text.push_str(&plain(line));
                text.push('\n');
            }
        }
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
