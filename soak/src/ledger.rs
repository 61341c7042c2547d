//! The proof: which lines are due, and which were printed.

use crate::call::Line;
use crate::callback::{self, Callback};

/// Whether an example has to print a callback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Due {
    /// It must not: the callback was refused, has no event for it, or was never sent.
    #[default]
    None,
    /// It may, once: nobody knows whether the callback was handled.
    Perhaps,
    /// It must, once: the callback was acknowledged.
    One,
}

/// A callback takes two bytes, whatever is in it.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    due: Due,
    /// How often it was printed.
    lines: u8,
}

/// What is known of every callback of a run.
#[derive(Debug)]
pub(crate) struct Ledger {
    seed: u64,
    entries: Vec<Entry>,
    lines: u64,
    alien: u64,
    wrong: u64,
}

/// What does not add up, and how many lines there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Lines that were printed.
    pub(crate) lines: u64,
    /// Callbacks that had to be printed, and were not.
    pub(crate) lost: u64,
    /// Callbacks that were printed more than once.
    pub(crate) doubled: u64,
    /// Lines that are not about a callback of the run, and callbacks that must not be printed and
    /// were.
    pub(crate) foreign: u64,
    /// Lines that say something else than the callback.
    pub(crate) wrong: u64,
}

impl Ledger {
    /// Of a run of so many callbacks.
    pub(crate) fn new(seed: u64, callbacks: u64) -> Self {
        let entries = vec![Entry::default(); callbacks as usize];
        Self { seed, entries, lines: 0, alien: 0, wrong: 0 }
    }

    /// What has come of a callback that was sent.
    pub(crate) fn sent(&mut self, number: u64, due: Due) {
        self.entries[number as usize].due = due;
    }

    /// A line of the example's, with the end of the line.
    pub(crate) fn printed(&mut self, text: &[u8]) {
        self.lines += 1;
        if self.note(text).is_none() {
            self.alien += 1;
        }
    }

    fn note(&mut self, text: &[u8]) -> Option<()> {
        let line: Line = serde_json::from_slice(text.strip_suffix(b"\n")?).ok()?;
        let number = callback::number(self.seed, &line.call_id)?;
        let entry = self.entries.get_mut(number as usize)?;
        entry.lines = entry.lines.saturating_add(1);
        if line != *Callback::new(self.seed, number).line() {
            self.wrong += 1;
        }
        Some(())
    }

    /// To be asked once all lines have been read.
    pub(crate) fn verdict(&self) -> Verdict {
        let (lines, wrong) = (self.lines, self.wrong);
        let mut verdict = Verdict { lines, wrong, foreign: self.alien, ..Verdict::default() };
        for entry in &self.entries {
            match (entry.due, entry.lines) {
                (Due::None, 0) | (Due::Perhaps, 0 | 1) | (Due::One, 1) => {}
                (Due::None, _) => verdict.foreign += 1,
                (Due::One, 0) => verdict.lost += 1,
                (Due::One | Due::Perhaps, _) => verdict.doubled += 1,
            }
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: u64 = 9;

    fn line(number: u64) -> Vec<u8> {
        let mut text = serde_json::to_vec(Callback::new(SEED, number).line()).unwrap();
        text.push(b'\n');
        text
    }

    /// The verdict over a run of ten whose first two callbacks were acknowledged, whose third may
    /// have been handled, and whose fourth was refused.
    fn verdict(lines: &[Vec<u8>]) -> Verdict {
        let mut ledger = Ledger::new(SEED, 10);
        let (before, after) = lines.split_at(lines.len() / 2);
        before.iter().for_each(|line| ledger.printed(line));
        for (number, due) in [(0, Due::One), (1, Due::One), (2, Due::Perhaps), (3, Due::None)] {
            ledger.sent(number, due);
        }
        after.iter().for_each(|line| ledger.printed(line));
        ledger.verdict()
    }

    #[test]
    fn what_is_due_may_come_in_any_order() {
        assert_eq!(verdict(&[line(1), line(0)]), Verdict { lines: 2, ..Verdict::default() });
        let all = [line(2), line(1), line(0)];
        assert_eq!(verdict(&all), Verdict { lines: 3, ..Verdict::default() });
    }

    #[test]
    fn a_line_that_does_not_come_is_lost() {
        assert_eq!(verdict(&[line(0)]), Verdict { lines: 1, lost: 1, ..Verdict::default() });
        assert_eq!(verdict(&[]), Verdict { lost: 2, ..Verdict::default() });
    }

    #[test]
    fn a_line_that_comes_again_is_doubled() {
        let all = [line(0), line(1), line(1)];
        assert_eq!(verdict(&all), Verdict { lines: 3, doubled: 1, ..Verdict::default() });
        let all = [line(0), line(2), line(1), line(2)];
        assert_eq!(verdict(&all), Verdict { lines: 4, doubled: 1, ..Verdict::default() });
        let mut all = vec![line(0); 300];
        all.push(line(1));
        assert_eq!(verdict(&all), Verdict { lines: 301, doubled: 1, ..Verdict::default() });
    }

    #[test]
    fn one_doubled_does_not_make_up_for_one_lost() {
        let expected = Verdict { lines: 2, lost: 1, doubled: 1, ..Verdict::default() };
        assert_eq!(verdict(&[line(0), line(0)]), expected);
    }

    #[test]
    fn a_line_of_what_was_refused_or_not_sent_is_foreign() {
        for number in [3, 4, 9] {
            let all = [line(number), line(0), line(1)];
            assert_eq!(verdict(&all), Verdict { lines: 3, foreign: 1, ..Verdict::default() });
        }
    }

    #[test]
    fn a_line_that_is_none_of_the_run_is_foreign() {
        let whole = line(0);
        let other_run = String::from_utf8(line(0)).unwrap().replacen('9', "8", 1).into_bytes();
        let cut = whole[..whole.len() - 1].to_vec();
        let more = [b"x".to_vec(), whole].concat();
        for odd in [b"\n".to_vec(), b"{}\n".to_vec(), other_run, cut, more, line(10)] {
            let all = [odd, line(0), line(1)];
            let expected = Verdict { lines: 3, foreign: 1, ..Verdict::default() };
            assert_eq!(verdict(&all), expected, "{}", String::from_utf8_lossy(&all[0]));
        }
    }

    #[test]
    fn each_field_is_compared() {
        let right: serde_json::Value = serde_json::from_slice(&line(0)).unwrap();
        for field in ["result", "caller", "callees", "talk_seconds"] {
            let mut wrong = right.clone();
            wrong[field] = match &wrong[field] {
                serde_json::Value::Array(_) => serde_json::json!(["x"]),
                serde_json::Value::Number(_) => serde_json::json!(123_456_789),
                _ => serde_json::json!("x"),
            };
            let wrong = format!("{wrong}\n").into_bytes();
            let expected = Verdict { lines: 2, wrong: 1, ..Verdict::default() };
            assert_eq!(verdict(&[wrong, line(1)]), expected, "{field}");
        }
    }
}
