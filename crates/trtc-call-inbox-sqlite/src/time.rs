//! Times as the tables have them: milliseconds since 1970.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A time for a column.
pub(crate) fn millis(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => span(since),
        Err(before) => span(before.duration()).saturating_neg(),
    }
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

/// The longest time that a column has: the end of it, from any time, is a whole number still.
const LONGEST: i64 = i64::MAX / 4;

/// A length of time for a column.
pub(crate) fn span(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).map_or(LONGEST, |millis| millis.min(LONGEST))
}

/// How long it is from one time to a later one; nothing if it is not later.
pub(crate) fn between(earlier: i64, later: i64) -> Duration {
    let millis = later.saturating_sub(earlier);
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}
