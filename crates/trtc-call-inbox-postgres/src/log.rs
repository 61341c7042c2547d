//! What an operator is told. Every line is here, and none holds a body, a statement, or a password.
//!
//! A server that is away must not fill a disk: of each kind of line one a minute is loud, and the others
//! log at debug.

use std::time::Instant;

use trtc_call_inbox::store::Throttle;

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

/// A connection could not be opened; it is tried again.
pub(crate) fn not_connected(place: &str, error: &str) {
    log_each_minute!(WARN, { server = place, error = error }, "no connection to PostgreSQL");
}

/// A connection was lost.
pub(crate) fn lost(place: &str, error: &str) {
    log_each_minute!(WARN, { server = place, error = error }, "a connection to PostgreSQL was lost");
}

/// Nobody has verified who the server is.
pub(crate) fn not_verified(place: &str) {
    log!(
        WARN,
        { server = place },
        "nobody verifies that this is the right PostgreSQL: sslmode=verify-full does"
    );
}

/// Commits do not come to an end: a standby is gone, mostly.
pub(crate) fn commits_hang(place: &str) {
    log_each_minute!(
        ERROR,
        { server = place },
        "commits hang in PostgreSQL, and callbacks are answered FAIL: is a synchronous standby gone?"
    );
}
