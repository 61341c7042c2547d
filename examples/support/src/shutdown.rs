//! When to stop.

use std::io;

/// Completes when the process is asked to stop, by SIGTERM or by SIGINT.
///
/// # Errors
///
/// When the signals cannot be listened to.
#[cfg(unix)]
pub async fn shutdown_signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Completes when the process is asked to stop, by Ctrl-C.
///
/// # Errors
///
/// When it cannot be listened to.
#[cfg(not(unix))]
pub async fn shutdown_signal() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
