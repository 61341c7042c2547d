//! What an operator is told. Every line is here, and none holds a body or a statement.
//!
//! A disk that fails must not be filled: of each kind of line one a minute is loud, and the others log at
//! debug.

use std::path::Path;
use std::time::{Duration, Instant};

use trtc_call_inbox::store::Throttle;

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
        if THROTTLE.loud(Instant::now()).is_some() {
            log!($level, { $($field = $value),* }, $message);
        } else {
            log!(DEBUG, { $($field = $value),* }, $message);
        }
    }};
}

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
