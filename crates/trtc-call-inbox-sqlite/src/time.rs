//! Times as the tables have them: milliseconds since 1970.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use trtc_call_inbox::store::FOR_EVER;

/// A time for a column.
pub(crate) fn millis(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => whole_millis(since),
        Err(before) => whole_millis(before.duration()).saturating_neg(),
    }
}

fn whole_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A time from a column.
pub(crate) fn time(millis: i64) -> SystemTime {
    let distance = Duration::from_millis(millis.unsigned_abs());
    let time = if millis < 0 {
        UNIX_EPOCH.checked_sub(distance)
    } else {
        UNIX_EPOCH.checked_add(distance)
    };
    time.unwrap_or(UNIX_EPOCH)
}

/// A length of time for a column: never so long that a statement could not add it to a time.
pub(crate) fn span(duration: Duration) -> i64 {
    whole_millis(duration.min(FOR_EVER))
}

/// How long it is from one time to a later one; nothing if it is not later.
pub(crate) fn between(earlier: i64, later: i64) -> Duration {
    let millis = later.saturating_sub(earlier);
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}
