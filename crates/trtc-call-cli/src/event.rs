//! What comes out of a body: the event, what else is in it, and what a biller may take from it.

use std::collections::BTreeSet;

use serde_json::Value;
use trtc_call_webhook::{Billing, Callback, Command, Error, ErrorKind, decode};

/// The longest key that is repeated, in characters.
const MAX_KEY: usize = 64;

/// What a handler is given.
pub(crate) struct Decoded {
    callback: Callback,
    /// The fields that the body has and this version does not know; none if it does not know the
    /// command, or where a value is beyond what can be looked through.
    pub(crate) unknown: Option<BTreeSet<String>>,
}

impl Decoded {
    /// Decodes a body by the command that the URL had. None if the command is one that no event has.
    pub(crate) fn new(in_url: Option<&Command>, body: &[u8]) -> Result<Option<Self>, Error> {
        let Some(callback) = decode::<Callback>(in_url, body)? else { return Ok(None) };
        let text = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
        let is_known = !matches!(callback, Callback::Other(_));
        let unknown = serde_json::from_slice(text).ok().filter(|_| is_known).map(|body| {
            let mut unknown = BTreeSet::new();
            look_through(callback.command(), ["", "", ""], &body, &mut unknown);
            unknown
        });
        Ok(Some(Self { callback, unknown }))
    }

    /// The event as it would be stored.
    pub(crate) fn event(&self) -> Value {
        serde_json::to_value(&self.callback).unwrap_or_default()
    }

    /// The verdict, of an ended call.
    pub(crate) fn billing(&self) -> Option<String> {
        let Callback::CallEnded(call) = &self.callback else { return None };
        Some(in_words(call.billing()))
    }
}

pub(crate) fn in_words(billing: Billing) -> String {
    match billing {
        Billing::Connected(time) => format!("connected for {} s", time.as_secs()),
        Billing::Unanswered => "nobody answered: 0 s".to_owned(),
        Billing::AskRecord(reason) => format!("ask the record: {reason}"),
    }
}

/// Finds the fields that core does not read. Half of a surrogate pair is malformed in one that it
/// reads, and passed over in all others: so it is asked.
fn look_through(
    command: &Command,
    [name, before, behind]: [&str; 3],
    value: &Value,
    unknown: &mut BTreeSet<String>,
) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let shown: String = key.chars().take(MAX_KEY).collect();
                let name = format!("{name}.{shown}");
                let before = format!("{before}{{{}:", Value::from(key.as_str()));
                let behind = format!("}}{behind}");
                let body = format!(r#"{before}"\ud800"{behind}"#);
                let asked = decode::<Callback>(Some(command), body.as_bytes());
                if asked.is_err_and(|error| error.kind() == ErrorKind::MalformedBody) {
                    look_through(command, [&name, &before, &behind], value, unknown);
                } else {
                    unknown.insert(name.trim_start_matches('.').to_owned());
                }
            }
        }
        Value::Array(entries) => {
            let (name, before) = (format!("{name}[]"), format!("{before}["));
            let behind = format!("]{behind}");
            for entry in entries {
                look_through(command, [&name, &before, &behind], entry, unknown);
            }
        }
        _ => {}
    }
}
