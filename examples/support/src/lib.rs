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

mod output;
mod settings;

use std::error::Error;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};
#[cfg(windows)]
use tokio::signal::windows;

pub use output::{print_call, print_line, print_listening};
pub use settings::{Settings, variable};

/// The longest head of a request, in bytes.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;

/// How many connections may be open at a time; others wait. Times what one of them may hold, a head
/// or a body of the limit's size, it bounds the memory.
pub const MAX_CONNECTIONS: usize = 4096;

/// How many connections the system may keep until the server takes them. A call of many users ends
/// with many callbacks at once, and a connection beyond the backlog is tried again after a second.
const BACKLOG: i32 = 1024;

/// How long a head may take to arrive, and how long a connection may stay idle. A callback that meets
/// a connection just being closed may be lost: rather long than short, and longer than a proxy's own.
pub const HEAD_TIME: Duration = Duration::from_secs(30);

/// How long a whole body may take to arrive. Tencent waits about two seconds for the answer.
pub const BODY_TIME: Duration = Duration::from_secs(10);

/// How long a peer may leave an answer unread. Linux alone can bound that for a server.
#[cfg(target_os = "linux")]
const WRITE_TIME: Duration = Duration::from_secs(10);

/// How long requests in flight are waited for when the server stops: longer than a body may take.
pub const SHUTDOWN_TIME: Duration = Duration::from_secs(12);

/// Listens on an address.
///
/// # Errors
///
/// One sentence if it cannot.
pub fn listen(addr: SocketAddr) -> Result<TcpListener, String> {
    let listen = || {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
        // A new server must not wait for the connections of the last one.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        // Each connection inherits the next two. An answer is one small packet; it must not wait
        // for more.
        socket.set_tcp_nodelay(true)?;
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(Some(WRITE_TIME))?;
        socket.bind(&addr.into())?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        Ok(socket.into())
    };
    listen().map_err(|error: io::Error| format!("cannot listen on {addr}: {error}"))
}

/// A future that completes when the process is asked to stop, by SIGTERM or by SIGINT. From the
/// call on, not from the first poll, neither of them ends the process by itself.
///
/// # Errors
///
/// When the signals cannot be listened to.
pub fn shutdown_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    let [mut terminate, mut interrupt] =
        [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?];
    #[cfg(windows)]
    let (mut terminate, mut interrupt) = (windows::ctrl_close()?, windows::ctrl_c()?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// The exit status of a server: 0 if it stopped as asked, 2 with a sentence on standard error if not.
#[must_use]
pub fn exit_code(result: Result<(), Box<dyn Error>>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    eprintln!("{error}");
    ExitCode::from(2)
}

/// Sends the log lines of the libraries to standard error.
pub fn log_to_stderr() {
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(false).init();
}
