//! The server's clock, as far as this process has seen it.

use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// Whether the clock was set back. Then items may be put off, or leased, for longer than was asked, and are
/// looked for; so they are once for each owner of leases.
#[derive(Debug)]
pub(crate) struct Clock(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    latest: Option<SystemTime>,
    was_set_back: bool,
    /// For whom items were looked for.
    owner: Option<i64>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Seen::default()))
    }

    /// What time it was there just now.
    pub(crate) fn saw(&self, now: SystemTime) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.was_set_back |= seen.latest.is_some_and(|latest| now < latest);
        seen.latest = Some(now);
    }

    /// Whether items have to be looked for, and the latest time that was seen.
    pub(crate) fn state(&self, owner: i64) -> (bool, Option<SystemTime>) {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.was_set_back || seen.owner != Some(owner), seen.latest)
    }

    /// Items were looked for at that time, if they had to be, and whether all have been found.
    pub(crate) fn healed(&self, owner: i64, now: SystemTime, is_through: bool) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.latest = Some(now);
        seen.was_set_back = !is_through;
        seen.owner = Some(owner);
    }
}
