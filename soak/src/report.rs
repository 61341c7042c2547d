//! What came of the runs, as one table.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use conformance::example::Ended;

use crate::ledger::Verdict;
use crate::memory::Memory;
use crate::tally::Tally;

/// What has come of a run.
pub(crate) struct Outcome {
    pub(crate) name: &'static str,
    pub(crate) tally: Tally,
    pub(crate) verdict: Verdict,
    pub(crate) time: Duration,
    pub(crate) memory: Memory,
    /// The most memory that the server ever had, in KiB.
    pub(crate) peak: u64,
    /// Descriptors before the first connection and after the last.
    pub(crate) descriptors: (usize, usize),
    pub(crate) ended: Ended,
}

impl Outcome {
    /// What is not as it has to be.
    pub(crate) fn faults(&self) -> Vec<&'static str> {
        let Self { tally, verdict, .. } = self;
        let (before, after) = self.descriptors;
        let checks = [
            (tally.surprising, "answers that are not the contract's"),
            (tally.unanswered, "requests without an answer"),
            (verdict.lost, "events lost"),
            (verdict.doubled, "events doubled"),
            (verdict.foreign, "foreign lines"),
            (verdict.wrong, "wrong fields"),
            (u64::from(!self.memory.is_flat()), "memory grows"),
            (u64::from(after > before), "descriptors leak"),
            (u64::from(self.ended.status != Some(0)), "does not stop with status 0"),
            (self.panics(), "panics"),
        ];
        checks.into_iter().filter(|(count, _)| *count > 0).map(|(_, what)| what).collect()
    }

    fn panics(&self) -> u64 {
        self.ended.stderr.matches("panicked at").count() as u64
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let Self { tally, verdict, .. } = self;
        let refused = |status| whole(tally.refused.get(&status).copied().unwrap_or(0));
        let latency = |value: u64| format!("{:.2}", value as f64 / 1e6);
        let quantile = |quantile| latency(tally.latencies.value_at_quantile(quantile));
        let (first, last) = self.memory.medians();
        let faults = self.faults();
        vec![
            ("sent", whole(tally.sent)),
            ("acknowledged with event", whole(tally.with_event)),
            ("acknowledged without event", whole(tally.without_event)),
            ("refused: 400", refused(400)),
            ("refused: 403", refused(403)),
            ("refused: 405", refused(405)),
            ("refused: 413", refused(413)),
            ("refused: 422", refused(422)),
            ("refused by a close", whole(tally.hung_up)),
            ("client went away", whole(tally.left)),
            ("met a close after a refusal", whole(tally.met_a_close)),
            ("no answer otherwise", whole(tally.unanswered)),
            ("another answer", whole(tally.surprising)),
            ("lines printed", whole(verdict.lines)),
            ("lost", whole(verdict.lost)),
            ("doubled", whole(verdict.doubled)),
            ("foreign lines", whole(verdict.foreign)),
            ("wrong fields", whole(verdict.wrong)),
            ("reconnected after a refusal", whole(tally.reconnected)),
            ("requests/s", format!("{:.0}", tally.sent as f64 / self.time.as_secs_f64())),
            ("latency p50, ms", quantile(0.5)),
            ("latency p99, ms", quantile(0.99)),
            ("latency p99.9, ms", quantile(0.999)),
            ("latency max, ms", latency(tally.latencies.max())),
            ("answers slower than 2 s", whole(tally.slow)),
            ("RSS first tenth, KiB", whole(first)),
            ("RSS last tenth, KiB", whole(last)),
            ("RSS peak, KiB", whole(self.peak)),
            ("descriptors before", self.descriptors.0.to_string()),
            ("descriptors after", self.descriptors.1.to_string()),
            ("log lines", whole(self.ended.stderr.lines().count() as u64)),
            ("panics", whole(self.panics())),
            ("exit status", self.ended.status.map_or("none".to_owned(), |s| s.to_string())),
            ("verdict", if faults.is_empty() { "well".to_owned() } else { faults.join(", ") }),
        ]
    }
}

/// A column for each run, in Markdown.
pub(crate) fn table(outcomes: &[Outcome]) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["what"].into_iter().chain(outcomes.iter().map(|outcome| outcome.name)));
    let mut rows: Vec<Vec<String>> = Vec::new();
    for outcome in outcomes {
        for (place, (what, value)) in outcome.rows().into_iter().enumerate() {
            match rows.get_mut(place) {
                Some(row) => row.push(value),
                None => rows.push(vec![what.to_owned(), value]),
            }
        }
    }
    table.add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{table}\n")
}

/// A whole number with its thousands apart.
fn whole(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
