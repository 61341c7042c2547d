//! JSON: any of it, and the same JSON written in other ways.

use std::iter::Cycle;
use std::slice::Iter;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::text;

/// Every key that is read in some object.
const OURS: &[&str] = &[
    "CallbackCommand",
    "EventTime",
    "CallRecord",
    "CallInfo",
    "UserList",
    "ChangedUserList",
    "CallId",
    "Caller_Account",
    "MediaType",
    "CallMediaType",
    "CallType",
    "StartTime",
    "EndTime",
    "AcceptTime",
    "CallResult",
    "CalleeList_Account",
    "ChatGroupId",
    "RoomId",
    "RoomIdType",
    "User_Account",
    "Status",
    "ActionType",
];

/// Keys that look like ours, and those that `serde_json` has for itself.
const LOOKALIKES: &[&str] = &[
    "callId",
    "CallID",
    " CallId",
    "CallId\0",
    "CallRecords",
    "calleelist_account",
    "$serde_json::private::Number",
    "$serde_json::private::RawValue",
];

/// White space.
pub(crate) fn space() -> impl Strategy<Value = String> {
    vec(select(&[' ', '\t', '\n', '\r'][..]), 0..3).prop_map(String::from_iter)
}

/// The text of any value that is valid by the grammar: numbers of any size, keys that are given
/// twice, escapes that stand for no character.
fn value() -> impl Strategy<Value = String> {
    let number = "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,4})?";
    let words = ["null", "true", "false", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\/\""];
    let leaf = prop_oneof![
        select(words.map(str::to_owned).to_vec()),
        number,
        text().prop_map(|text| string(&text)),
        // Deeper than what is read by recursion.
        (1..300_usize).prop_map(|depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth))),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let member = (text(), inner.clone()).prop_map(|(key, value)| member(&key, &value));
        prop_oneof![
            vec(inner, 0..3).prop_map(|values| format!("[{}]", values.join(","))),
            vec(member, 0..3).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

/// Members of an object that have none of our keys.
pub(crate) fn strangers() -> impl Strategy<Value = Vec<String>> {
    let key = prop_oneof![select(LOOKALIKES).prop_map(str::to_owned), text()];
    let key = key.prop_filter("a key of ours", |key| !OURS.contains(&key.as_str()));
    vec((key, value()).prop_map(|(key, value)| member(&key, &value)), 0..3)
}

fn member(key: &str, value: &str) -> String {
    format!("{}:{value}", string(key))
}

/// A text as JSON has it.
pub(crate) fn string(text: &str) -> String {
    Value::from(text).to_string()
}

/// How the same JSON is written. Each list is used round and round; an empty one changes nothing.
#[derive(Clone, Debug)]
pub(crate) struct Style {
    has_mark: bool,
    spaces: Vec<String>,
    order: Vec<u8>,
    escaped: Vec<bool>,
    strangers: Vec<Vec<String>>,
}

impl Style {
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        let spaces = vec(space(), 0..5);
        let order = vec(any::<u8>(), 0..7);
        let escaped = vec(any::<bool>(), 0..5);
        let strangers = vec(strangers(), 0..3);
        (any::<bool>(), spaces, order, escaped, strangers).prop_map(
            |(has_mark, spaces, order, escaped, strangers)| Self {
                has_mark,
                spaces,
                order,
                escaped,
                strangers,
            },
        )
    }

    /// Writes a body in this style.
    pub(crate) fn write(&self, body: &[u8]) -> String {
        let mark = if self.has_mark { "\u{feff}" } else { "" };
        let mut writer = Writer {
            spaces: self.spaces.iter().cycle(),
            order: self.order.iter().cycle(),
            escaped: self.escaped.iter().cycle(),
            strangers: self.strangers.iter().cycle(),
        };
        format!("{mark}{}", writer.value(&serde_json::from_slice(body).unwrap()))
    }
}

struct Writer<'a> {
    spaces: Cycle<Iter<'a, String>>,
    order: Cycle<Iter<'a, u8>>,
    escaped: Cycle<Iter<'a, bool>>,
    strangers: Cycle<Iter<'a, Vec<String>>>,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value) -> String {
        let text = match value {
            Value::Object(members) => self.object(members),
            Value::Array(values) => {
                let values: Vec<String> = values.iter().map(|value| self.value(value)).collect();
                format!("[{}]", values.join(","))
            }
            Value::String(text) => self.string(text),
            other => other.to_string(),
        };
        self.spaced(&text)
    }

    fn object(&mut self, members: &serde_json::Map<String, Value>) -> String {
        let mut written: Vec<String> = self.strangers.next().cloned().unwrap_or_default();
        for (key, value) in members {
            let key = self.string(key);
            written.push(format!("{}:{}", self.spaced(&key), self.value(value)));
        }
        written.sort_by_cached_key(|_| self.order.next());
        format!("{{{}}}", written.join(","))
    }

    fn string(&mut self, text: &str) -> String {
        let characters = text.chars().map(|character| {
            let plain = character.to_string();
            if self.escaped.next() == Some(&true) {
                plain.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
            } else {
                let quoted = string(&plain);
                quoted[1..quoted.len() - 1].to_owned()
            }
        });
        format!("\"{}\"", characters.collect::<String>())
    }

    fn spaced(&mut self, text: &str) -> String {
        let mut space = || self.spaces.next().map_or("", String::as_str);
        format!("{}{text}{}", space(), space())
    }
}
