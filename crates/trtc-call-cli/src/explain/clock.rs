//! The time at which a request is judged.

use std::time::SystemTime;

use jiff::Timestamp;

use crate::failure::Failure;
use crate::time;

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
            Ok(seconds) => time::from_unix(seconds),
            Err(_) => text.parse::<Timestamp>().ok().map(SystemTime::from),
        };
        at.map(|at| Self { at, is_now: false }).ok_or_else(|| {
            Failure::new("--at must be unix seconds, or a time such as 2022-12-01T05:21:52Z")
        })
    }
}
