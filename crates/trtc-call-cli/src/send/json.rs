//! What `--json` prints of one exchange, and of all of them. Times are in milliseconds.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::burst::Sent;
use super::tally::Tally;
use crate::client::Reply;
use crate::failure::Failure;
use crate::verdict::Verdict;

#[derive(Serialize)]
struct Exchange<'a> {
    command: &'a str,
    call_id: Option<&'a str>,
    /// How the call ended that was sent.
    result: Option<&'a str>,
    /// None if no answer could be read.
    answer: Option<Answer<'a>>,
    delivered: bool,
    why: &'a str,
    /// What of the answer is not as documented.
    undocumented: &'a [String],
}

#[derive(Serialize)]
struct Answer<'a> {
    status: u16,
    content_type: Option<&'a str>,
    /// As text, whole.
    body: String,
    took_ms: f64,
}

#[derive(Serialize)]
struct Summary<'a> {
    total: u64,
    delivered: u64,
    /// How many there were of each kind of answer.
    answers: BTreeMap<&'a str, u64>,
    took_ms: f64,
    /// By the names of the quantiles.
    latency_ms: BTreeMap<&'a str, f64>,
}

/// A line for one callback, without the line feed.
pub(super) fn exchange(sent: &Sent, verdict: &Verdict) -> Result<Vec<u8>, Failure> {
    let answer = match &sent.reply {
        Reply::Answer(answer) => Some(Answer {
            status: answer.status,
            content_type: answer.content_type.as_deref(),
            body: String::from_utf8_lossy(&answer.body).into_owned(),
            took_ms: millis(answer.took),
        }),
        Reply::Lost(_) => None,
    };
    line(&Exchange {
        command: sent.what.command.as_str(),
        call_id: sent.what.call_id.as_deref(),
        result: sent.what.result.as_deref(),
        answer,
        delivered: verdict.is_delivered,
        why: &verdict.why,
        undocumented: &verdict.undocumented,
    })
}

/// A line for all callbacks of a run that took so long, without the line feed.
pub(super) fn summary(tally: &Tally, took: Duration) -> Result<Vec<u8>, Failure> {
    line(&Summary {
        total: tally.total(),
        delivered: tally.delivered(),
        answers: tally.kinds().collect(),
        took_ms: millis(took),
        latency_ms: tally.quantiles().map(|(name, time)| (name, millis(time))).collect(),
    })
}

fn line(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value)
        .map_err(|error| Failure::new(format!("cannot write what was answered: {error}")))
}

/// To the microsecond: more decimals say nothing.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
