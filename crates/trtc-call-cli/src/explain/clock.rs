//! The time at which a request is judged.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::fmt::strtime;
use trtc_call_webhook::UnixSeconds;

use crate::failure::Failure;

/// The verifier's clock.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    pub(super) at: SystemTime,
    /// Whether nobody set it.
    pub(super) is_now: bool,
}

impl Clock {
    /// Reads `--at`: unix seconds, or a date and time with its zone.
    pub(super) fn new(at: Option<&str>) -> Result<Self, Failure> {
        let Some(text) = at else { return Ok(Self { at: SystemTime::now(), is_now: true }) };
        let at = read(text).ok_or_else(|| {
            Failure::new("--at must be unix seconds, or a time such as 2022-12-01T05:21:52Z")
        })?;
        Ok(Self { at, is_now: false })
    }

    /// The clock's whole seconds since 1970.
    pub(super) fn seconds(self) -> i64 {
        UnixSeconds::from(self.at).get()
    }
}

/// A time that is given.
fn read(text: &str) -> Option<SystemTime> {
    match text.parse::<i64>() {
        Ok(seconds) => from_unix(seconds),
        Err(_) => text.parse::<Timestamp>().ok().map(SystemTime::from).or_else(|| logged(text)),
    }
}

/// A time copied from an access log: `01/Dec/2022:05:21:52 +0000`.
fn logged(text: &str) -> Option<SystemTime> {
    let time = strtime::parse("%d/%b/%Y:%H:%M:%S %z", text).ok()?;
    Some(SystemTime::from(time.to_timestamp().ok()?))
}

/// So many seconds since 1970, as far as the platform's clock reaches.
pub(super) fn from_unix(seconds: i64) -> Option<SystemTime> {
    UnixSeconds::new(seconds).to_system_time()
}

/// How far something is from the clock, by its age in seconds.
pub(super) fn age_text(age: i64) -> String {
    let side = if age < 0 { "after" } else { "before" };
    format!("{} s {side} the clock", age.unsigned_abs())
}

/// The time for people, in UTC and whole seconds.
pub(super) fn text(at: SystemTime) -> String {
    let seconds = UnixSeconds::from(at).get();
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_in_every_form() {
        for at in [
            "1669872112",
            "2022-12-01T05:21:52Z",
            "2022-12-01T13:21:52+08:00",
            "01/Dec/2022:05:21:52 +0000",
            "01/Dec/2022:13:21:52 +0800",
        ] {
            let clock = Clock::new(Some(at)).unwrap();
            assert_eq!(clock.seconds(), 1_669_872_112, "{at}");
            assert_eq!(text(clock.at), "2022-12-01T05:21:52Z");
        }
        for at in ["", "yesterday", "2022-12-01", "9223372036854775808"] {
            assert!(Clock::new(Some(at)).is_err(), "{at}");
        }
    }
}
