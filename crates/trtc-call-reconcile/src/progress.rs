//! How far reconciling got, as the store keeps it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use trtc_call_api::Record;

/// How far a span reaches back before the end of the last one: calls that take no longer than this are found
/// by it, whether the vendor looks for their start or for their end.
pub(crate) const OVERLAP: Duration = Duration::from_secs(2 * 60 * 60);

/// How long before a record is forgotten it is left alone: if a call's callback came, its key may be forgotten
/// as long after it, and clocks differ.
pub(crate) const MARGIN: Duration = Duration::from_secs(60 * 60);

/// In unix seconds. A later version may add to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Calls that ended earlier are left alone.
    #[serde(default)]
    since: Option<u64>,
    /// Up to when the last records were read.
    #[serde(default)]
    read: Option<u64>,
    /// When all that the vendor keeps was read.
    #[serde(default)]
    read_all: Option<u64>,
}

impl Progress {
    /// Reads what was kept; what cannot be read is as if nothing was.
    pub(crate) fn read(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    pub(crate) fn to_json(self) -> String {
        serde_json::to_string(&self).unwrap_or_default()
    }

    /// From when on calls are looked at: what is set, or what was so at the first time.
    pub(crate) fn since(&mut self, set: Option<SystemTime>, now: SystemTime) -> SystemTime {
        let first = || seconds(before(now, OVERLAP));
        // A clock that was ahead at the first time is no reason to leave calls alone.
        let kept = self.since.filter(|since| time(*since) <= now);
        let since = set.map_or_else(|| kept.unwrap_or_else(first), seconds);
        self.since = Some(since);
        time(since)
    }

    /// Whether nothing was read before.
    pub(crate) fn is_new(&self) -> bool {
        self.since.is_none()
    }

    /// In how long it is to be gone on.
    pub(crate) fn due_in(&self, every: Duration, now: SystemTime) -> Duration {
        // A clock that was set back holds nothing up.
        let read = self.read.map(time).filter(|read| *read <= now);
        let next = read.and_then(|read| read.checked_add(every));
        next.and_then(|next| next.duration_since(now).ok()).unwrap_or_default()
    }

    /// From when on records are to be read now, and whether these are all that the vendor keeps.
    pub(crate) fn next(&self, wide_every: Duration, now: SystemTime) -> (SystemTime, bool) {
        let oldest = before(now, Record::KEPT_FOR);
        let is_wide = |all: u64| now.duration_since(time(all)).is_ok_and(|age| age < wide_every);
        match self.read {
            Some(read) if self.read_all.is_some_and(is_wide) => {
                (before(time(read).min(now), OVERLAP).max(oldest), false)
            }
            _ => (oldest, true),
        }
    }

    /// Records were read up to this time.
    pub(crate) fn has_read(&mut self, until: SystemTime, is_all: bool) {
        self.read = Some(seconds(until));
        if is_all {
            self.read_all = self.read;
        }
    }
}

/// So long before; the beginning of time if there is no such.
pub(crate) fn before(time: SystemTime, by: Duration) -> SystemTime {
    time.checked_sub(by).unwrap_or(UNIX_EPOCH)
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn time(seconds: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);
    const KEPT: Duration = Record::KEPT_FOR;

    #[test]
    fn all_is_read_at_first_and_now_and_then() {
        let now = time(1_800_000_000);
        let mut progress = Progress::default();
        assert_eq!(progress.due_in(HOUR, now), Duration::ZERO);
        assert_eq!(progress.next(6 * HOUR, now), (now - KEPT, true));
        progress.has_read(now, true);
        assert_eq!(Progress::read(Some(&progress.to_json())), progress);
        let later = now + HOUR / 2;
        assert_eq!(progress.due_in(HOUR, later), HOUR / 2);
        assert_eq!(progress.next(6 * HOUR, now + HOUR), (now - OVERLAP, false));
        progress.has_read(now + HOUR, false);
        assert_eq!(progress.next(6 * HOUR, now + 6 * HOUR), (now + 6 * HOUR - KEPT, true));
        // It stood still for longer than the vendor keeps records.
        let much_later = now + 2 * KEPT;
        assert_eq!(progress.next(4 * KEPT, much_later), (much_later - KEPT, false));
    }

    #[test]
    fn a_clock_that_was_set_back_holds_nothing_up() {
        let now = time(1_800_000_000);
        let mut progress = Progress::default();
        progress.has_read(now, true);
        let earlier = now - 10 * HOUR;
        assert_eq!(progress.due_in(HOUR, earlier), Duration::ZERO);
        assert_eq!(progress.next(6 * HOUR, earlier), (earlier - KEPT, true));
    }

    #[test]
    fn calls_before_the_first_time_are_left_alone() {
        let now = time(1_800_000_000);
        let mut progress = Progress::default();
        assert_eq!(progress.since(None, now), now - OVERLAP);
        assert_eq!(progress.since(None, now + 10 * HOUR), now - OVERLAP);
        assert_eq!(progress.since(Some(now), now + 10 * HOUR), now);
        let much_earlier = now - 1000 * HOUR;
        assert_eq!(
            progress.since(None, much_earlier),
            much_earlier - OVERLAP,
            "the clock was ahead"
        );
    }

    #[test]
    fn what_cannot_be_read_is_nothing() {
        for text in ["", "7", "{}", r#"{"read":"x"}"#, r#"{"later":1}"#] {
            assert_eq!(Progress::read(Some(text)), Progress::default(), "{text}");
        }
    }
}
