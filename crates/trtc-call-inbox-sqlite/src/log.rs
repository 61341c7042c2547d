//! What an operator is told. Every line is here, and none holds a body or a statement.
//!
//! A disk that fails must not be filled: of each kind of line one a minute is loud, and the others log at
//! debug.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Failure;

#[cfg(feature = "tracing")]
macro_rules! log {
    ($level:ident, { $($field:ident = $value:expr),* }, $message:literal) => {
        tracing::event!(
            target: "trtc_call_inbox", tracing::Level::$level, $($field = $value,)* $message
        )
    };
}

#[cfg(not(feature = "tracing"))]
macro_rules! log {
    ($level:ident, { $($field:ident = $value:expr),* }, $message:literal) => {{
        $(let _ = $value;)*
    }};
}

/// A line of which one a minute is loud.
macro_rules! log_each_minute {
    ($level:ident, { $($field:ident = $value:expr),* }, $message:literal) => {{
        static THROTTLE: Throttle = Throttle::new();
        if THROTTLE.is_loud(Instant::now()) {
            log!($level, { $($field = $value),* }, $message);
        } else {
            log!(DEBUG, { $($field = $value),* }, $message);
        }
    }};
}

/// How long a kind of line stays quiet after it was loud.
const QUIET: Duration = Duration::from_secs(60);

/// Somebody's statements took long: nothing could be stored meanwhile.
pub(crate) fn slow_statements(took: Duration) {
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    log_each_minute!(WARN, { millis = millis }, "statements held the writer for too long");
}

/// The file is not used further, and is opened again.
pub(crate) fn abandoned(path: &Path, failure: &Failure) {
    let (path, failure) = (path.display().to_string(), failure.kind());
    log_each_minute!(WARN, { path = path, failure = format_args!("{failure:?}") }, "the inbox is opened again");
}

/// A file is gone, and its log is kept under another name.
pub(crate) fn log_put_aside(aside: &Path) {
    let aside = aside.display().to_string();
    log!(
        ERROR,
        { aside = aside },
        "a file is gone, and its log is kept beside: callbacks may be in it"
    );
}

/// The log of SQLite could not be written back; it is tried again.
pub(crate) fn checkpoint_failed(error: &rusqlite::Error) {
    log_each_minute!(WARN, { error = error.to_string() }, "a checkpoint failed");
}

/// When the last loud line was.
struct Throttle(Mutex<Option<Instant>>);

impl Throttle {
    const fn new() -> Self {
        Self(Mutex::new(None))
    }

    fn is_loud(&self, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_loud = last.is_none_or(|last| now.saturating_duration_since(last) >= QUIET);
        if is_loud {
            *last = Some(now);
        }
        is_loud
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_loud_once_a_minute() {
        let (throttle, start) = (Throttle::new(), Instant::now());
        let is_loud = |seconds| throttle.is_loud(start + Duration::from_secs(seconds));
        assert!(is_loud(0));
        assert!(!is_loud(1));
        assert!(!is_loud(59));
        assert!(is_loud(60));
        assert!(!is_loud(61));
    }
}
