//! Whether Tencent would take an answer for a delivery.
//!
//! No page says what it takes for Call. For Chat (34354) and Live (64412) it is HTTP 200 and a
//! JSON body; anything else is a failure.

mod packet;

pub(crate) use self::packet::Packet;
use crate::client::Reply;

/// Delivered or not, and why.
pub(crate) struct Verdict {
    pub(crate) is_delivered: bool,
    pub(crate) why: String,
    /// What of an answer that counts is not as 647/68940 has it.
    pub(crate) undocumented: Vec<String>,
}

impl Verdict {
    pub(crate) fn of(reply: &Reply) -> Self {
        match reply {
            Reply::Answer(answer) => Self::of_answer(answer.status, &answer.body),
            Reply::Lost(why) => Self::not_delivered(why.clone()),
        }
    }

    pub(crate) fn of_answer(status: u16, body: &[u8]) -> Self {
        if status != 200 {
            return Self::not_delivered(format!("HTTP {status}, not 200"));
        }
        let Some(packet) = Packet::read(body) else {
            return Self::not_delivered("HTTP 200, but the body is not JSON".to_owned());
        };
        let mut why = "HTTP 200 and a JSON body".to_owned();
        if packet.is_failure() {
            why = format!("{why}, although it says {}", packet.text());
        }
        Self { is_delivered: true, why, undocumented: packet.oddities() }
    }

    const fn not_delivered(why: String) -> Self {
        Self { is_delivered: false, why, undocumented: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
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
            let verdict = Verdict::of_answer(status, body.as_bytes());
            assert_eq!(verdict.is_delivered, delivered, "{status} {body}: {}", verdict.why);
        }
        assert!(!Verdict::of(&Reply::Lost("late".to_owned())).is_delivered);
    }
}
