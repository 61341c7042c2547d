//! One callback of a run: how it is sent, and what has to come of it.

use std::time::SystemTime;

use conformance::example::{APP, TOKEN};
use conformance::{Answer, raw};
use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{CallStarted, MemberChanged, Token};

use crate::call::{Call, Line};
use crate::hostile::Hostile;
use crate::ledger::Due;
use crate::random::Random;

/// A command that nobody knows.
const UNKNOWN: &str = "Call.CallbackAfterSomethingNew";

/// How many bytes in a call id are the seed's.
const SEED_DIGITS: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A call ended: a line is printed.
    Ended,
    /// Another event, which is acknowledged without a line.
    Started,
    /// Another event, which is acknowledged without a line.
    MemberChanged,
    /// A command that nobody knows, which is acknowledged without a line.
    Unknown,
    /// Nothing that Tencent would send.
    Hostile(Hostile),
}

/// What has to come back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// This.
    Answer(Answer),
    /// A refusal in the server's own words, or a closed connection.
    Refusal,
    /// Nothing: nobody waits for it.
    Nothing,
}

/// A callback. All of it follows from the seed and its number.
#[derive(Debug)]
pub(crate) struct Callback {
    pub(crate) number: u64,
    pub(crate) kind: Kind,
    /// Every callback is about a call of its own, so that whatever is printed tells which it was.
    call: Call,
    /// Whether the body is written with more escapes than it needs.
    is_escaped: bool,
}

impl Callback {
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        let mut random = Random::new(seed, number);
        let kind = if random.one_in(50) {
            Kind::Hostile(random.pick(&Hostile::ALL))
        } else {
            match random.below(20) {
                0 => Kind::Started,
                1 => Kind::MemberChanged,
                2 => Kind::Unknown,
                _ => Kind::Ended,
            }
        };
        let is_escaped = random.one_in(10);
        Self { number, kind, call: Call::new(call_id(seed, number), &mut random), is_escaped }
    }

    /// What is sent.
    pub(crate) fn text(&self, now: SystemTime) -> String {
        let request = self.request().signed(&Token::new(TOKEN), now);
        match self.kind {
            Kind::Hostile(hostile) => hostile.text(request, now),
            _ => written(&request),
        }
    }

    fn request(&self) -> Request {
        let call_id = &self.call.line.call_id;
        let ended = || Request::new(APP, self.call.event.clone());
        let request = match self.kind {
            Kind::Ended | Kind::Hostile(_) => ended(),
            Kind::Started => Request::new(APP, CallStarted::new(call_id)),
            Kind::MemberChanged => Request::new(APP, MemberChanged::new(call_id)),
            Kind::Unknown => {
                let body = body_of(&ended()).replace("Call.CallbackAfterEndCall", UNKNOWN);
                ended().command(UNKNOWN).with_body(body)
            }
        };
        if self.is_escaped {
            let body = escaped(&body_of(&request));
            return request.with_body(body);
        }
        request
    }

    pub(crate) fn expected(&self) -> Expected {
        match self.kind {
            Kind::Hostile(hostile) => hostile.expected(),
            _ => Expected::Answer(raw::ok()),
        }
    }

    /// Which lines have to come, after this answer.
    pub(crate) fn due(&self, answer: Option<&Answer>) -> Due {
        match (self.kind, answer) {
            (Kind::Ended, Some(answer)) if *answer == raw::ok() => Due::One,
            (Kind::Ended | Kind::Hostile(Hostile::GoesAway), None) => Due::Perhaps,
            _ => Due::None,
        }
    }

    /// The line, if one is printed.
    pub(crate) const fn line(&self) -> &Line {
        &self.call.line
    }
}

/// A callback's number behind the seed of the run.
fn call_id(seed: u64, number: u64) -> String {
    format!("{seed:0SEED_DIGITS$x}/{number}")
}

/// The number of a callback of this run.
pub(crate) fn number(seed: u64, id: &str) -> Option<u64> {
    let number = id.split_once('/')?.1.parse().ok()?;
    (call_id(seed, number) == id).then_some(number)
}

/// The request as HTTP.
pub(crate) fn written(request: &Request) -> String {
    raw::whole(&request.query(), &body_of(request))
}

pub(crate) fn body_of(request: &Request) -> String {
    String::from_utf8(request.body().to_vec()).expect("JSON")
}

/// The same JSON in ASCII, and with an escape for each slash too. Both stand in strings only.
fn escaped(json: &str) -> String {
    let mut text = String::new();
    for char in json.chars() {
        match char {
            '/' => text.push_str("\\/"),
            char if char.is_ascii() => text.push(char),
            char => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::mem::discriminant;

    use super::*;

    #[test]
    fn a_callback_follows_from_its_seed_and_number() {
        let text = |seed, number| Callback::new(seed, number).text(SystemTime::UNIX_EPOCH);
        assert_eq!(text(1, 2), text(1, 2));
        assert_ne!(text(1, 2), text(2, 1));
    }

    #[test]
    fn a_call_id_tells_the_number_to_its_own_run() {
        let id = call_id(7, 1_234);
        assert_eq!(number(7, &id), Some(1_234));
        assert_eq!(number(8, &id), None);
        for other in ["", "7/1234", "0000000000000007/01234", "0000000000000007/+1234"] {
            assert_eq!(number(7, other), None, "{other}");
        }
    }

    #[test]
    fn escapes_are_the_same_json() {
        let json = r#"{"a/b":["用户","😀\"\\\t"]}"#;
        let text = escaped(json);
        assert!(text.is_ascii() && text.contains("\\/") && text.contains("\\ud83d\\ude00"));
        let value = |text| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&text), value(json));
    }

    #[test]
    fn every_kind_is_sent_and_one_in_fifty_is_hostile() {
        let mut hostile = BTreeMap::new();
        let mut kinds = Vec::new();
        for number in 0..20_000 {
            let kind = Callback::new(1, number).kind;
            if let Kind::Hostile(kind) = kind {
                *hostile.entry(format!("{kind:?}")).or_insert(0) += 1;
            }
            if !kinds.contains(&discriminant(&kind)) {
                kinds.push(discriminant(&kind));
            }
        }
        assert_eq!((kinds.len(), hostile.len()), (5, Hostile::ALL.len()));
        assert!((300..500).contains(&hostile.values().sum::<i32>()), "{hostile:?}");
    }
}
