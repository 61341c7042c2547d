//! Counts replies and measures how long they took.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::client::Reply;
use crate::failure::Failure;
use crate::verdict::{Packet, Verdict};

/// More different replies than this are of one kind: a peer may put anything into them.
const MAX_KINDS: usize = 20;

/// A day, in microseconds.
const MAX_MICROS: u64 = 86_400_000_000;

/// The quantiles that are told.
const QUANTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];

pub(super) struct Tally {
    delivered: u64,
    kinds: BTreeMap<String, u64>,
    /// In microseconds, of whole answers only.
    latency: Histogram<u64>,
}

impl Tally {
    pub(super) fn new() -> Result<Self, Failure> {
        // Three digits of up to the longest time-out.
        let latency = Histogram::new_with_bounds(1, MAX_MICROS, 3)
            .map_err(|error| Failure::new(format!("cannot measure latencies: {error}")))?;
        Ok(Self { delivered: 0, kinds: BTreeMap::new(), latency })
    }

    pub(super) fn add(&mut self, reply: &Reply, verdict: &Verdict) {
        if verdict.is_delivered {
            self.delivered = self.delivered.saturating_add(1);
        }
        let kind = match reply {
            Reply::Answer(answer) => {
                let micros = u64::try_from(answer.took.as_micros()).unwrap_or(u64::MAX);
                self.latency.saturating_record(micros);
                let text = Packet::read(&answer.body).map_or("not JSON".to_owned(), |p| p.text());
                format!("{} {text}", answer.status)
            }
            Reply::Lost(why) => why.clone(),
        };
        let is_new = !self.kinds.contains_key(&kind);
        let kind = if is_new && self.kinds.len() >= MAX_KINDS { "others".to_owned() } else { kind };
        let count = self.kinds.entry(kind).or_default();
        *count = count.saturating_add(1);
    }

    /// How many were sent.
    pub(super) fn total(&self) -> u64 {
        self.kinds.values().sum()
    }

    /// How many Tencent would have taken as delivered.
    pub(super) const fn delivered(&self) -> u64 {
        self.delivered
    }

    /// The kinds of replies and how many there were of each.
    pub(super) fn kinds(&self) -> impl Iterator<Item = (&str, u64)> {
        self.kinds.iter().map(|(kind, count)| (kind.as_str(), *count))
    }

    /// How long answers took; nothing without an answer.
    pub(super) fn quantiles(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        QUANTILES.into_iter().filter(|_| !self.latency.is_empty()).map(|(name, quantile)| {
            (name, Duration::from_micros(self.latency.value_at_quantile(quantile)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Answer;

    #[test]
    fn quantiles_are_of_what_was_measured() {
        let mut tally = Tally::new().unwrap();
        for millis in 1..=100 {
            let took = Duration::from_millis(millis);
            let body = b"{}".to_vec();
            let answer =
                Answer { status: 200, content_type: None, date: None, location: None, body, took };
            let reply = Reply::Answer(answer);
            tally.add(&reply, &Verdict::of(&reply));
        }
        assert_eq!((tally.delivered(), tally.total()), (100, 100));
        let expected = [("p50", 50), ("p90", 90), ("p99", 99), ("p99.9", 100), ("max", 100)];
        for ((name, time), (expected_name, millis)) in tally.quantiles().zip(expected) {
            assert_eq!((name, time.as_millis()), (expected_name, millis));
        }
    }

    #[test]
    fn a_peer_cannot_make_the_table_grow_without_end() {
        let mut tally = Tally::new().unwrap();
        for n in 0..100 {
            let reply = Reply::Lost(n.to_string());
            tally.add(&reply, &Verdict::of(&reply));
        }
        assert_eq!(tally.total(), 100);
        assert_eq!(tally.kinds().count(), MAX_KINDS + 1);
        assert_eq!(tally.quantiles().count(), 0);
    }
}
