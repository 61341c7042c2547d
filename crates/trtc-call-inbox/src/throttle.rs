//! Log lines that a flood can cause: of each kind one a minute is loud.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a kind of line stays quiet after it was loud.
const QUIET: Duration = Duration::from_secs(60);

/// Lets one line of a kind through in a while.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<Throttled>);

#[derive(Debug, Default)]
struct Throttled {
    /// When the last loud line was.
    last: Option<Instant>,
    /// How many were quiet since.
    since: u64,
}

impl Throttle {
    /// The next line is loud.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(Throttled { last: None, since: 0 }))
    }

    /// How many were quiet since the last loud line, if this one is to be loud.
    pub fn loud(&self, now: Instant) -> Option<u64> {
        let mut throttled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if throttled.last.is_some_and(|last| now.saturating_duration_since(last) < QUIET) {
            throttled.since = throttled.since.saturating_add(1);
            return None;
        }
        throttled.last = Some(now);
        Some(std::mem::take(&mut throttled.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_loud_once_a_minute_with_how_many_there_were_since() {
        let (throttle, start) = (Throttle::new(), Instant::now());
        let loud = |seconds| throttle.loud(start + Duration::from_secs(seconds));
        assert_eq!(loud(0), Some(0));
        assert_eq!(loud(0), None);
        assert_eq!(loud(59), None);
        assert_eq!(loud(60), Some(2));
        assert_eq!(loud(61), None);
        assert_eq!(loud(1000), Some(1));
    }
}
