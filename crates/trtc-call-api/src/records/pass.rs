//! One reading of a part, page by page, and whether the list behind it stood still.

use std::collections::HashSet;

use super::page::PER_PAGE;

/// What is to be done after a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Read the next page: [`Pass::page`].
    Next,
    /// The part was read whole.
    Settled,
    /// The list changed while it was read: a record may have moved past.
    Changed,
}

/// A part of one page is read once. One of more is read twice, and must be the same both times: how many
/// there are says too little, since a call that arrived and one that was forgotten leave it as it is.
#[derive(Default)]
pub(super) struct Pass {
    /// What the first page said of the number of all records.
    total: Option<u64>,
    /// The ids of each page that was not empty.
    pages: Vec<Vec<u128>>,
    /// How many pages were read again, once all were read.
    checked: Option<usize>,
    /// It is read to its end nevertheless: what is seen is seen.
    has_changed: bool,
}

impl Pass {
    /// The page that is to be read, from 1.
    pub(super) fn page(&self) -> u64 {
        count(self.checked.unwrap_or(self.pages.len())).saturating_add(1)
    }

    /// Takes the page that was to be read.
    pub(super) fn take(&mut self, total: Option<u64>, ids: Vec<u128>) -> Step {
        if self.pages.is_empty() {
            self.total = total;
        } else if !ids.is_empty() {
            self.has_changed |= total != self.total;
        }
        if let Some(checked) = self.checked {
            return self.check(checked, &ids);
        }
        let known: HashSet<_> = self.pages.iter().flatten().copied().collect();
        let read = known.union(&ids.iter().copied().collect()).count();
        // A full page might be all that the vendor has counted.
        let is_whole = count(ids.len()) < PER_PAGE && self.total == Some(count(read));
        // An empty page is the end, and so is one that only repeats.
        let has_new = read > known.len();
        if has_new {
            self.pages.push(ids);
        }
        match self.pages.len() {
            _ if has_new && !is_whole => Step::Next,
            _ if self.has_changed => Step::Changed,
            0 => Step::Settled,
            1 if is_whole => Step::Settled,
            _ => {
                self.checked = Some(0);
                Step::Next
            }
        }
    }

    /// How many records the vendor counted that no page had.
    pub(super) fn missing(&self) -> u64 {
        let read: HashSet<_> = self.pages.iter().flatten().collect();
        self.total.unwrap_or(0).saturating_sub(count(read.len()))
    }

    /// Compares a page with what it was before.
    fn check(&mut self, checked: usize, ids: &[u128]) -> Step {
        if self.has_changed || self.pages.get(checked).is_none_or(|page| page != ids) {
            return Step::Changed;
        }
        let checked = checked.saturating_add(1);
        self.checked = Some(checked);
        if checked < self.pages.len() { Step::Next } else { Step::Settled }
    }
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
