//! What the clients saw.

use std::collections::BTreeMap;
use std::time::Duration;

use conformance::Answer;
use hdrhistogram::Histogram;

use crate::callback::{Callback, Expected, Kind};
use crate::ledger::Due;

/// How long the vendor is said to wait.
const VENDORS_PATIENCE: Duration = Duration::from_secs(2);

/// How many surprises are told in words.
const TOLD: u64 = 10;

#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    /// Acknowledged, and a line is due.
    pub(crate) with_event: u64,
    /// Acknowledged, and no line is due.
    pub(crate) without_event: u64,
    /// Refused, by status.
    pub(crate) refused: BTreeMap<u16, u64>,
    /// The server closed the connection instead of refusing in its own words.
    pub(crate) hung_up: u64,
    /// The client went away on purpose.
    pub(crate) left: u64,
    /// No answer, on a connection on which something was refused just before.
    pub(crate) met_a_close: u64,
    /// No answer, and no reason for it.
    pub(crate) unanswered: u64,
    /// Another answer than the contract's.
    pub(crate) surprising: u64,
    /// Connections that the server closed after a hostile request.
    pub(crate) reconnected: u64,
    /// Answers that came too late for the vendor.
    pub(crate) slow: u64,
    /// Latencies of all answers, in nanoseconds.
    pub(crate) latencies: Histogram<u64>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            sent: 0,
            with_event: 0,
            without_event: 0,
            refused: BTreeMap::new(),
            hung_up: 0,
            left: 0,
            met_a_close: 0,
            unanswered: 0,
            surprising: 0,
            reconnected: 0,
            slow: 0,
            latencies: Histogram::new(3).expect("three digits"),
        }
    }

    /// Counts what came of a callback. `after_refusal`: it was the first on its connection since
    /// something was refused there, and the server may just have been closing it.
    pub(crate) fn count(
        &mut self,
        callback: &Callback,
        answer: Option<&Answer>,
        latency: Duration,
        after_refusal: bool,
    ) {
        self.sent += 1;
        let expected = callback.expected();
        let Some(answer) = answer else {
            match expected {
                Expected::Nothing => self.left += 1,
                Expected::Refusal => self.hung_up += 1,
                Expected::Answer(_) if after_refusal => self.met_a_close += 1,
                Expected::Answer(_) => {
                    self.unanswered += 1;
                    tell(self.unanswered, callback, "no answer");
                }
            }
            return;
        };
        self.latencies.record(latency.as_nanos() as u64).expect("it grows with its values");
        self.slow += u64::from(latency > VENDORS_PATIENCE);
        let is_expected = match &expected {
            Expected::Answer(expected) => answer == expected,
            Expected::Refusal => (400..500).contains(&answer.status),
            Expected::Nothing => false,
        };
        if !is_expected {
            self.surprising += 1;
            tell(self.surprising, callback, &format!("{answer:?} instead of {expected:?}"));
        } else if matches!(callback.kind, Kind::Hostile(_)) {
            *self.refused.entry(answer.status).or_default() += 1;
        } else if callback.due(Some(answer)) == Due::One {
            self.with_event += 1;
        } else {
            self.without_event += 1;
        }
    }
}

fn tell(count: u64, callback: &Callback, what: &str) {
    if count <= TOLD {
        eprintln!("callback {}, {:?}: {what}", callback.number, callback.kind);
    }
}
