//! When to stop.

use std::future::Future;
use std::io;

/// A future that completes when the process is asked to stop, by SIGTERM or by SIGINT. From the
/// call on, not from the first poll, neither of them ends the process by itself.
///
/// # Errors
///
/// When the signals cannot be listened to.
#[cfg(unix)]
pub fn shutdown_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// A future that completes when the process is asked to stop, by Ctrl-C.
///
/// # Errors
///
/// When it cannot be listened to.
#[cfg(windows)]
pub fn shutdown_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        let _ = interrupt.recv().await;
    })
}
