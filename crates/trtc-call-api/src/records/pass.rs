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

#[derive(Default)]
pub(super) struct Pass {
    /// How many pages were read.
    pages: u64,
    /// What the first page says of the number of all records, and its ids.
    total: Option<u64>,
    first: Vec<u128>,
    ids: HashSet<u128>,
    has_changed: bool,
    /// Whether all pages were read, and the first one is read again.
    is_checking: bool,
}

impl Pass {
    /// The page that is to be read, from 1.
    pub(super) const fn page(&self) -> u64 {
        if self.is_checking { 1 } else { self.pages.saturating_add(1) }
    }

    /// Takes the page that was to be read.
    pub(super) fn take(&mut self, total: Option<u64>, ids: Vec<u128>) -> Step {
        // One that is beyond the end may know no number.
        if self.pages > 0 && total.is_some_and(|total| total > 0) {
            self.has_changed |= total != self.total;
        }
        if self.is_checking {
            // A call that arrived and one that was forgotten leave the number as it is.
            self.has_changed |= ids != self.first;
            return if self.has_changed { Step::Changed } else { Step::Settled };
        }
        self.pages = self.pages.saturating_add(1);
        let len = count(ids.len());
        let known = self.ids.len();
        self.ids.extend(&ids);
        let read = count(self.ids.len());
        let is_whole = self.total.or(total) == Some(read);
        if self.pages == 1 {
            (self.total, self.first) = (total, ids);
            // Alone it cannot have changed. A full one might be all that the vendor has counted.
            return match len {
                0 if total.is_some_and(|total| total > 0) => Step::Changed,
                0 => Step::Settled,
                _ if len < PER_PAGE && is_whole => Step::Settled,
                _ => Step::Next,
            };
        }
        let is_last = self.ids.len() == known || len < PER_PAGE && is_whole;
        if !is_last {
            return Step::Next;
        }
        // Something has moved past, or was there twice.
        self.has_changed |= self.total.is_some_and(|total| read < total);
        if self.has_changed {
            return Step::Changed;
        }
        self.is_checking = true;
        Step::Next
    }
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
