//! Queries: the same one written in other ways.

use std::iter::Cycle;
use std::slice::Iter;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::text;

/// Pieces that hold none of our keys, but look like it.
const STRANGERS: &[&str] = &[
    "",
    "=",
    "==Sign",
    "token=a?SdkAppid=1",
    "Sdk-Appid=1",
    "SdkAppid[]=1",
    "SdkAppid%00=1",
    "%20Sign=",
    "Sign%ff=%ff",
    "%=%zz",
    "WebhookCommand=Call.CallbackAfterEndCall",
];

/// How a query is written. Each list but that of strangers is used round and round; an empty one
/// changes nothing.
#[derive(Clone, Debug)]
pub(crate) struct Style {
    order: Vec<u8>,
    other_case: Vec<bool>,
    escaped: Vec<bool>,
    repeated: Vec<bool>,
    strangers: Vec<String>,
}

impl Style {
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        let flags = || vec(any::<bool>(), 0..5);
        let stranger = prop_oneof![select(STRANGERS).prop_map(str::to_owned), text()];
        (vec(any::<u8>(), 0..9), flags(), flags(), flags(), vec(stranger, 0..4)).prop_map(
            |(order, other_case, escaped, repeated, strangers)| Self {
                order,
                other_case,
                escaped,
                repeated,
                strangers,
            },
        )
    }

    /// Writes a query of the sender's in this style.
    pub(crate) fn write(&self, query: &str) -> String {
        let mut pieces = self.strangers.clone();
        let mut other_case = self.other_case.iter().cycle();
        let mut escaped = self.escaped.iter().cycle();
        let mut repeated = self.repeated.iter().cycle();
        for pair in query.split('&') {
            let times = if repeated.next() == Some(&true) { 2 } else { 1 };
            for _ in 0..times {
                let (key, value) = pair.split_once('=').unwrap();
                let key = in_other_case(key, &mut other_case);
                let key = escape(&key, &mut escaped);
                pieces.push(format!("{key}={}", escape(value, &mut escaped)));
            }
        }
        let mut order = self.order.iter().cycle();
        pieces.sort_by_cached_key(|_| order.next());
        pieces.join("&")
    }
}

fn in_other_case(key: &str, flags: &mut Cycle<Iter<'_, bool>>) -> String {
    key.chars()
        .map(|letter| match flags.next() {
            Some(true) if letter.is_ascii_lowercase() => letter.to_ascii_uppercase(),
            Some(true) => letter.to_ascii_lowercase(),
            _ => letter,
        })
        .collect()
}

/// Escapes more than has to be; a text that has escapes already is left as it is.
fn escape(text: &str, flags: &mut Cycle<Iter<'_, bool>>) -> String {
    if text.contains('%') {
        return text.to_owned();
    }
    text.bytes()
        .map(|byte| match flags.next() {
            Some(true) => format!("%{byte:02x}"),
            _ => char::from(byte).to_string(),
        })
        .collect()
}
