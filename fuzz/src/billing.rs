//! "The billing verdict" of the contract, from a body and not from the event that was made of it.

use trtc_call_webhook::{AskReason, Billing, CallEnded};

use crate::body::{Accept, get, id, integer};
use crate::json::{self, Json};

/// What a biller may take from a callback alone.
#[derive(Debug, PartialEq)]
enum Verdict {
    Connected(u64),
    Unanswered,
    /// The record is to be asked, for any of these reasons.
    Ask(Vec<AskReason>),
}

/// The verdict, and how long it rang.
#[derive(Debug)]
pub struct Expected {
    verdict: Verdict,
    ringing: Option<u64>,
}

/// What has to come of the body of an ended call; `None` for one that is no such, or too deep for the
/// oracle.
#[must_use]
pub fn expect(body: &[u8]) -> Option<Expected> {
    let text = std::str::from_utf8(body).ok()?;
    let Ok(Json::Object(body)) = json::parse(text.strip_prefix('\u{feff}').unwrap_or(text)) else {
        return None;
    };
    let Json::Object(record) = get(&body, "CallRecord").ok()? else { return None };
    let field = |key| get(record, key).ok();
    let accept = Accept::read(field("AcceptTime")?);
    let start = integer(field("StartTime")?);
    let end = integer(field("EndTime")?);
    let result = id(field("CallResult")?);
    let verdict = verdict(result.as_deref(), start, accept, end);
    let rang_until = match verdict {
        Verdict::Connected(_) => accept.time(),
        Verdict::Unanswered => end,
        Verdict::Ask(_) => None,
    };
    let ringing = start
        .zip(rang_until)
        .filter(|(start, end)| is_in_seconds(*start) && is_in_seconds(*end) && start <= end);
    Some(Expected { verdict, ringing: ringing.map(|(start, end)| seconds(start, end)) })
}

fn verdict(result: Option<&str>, start: Option<i64>, accept: Accept, end: Option<i64>) -> Verdict {
    let says_nobody = matches!(result, Some("Cancel" | "Reject" | "NotAnswer" | "CallBusy"));
    let accept = match accept {
        Accept::At(accept) => accept,
        Accept::Unreadable => return Verdict::Ask(vec![AskReason::AcceptTimeUnreadable]),
        Accept::None => {
            return match result {
                _ if says_nobody => Verdict::Unanswered,
                Some("Interrupt" | "Offline") => Verdict::Unanswered,
                Some("NormalEnd") => Verdict::Ask(vec![AskReason::AcceptTimeMissing]),
                _ => Verdict::Ask(vec![AskReason::ResultUnknown]),
            };
        }
    };
    if says_nobody {
        return Verdict::Ask(vec![AskReason::ResultContradicts]);
    }
    let Some(end) = end else { return Verdict::Ask(vec![AskReason::EndTimeMissing]) };
    let mut faults = Vec::new();
    if !start.into_iter().chain([accept, end]).all(is_in_seconds) {
        faults.push(AskReason::TimesNotInSeconds);
    }
    if end < accept || start.is_some_and(|start| accept < start || end < start) {
        faults.push(AskReason::TimesOutOfOrder);
    }
    if faults.is_empty() { Verdict::Connected(seconds(accept, end)) } else { Verdict::Ask(faults) }
}

fn is_in_seconds(time: i64) -> bool {
    (1_000_000_000..100_000_000_000).contains(&time)
}

fn seconds(from: i64, to: i64) -> u64 {
    (to - from).try_into().unwrap()
}

impl Expected {
    /// Holds what a call says of itself against this.
    ///
    /// # Panics
    ///
    /// If they differ.
    pub fn assert_same(&self, call: &CallEnded) {
        let billing = call.billing();
        match (&self.verdict, billing) {
            (Verdict::Connected(seconds), Billing::Connected(time)) => {
                assert_eq!(time.as_secs(), *seconds);
                assert_eq!(time.subsec_nanos(), 0);
            }
            (Verdict::Unanswered, Billing::Unanswered) => {}
            (Verdict::Ask(reasons), Billing::AskRecord(reason)) if reasons.contains(&reason) => {}
            (expected, got) => panic!("{got:?} instead of {expected:?}"),
        }
        let seconds = match self.verdict {
            Verdict::Connected(seconds) => Some(seconds),
            Verdict::Unanswered => Some(0),
            Verdict::Ask(_) => None,
        };
        assert_eq!(billing.seconds(), seconds);
        assert_eq!(call.ringing_time().map(|time| time.as_secs()), self.ringing);
    }
}
