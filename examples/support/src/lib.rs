//! What the example servers share, so that each of them shows nothing but its framework: the
//! settings from the environment, the line for each ended call, and the bounds.

#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used,
        reason = "what a peer sends must not panic, overflow, or change a number without a word"
    )
)]

mod body;
mod line;
mod settings;
mod shutdown;

use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

pub use body::{DeadlineBody, LateBody};
pub use line::print_call;
pub use settings::{Settings, SettingsError};
pub use shutdown::shutdown_signal;

/// The longest head of a request, in bytes.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;

/// How many connections may be open at a time. Others wait until one of them ends.
///
/// Times what one of them may hold, a head or a body of the limit's size, it bounds the memory.
pub const MAX_CONNECTIONS: usize = 4096;

/// How long a head may take to arrive, and how long a connection may stay idle.
///
/// Tencent keeps connections open, and a callback that meets a connection just being closed may be
/// lost: rather long than short. Behind a proxy it must be longer than the proxy's own.
pub const HEAD_TIME: Duration = Duration::from_secs(30);

/// How long a whole body may take to arrive. Tencent waits about two seconds for the answer.
pub const BODY_TIME: Duration = Duration::from_secs(10);

/// How long requests in flight are waited for when the server stops.
pub const SHUTDOWN_TIME: Duration = Duration::from_secs(15);

/// Prints the first line of standard output, once the server accepts connections there.
///
/// # Errors
///
/// When standard output cannot be written.
pub fn print_listening(scheme: &str, addr: SocketAddr) -> io::Result<()> {
    writeln!(io::stdout(), "listening on {scheme}://{addr}/callback")
}

/// The exit status of a server: 0 if it stopped as asked, 2 with a sentence on standard error if not.
#[must_use]
pub fn exit_code(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Sends the log lines of the libraries to standard error.
pub fn log_to_stderr() {
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(false).init();
}
