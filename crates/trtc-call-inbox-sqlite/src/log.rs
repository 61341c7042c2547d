//! What an operator is told. Every line is here, and none holds a body or a statement.

use std::path::Path;
use std::time::Duration;

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

/// Somebody's statements took long: nothing could be stored meanwhile.
pub(crate) fn slow_statements(took: Duration) {
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    log!(WARN, { millis = millis }, "statements held the writer for too long");
}

/// The file is not used further, and is opened again.
pub(crate) fn abandoned(path: &Path, failure: &Failure) {
    let (path, failure) = (path.display().to_string(), failure.kind());
    log!(WARN, { path = path, failure = format_args!("{failure:?}") }, "the inbox is opened again");
}

/// The log of SQLite could not be written back; it is tried again.
pub(crate) fn checkpoint_failed(error: &rusqlite::Error) {
    log!(WARN, { error = error.to_string() }, "a checkpoint failed");
}
