//! Times and spans of time, read and written as people do.

use std::time::{Duration, SystemTime};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp};
use trtc_call_webhook::UnixSeconds;

/// The whole seconds since 1970.
pub(crate) fn seconds(at: SystemTime) -> i64 {
    UnixSeconds::from(at).get()
}

/// So many seconds since 1970, as far as the platform's clock reaches.
pub(crate) fn from_unix(seconds: i64) -> Option<SystemTime> {
    UnixSeconds::new(seconds).to_system_time()
}

/// The time for people, in UTC and whole seconds.
pub(crate) fn text(at: SystemTime) -> String {
    let seconds = seconds(at);
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

/// Reads a span such as `90s`, `2h` or `7d`.
pub(crate) fn span(text: &str) -> Result<Duration, &'static str> {
    let span = text.parse().and_then(|span: Span| {
        // A day of a clock that is set twice a year is nothing to a store.
        span.to_duration(SpanRelativeTo::days_are_24_hours())
    });
    span.ok().and_then(|span| span.try_into().ok()).ok_or("a time such as 90s, 2h or 7d")
}

/// Reads a moment: with its zone, or in UTC, or so long ago.
pub(crate) fn moment(text: &str) -> Result<SystemTime, &'static str> {
    let ago = || SystemTime::now().checked_sub(span(text).ok()?);
    let utc = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    let zoned = text.parse::<Timestamp>().ok();
    zoned.or_else(|| Some(utc()?.timestamp())).map(SystemTime::from).or_else(ago).ok_or(
        "a time such as 2026-03-01T08:00:00Z, a day such as 2026-03-01, or so long ago: 2h, 7d",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_in_three_ways() {
        let midnight = from_unix(1_772_323_200);
        for same in ["2026-03-01", "2026-03-01T00:00:00Z", "2026-03-01T01:00+01:00"] {
            assert_eq!(moment(same).ok(), midnight, "{same}");
        }
        let yesterday = moment("1d").unwrap();
        let day = SystemTime::now().duration_since(yesterday).unwrap();
        assert!((86_400..86_500).contains(&day.as_secs()), "{day:?}");
        for wrong in ["", "noon", "-2h", "1mo", "2026-13-01", "7"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
