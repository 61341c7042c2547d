//! Unix times with their unit in the type: the vendor mixes seconds and milliseconds.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

macro_rules! unix_time {
    ($(#[$doc:meta])* $name:ident, $unit:literal, $duration:path) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            #[doc = concat!("A time of so many ", $unit, " since 1970, negative before.")]
            #[must_use]
            pub const fn new(value: i64) -> Self {
                Self(value)
            }

            #[doc = concat!("The number of ", $unit, " since 1970.")]
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }

            /// The time as the standard library has it, or `None` where the platform's clock
            /// does not reach that far.
            #[must_use]
            pub fn to_system_time(self) -> Option<SystemTime> {
                let distance = $duration(self.0.unsigned_abs());
                if self.0 < 0 {
                    UNIX_EPOCH.checked_sub(distance)
                } else {
                    UNIX_EPOCH.checked_add(distance)
                }
            }

            /// How long after `earlier` this is, or `None` if it is before it.
            #[must_use]
            pub fn since(self, earlier: Self) -> Option<Duration> {
                (self >= earlier).then(|| $duration(self.0.abs_diff(earlier.0)))
            }
        }

        impl From<i64> for $name {
            fn from(value: i64) -> Self {
                Self(value)
            }
        }

        impl From<$name> for i64 {
            fn from(time: $name) -> Self {
                time.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<SystemTime> for $name {
            /// Cuts the fraction off; a time that does not fit becomes the nearest that does.
            fn from(time: SystemTime) -> Self {
                const UNIT: u128 = $duration(1).as_nanos();
                let units = |distance: Duration| distance.as_nanos().checked_div(UNIT);
                Self(match time.duration_since(UNIX_EPOCH) {
                    Ok(after) => units(after).and_then(|n| n.try_into().ok()).unwrap_or(i64::MAX),
                    Err(before) => units(before.duration())
                        .and_then(|n| i64::try_from(n).ok())
                        .map_or(i64::MIN, |n| n.saturating_neg()),
                })
            }
        }
    };
}

unix_time! {
    /// Unix time in whole seconds: `StartTime`, `AcceptTime` and `EndTime` of a call record.
    UnixSeconds, "seconds", Duration::from_secs
}

impl UnixSeconds {
    /// Whether a time of today can be meant, in seconds: from 2001 on, and not in milliseconds.
    pub(super) const fn is_in_seconds(self) -> bool {
        matches!(self.0, 1_000_000_000..100_000_000_000)
    }
}

unix_time! {
    /// Unix time in whole milliseconds: `EventTime` of every callback.
    ///
    /// It says when the event came about, not when the callback was sent. The vendor's own sample
    /// has one that is 14 months before its call: never hold it against the record's times.
    UnixMillis, "milliseconds", Duration::from_millis
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_total() {
        let (least, most) = (UnixSeconds::new(i64::MIN), UnixSeconds::new(i64::MAX));
        assert_eq!(most.since(least), Some(Duration::from_secs(u64::MAX)));
        assert_eq!(least.since(most), None);
        assert_eq!(least.since(least), Some(Duration::ZERO));
    }

    #[test]
    fn converts_to_and_from_system_time() {
        for seconds in [0, 1, -1, 1_741_231_146, 1 << 40] {
            let time = UnixSeconds::new(seconds).to_system_time().unwrap();
            assert_eq!(UnixSeconds::from(time).get(), seconds);
            assert_eq!(UnixMillis::from(time).get(), seconds * 1000);
        }
        // Not every platform's clock reaches these; none may panic.
        let _ = UnixSeconds::new(i64::MIN).to_system_time();
        let _ = UnixMillis::new(i64::MAX).to_system_time();
    }
}
