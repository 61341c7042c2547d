//! What an answer to a probe means.

use url::Url;

use super::TIMEOUT;
use crate::client::{Answer, Fault};
use crate::doctor::place::{Place, shown};
use crate::verdict::{Packet, Verdict};

const ANSWER: &str =
    r#"answer 200 with {"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0} (647/68940)"#;

/// The most of an endpoint's own words that is repeated, in characters.
const MAX_TEXT: usize = 100;

/// What came back.
pub(super) struct Answered(pub(super) Result<Answer, Fault>);

pub(super) enum Judged {
    /// Acknowledged as documented.
    Taken(String),
    /// Refused with 401 or 403.
    Forbidden(String),
    /// No callback would get through, or not as documented, and what to do.
    Bad(String, &'static str),
}

impl Answered {
    /// Judges the answer to what should be taken, but for its signature.
    pub(super) fn judge(self, place: &Place, is_signed: bool) -> Judged {
        let what = if is_signed { "a signed callback" } else { "an unsigned callback" };
        let answer = match self.0 {
            Ok(answer) => answer,
            Err(fault) => {
                let advice = match fault {
                    Fault::Late => "answer first and work later, as an inbox does",
                    Fault::Closed | Fault::Answer(_) => "see the server's log",
                    Fault::Reach(_) => "see the findings above, and run this again",
                };
                return Judged::Bad(fault.in_words(TIMEOUT), advice);
            }
        };
        let Answer { status, body, location, .. } = &answer;
        let status = *status;
        let verdict = Verdict::of_answer(status, body);
        let advice = match status {
            200 => match Packet::read(body) {
                Some(packet) if packet.is_failure() => {
                    let text = format!("{what} is answered {}", text(&packet));
                    return Judged::Bad(text, "the receiver's log says why it cannot keep it");
                }
                Some(_) if verdict.undocumented.is_empty() => {
                    return Judged::Taken(format!("{what} is taken"));
                }
                Some(_) => {
                    let odd = verdict.undocumented.join(", ");
                    let text = format!("the answer counts, but is not as documented: {odd}");
                    return Judged::Bad(text, ANSWER);
                }
                None => ANSWER,
            },
            401 | 403 => return Judged::Forbidden(format!("{what} is refused with HTTP {status}")),
            300..=399 => {
                let location = location.as_deref().and_then(|to| place.url.join(to).ok());
                let to = location.as_ref().map(Url::as_str).map_or_else(|| "…".to_owned(), shown);
                return Judged::Bad(
                    format!("it redirects to {to} (HTTP {status})"),
                    "set the URL that it leads to: that the vendor follows is not documented",
                );
            }
            404 | 410 => "is the path the one that the receiver serves?",
            405 => "the receiver does not take POST: is the path the right one?",
            400..=499 => "the receiver's log says what it refuses; `trtc-call explain` does too",
            502..=504 => "the proxy reaches no receiver: see its log",
            500..=599 => "see the server's log",
            _ => ANSWER,
        };
        Judged::Bad(format!("{what} is not delivered: {}", verdict.why), advice)
    }

    /// How what should not be taken is acknowledged, or else what is answered.
    pub(super) fn acknowledged(self) -> Result<&'static str, String> {
        let answer = self.0.map_err(|fault| fault.in_words(TIMEOUT))?;
        match Packet::read(&answer.body).filter(|_| answer.status == 200) {
            Some(packet) if packet.is_failure() => Err(text(&packet)),
            Some(_) => Ok("it answers OK"),
            None => Err(format!("HTTP {}", answer.status)),
        }
    }
}

/// An endpoint's own words.
fn text(packet: &Packet) -> String {
    packet.text().chars().take(MAX_TEXT).collect()
}
