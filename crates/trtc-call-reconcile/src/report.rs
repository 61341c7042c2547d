//! What reconciling found.

use trtc_call_inbox::ItemId;
use trtc_call_inbox::store::PutRecord;

/// What reading a span of records found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many records the vendor has of calls that ended in that time, or have not ended.
    pub records: u64,
    /// How many of them were known.
    pub known: u64,
    /// How many have no end yet, or ended so shortly ago that their callback may still be on its way.
    pub too_fresh: u64,
    /// How many do not tell what to bill, and ended less than a day ago: their callbacks may.
    pub unclear: u64,
    /// How many could not be read.
    pub unreadable: u64,
    /// How many the vendor counts and did not give, of whatever time.
    pub missing: u64,
    /// How many differ from what is known, and change nothing: nothing is to be confirmed, a worker has the
    /// item, or a handler or a person has put it away.
    pub differing: u64,
    /// The items of calls whose callback never came.
    pub found: Vec<ItemId>,
    /// The items that waited for their record, and have it.
    pub confirmed: Vec<ItemId>,
    /// The items that correct one that was worked wrongly.
    pub corrections: Vec<ItemId>,
}

impl Report {
    pub(crate) fn count(&mut self, put: PutRecord) {
        match put {
            PutRecord::Stored(item) => self.found.push(item),
            PutRecord::Confirmed(item) => self.confirmed.push(item),
            PutRecord::Corrects { item, .. } => self.corrections.push(item),
            PutRecord::Differs => self.differing = self.differing.saturating_add(1),
            _ => self.known = self.known.saturating_add(1),
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        let Self { records, known, too_fresh, unclear, unreadable, missing, differing, .. } = other;
        self.records = self.records.saturating_add(records);
        self.known = self.known.saturating_add(known);
        self.too_fresh = self.too_fresh.saturating_add(too_fresh);
        self.unreadable = self.unreadable.saturating_add(unreadable);
        self.unclear = self.unclear.saturating_add(unclear);
        self.missing = self.missing.saturating_add(missing);
        self.differing = self.differing.saturating_add(differing);
        self.found.extend(other.found);
        self.confirmed.extend(other.confirmed);
        self.corrections.extend(other.corrections);
    }
}
