//! Whether Tencent would take an answer for a delivery.
//!
//! No page says what it takes for Call. For Chat (34354) and Live (64412) it is HTTP 200 and a
//! JSON body; anything else is a failure.

use serde_json::Value;

use crate::client::{Answer, Reply};
use crate::out::plain;

/// Delivered or not, and why.
pub(crate) struct Verdict {
    pub(crate) is_delivered: bool,
    pub(crate) why: String,
}

impl Verdict {
    pub(crate) fn of(reply: &Reply) -> Self {
        let answer = match reply {
            Reply::Answer(answer) => answer,
            Reply::Lost(why) => return Self::not_delivered(why.clone()),
        };
        if answer.status != 200 {
            return Self::not_delivered(format!("HTTP {}, not 200", answer.status));
        }
        match Packet::read(answer) {
            Some(packet) if packet.is_failure() => Self {
                is_delivered: true,
                why: format!("HTTP 200 and a JSON body, although it says {}", packet.text()),
            },
            Some(_) => Self { is_delivered: true, why: "HTTP 200 and a JSON body".to_owned() },
            None => Self::not_delivered("HTTP 200, but the body is not JSON".to_owned()),
        }
    }

    const fn not_delivered(why: String) -> Self {
        Self { is_delivered: false, why }
    }
}

/// The response packet of 647/68940, as far as it is one.
pub(crate) struct Packet(Value);

impl Packet {
    /// Reads an answer's body; `None` if it is not JSON.
    pub(crate) fn read(answer: &Answer) -> Option<Self> {
        serde_json::from_slice(&answer.body).ok().map(Self)
    }

    /// Whether it says so itself; Tencent's sibling products count that as a failure too.
    fn is_failure(&self) -> bool {
        let code = self.0.get("ErrorCode");
        code.is_some_and(|code| code.as_i64() != Some(0))
            || self.word("ActionStatus").is_some_and(|status| status != "OK")
    }

    /// Its status and its text, in one line.
    pub(crate) fn text(&self) -> String {
        let code = self.0.get("ErrorCode").and_then(Value::as_i64).filter(|code| *code != 0);
        let info = self.word("ErrorInfo").filter(|info| !info.is_empty());
        let mut text =
            self.word("ActionStatus").map_or_else(String::new, |s| plain(s).into_owned());
        let mut add = |piece: &str| {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(piece);
        };
        if let Some(info) = info {
            add(&plain(info));
        } else if let Some(code) = code {
            add(&code.to_string());
        }
        text
    }

    fn word(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn http_200_and_json_is_a_delivery() {
        for (status, body, delivered) in [
            (200, r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#, true),
            (200, r#"{"ActionStatus":"FAIL","ErrorInfo":"no","ErrorCode":1}"#, true),
            (200, "{}", true),
            (200, "ok", false),
            (200, "", false),
            (201, "{}", false),
            (302, "{}", false),
            (500, "{}", false),
        ] {
            let answer =
                Answer { status, content_type: None, body: body.into(), took: Duration::ZERO };
            let verdict = Verdict::of(&Reply::Answer(answer));
            assert_eq!(verdict.is_delivered, delivered, "{status} {body}: {}", verdict.why);
        }
        assert!(!Verdict::of(&Reply::Lost("late".to_owned())).is_delivered);
    }
}
