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
    /// When the last loud line was, and how many were quiet since.
    static LAST: Mutex<(Option<Instant>, u64)> = Mutex::new((None, 0));

    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Instant::now();
    if last.0.is_some_and(|last| now.saturating_duration_since(last) < QUIET) {
        last.1 = last.1.saturating_add(1);
        return;
    }
    let since = last.1;
    *last = (Some(now), 0);
    let error: &(dyn std::error::Error + 'static) = error;
    log!(WARN, { error = error, since = since }, "call record cannot be read: left out");
}

/// A second of records changed each time that it was read.
pub(crate) fn unsettled(span: &RangeInclusive<u64>) {
    let (from, to) = (*span.start(), *span.end());
    log!(
        WARN,
        { from = from, to = to },
        "call records of a second changed whenever they were read: one may be missing"
    );
}
