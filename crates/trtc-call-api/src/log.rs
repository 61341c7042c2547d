//! What an operator is told. Every line is here, and none holds a URL, a UserSig, a body or a user id.

use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::Error;

/// One line, with fields for whoever counts or filters; a field that is `None` is left out.
#[cfg(feature = "tracing")]
macro_rules! log {
    ($level:ident, { $($field:ident = $value:expr),* }, $message:literal) => {
        tracing::event!(
            target: "trtc_call_api", tracing::Level::$level, $($field = $value,)* $message
        )
    };
}

#[cfg(not(feature = "tracing"))]
macro_rules! log {
    ($level:ident, { $($field:ident = $value:expr),* }, $message:literal) => {{
        $(let _ = $value;)*
        let _ = format_args!($message);
    }};
}

/// How long a line stays quiet after it was loud.
const QUIET: Duration = Duration::from_secs(60);

/// A request was answered, or not.
pub(crate) fn requested(
    path: &str,
    started: Instant,
    request_id: Option<&str>,
    error: Option<&Error>,
) {
    let request_id = error.map_or(request_id, Error::request_id);
    let code = error.map_or(Some(0), |error| error.code().map(|code| code.0));
    let milliseconds = u64::try_from(started.elapsed().as_millis()).ok();
    let error = error.map(|error| -> &(dyn std::error::Error + 'static) { error });
    log!(
        DEBUG,
        {
            path = path, code = code, request_id = request_id, milliseconds = milliseconds,
            error = error
        },
        "vendor asked"
    );
}

/// A request is tried again after a while.
pub(crate) fn tried_again(path: &str, error: &Error, wait: Duration) {
    let error: &(dyn std::error::Error + 'static) = error;
    let milliseconds = u64::try_from(wait.as_millis()).ok();
    log!(DEBUG, { path = path, error = error, milliseconds = milliseconds }, "vendor asked again later");
}

/// A record of a list is left out: it has no call id, or one of ours cannot be read.
pub(crate) fn unreadable(error: &trtc_call_webhook::Error) {
    static THROTTLE: Throttle = Throttle::new();
    let error: &(dyn std::error::Error + 'static) = error;
    if let Some(since) = THROTTLE.loud(Instant::now()) {
        log!(WARN, { error = error, since = since }, "call record cannot be read: left out");
    }
}

/// The smallest part of a span changed each time that it was read.
pub(crate) fn unsettled(span: &RangeInclusive<u64>) {
    static THROTTLE: Throttle = Throttle::new();
    let (from, to) = (*span.start(), *span.end());
    if let Some(since) = THROTTLE.loud(Instant::now()) {
        log!(
            WARN,
            { from = from, to = to, since = since },
            "call records changed each time that they were read: one may be missing"
        );
    }
}

/// The vendor counts more records than it gives.
pub(crate) fn missing(missing: u64) {
    static THROTTLE: Throttle = Throttle::new();
    if let Some(since) = THROTTLE.loud(Instant::now()) {
        log!(
            WARN,
            { missing = missing, since = since },
            "the vendor counts more call records than it gives"
        );
    }
}

/// Lets one line of a kind through in a while.
struct Throttle(Mutex<(Option<Instant>, u64)>);

impl Throttle {
    const fn new() -> Self {
        Self(Mutex::new((None, 0)))
    }

    /// How many were quiet since the last loud line, if this one is to be loud.
    fn loud(&self, now: Instant) -> Option<u64> {
        let mut throttled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, since) = &mut *throttled;
        if last.is_some_and(|last| now.saturating_duration_since(last) < QUIET) {
            *since = since.saturating_add(1);
            return None;
        }
        *last = Some(now);
        Some(std::mem::take(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_loud_once_a_minute_with_how_many_there_were_since() {
        let (throttle, start) = (Throttle::new(), Instant::now());
        let loud = |seconds| throttle.loud(start + Duration::from_secs(seconds));
        assert_eq!([loud(0), loud(0), loud(59), loud(60)], [Some(0), None, None, Some(2)]);
    }
}
