//! The time at which a request is judged.

use std::time::SystemTime;

use jiff::Timestamp;
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
        let at = match text.parse() {
            Ok(seconds) => from_unix(seconds),
            Err(_) => text.parse::<Timestamp>().ok().map(SystemTime::from),
        };
        at.map(|at| Self { at, is_now: false }).ok_or_else(|| {
            Failure::new("--at must be unix seconds, or a time such as 2022-12-01T05:21:52Z")
        })
    }
}

/// The whole seconds since 1970.
pub(super) fn seconds(at: SystemTime) -> i64 {
    UnixSeconds::from(at).get()
}

/// So many seconds since 1970, as far as the platform's clock reaches.
pub(super) fn from_unix(seconds: i64) -> Option<SystemTime> {
    UnixSeconds::new(seconds).to_system_time()
}

/// The time for people, in UTC and whole seconds.
pub(super) fn text(at: SystemTime) -> String {
    let seconds = seconds(at);
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}
