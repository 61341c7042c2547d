//! The server's clock, as far as this process has seen it.

use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// Whether the clock was set back. Then items may be put off for longer than was asked, and are looked
/// for; so they are once at the start.
#[derive(Debug)]
pub(crate) struct Clock(Mutex<Seen>);

#[derive(Debug)]
struct Seen {
    latest: Option<SystemTime>,
    was_set_back: bool,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Seen { latest: None, was_set_back: true }))
    }

    /// What time it was there just now.
    pub(crate) fn saw(&self, now: SystemTime) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.was_set_back |= seen.latest.is_some_and(|latest| now < latest);
        seen.latest = Some(now);
    }

    /// Whether items have to be looked for, and the latest time that was seen.
    pub(crate) fn state(&self) -> (bool, Option<SystemTime>) {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.was_set_back, seen.latest)
    }

    /// Items were looked for at that time, and whether all have been found.
    pub(crate) fn healed(&self, now: SystemTime, is_through: bool) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.latest = Some(now);
        seen.was_set_back = !is_through;
    }
}
