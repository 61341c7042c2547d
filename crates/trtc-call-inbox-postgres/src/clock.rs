//! The server's clock, as far as this process has seen it.

use std::sync::{Mutex, MutexGuard, PoisonError};
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

    /// The latest time that was seen: asked for before a statement, for [`saw`](Self::saw).
    pub(crate) fn latest(&self) -> Option<SystemTime> {
        self.seen().latest
    }

    /// What time it was when a statement was run, and what had been the latest before it was sent. Answers
    /// come in any order: only with a time before that one the clock was set back.
    pub(crate) fn saw(&self, before: Option<SystemTime>, now: SystemTime) {
        self.seen().look_at(before, now);
    }

    /// Whether items have to be looked for, and the latest time that was seen.
    pub(crate) fn state(&self, owner: i64) -> (bool, Option<SystemTime>) {
        let seen = self.seen();
        (seen.was_set_back || seen.owner != Some(owner), seen.latest)
    }

    /// After items were looked for, if they had to be by that [`state`](Self::state) or since the clock was
    /// set back: whether all have been found.
    pub(crate) fn healed(
        &self,
        owner: i64,
        (heals, before): (bool, Option<SystemTime>),
        now: SystemTime,
        is_through: bool,
    ) {
        let mut seen = self.seen();
        seen.look_at(before, now);
        if heals || before.is_some_and(|before| now < before) {
            seen.was_set_back = !is_through;
            seen.owner = Some(owner);
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn look_at(&mut self, before: Option<SystemTime>, now: SystemTime) {
        let is_set_back = before.is_some_and(|before| now < before);
        self.was_set_back |= is_set_back;
        if is_set_back || self.latest.is_none_or(|latest| latest < now) {
            self.latest = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn at(second: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(second)
    }

    /// Looking for items reads all that wait.
    #[test]
    fn answers_that_overtake_each_other_are_no_clock_that_was_set_back() {
        let clock = Clock::new();
        clock.healed(1, clock.state(1), at(1), true);
        let (first, second) = (clock.latest(), clock.latest());
        clock.saw(second, at(3));
        clock.saw(first, at(2));
        assert_eq!(clock.state(1), (false, Some(at(3))));
        let before = clock.latest();
        clock.saw(before, at(2));
        assert_eq!(clock.state(1), (true, Some(at(2))));
    }

    /// A lease that did not look for items is no reason not to.
    #[test]
    fn what_another_statement_saw_meanwhile_is_not_forgotten() {
        let clock = Clock::new();
        clock.healed(1, clock.state(1), at(5), true);
        let lease = clock.state(1);
        clock.saw(clock.latest(), at(2));
        clock.healed(1, lease, at(6), true);
        assert!(clock.state(1).0);
        clock.healed(1, clock.state(1), at(7), false);
        assert!(clock.state(1).0);
        clock.healed(1, clock.state(1), at(8), true);
        assert!(!clock.state(1).0 && clock.state(2).0);
    }
}
