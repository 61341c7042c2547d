//! The loop that accepts connections.
//!
//! `axum::serve` would do, but for one thing: it has no way to set how long a head may take or a
//! connection may stay idle, nor how many there may be, and a server that is open to the internet
//! needs all of it.

use std::pin::pin;
use std::time::Duration;

use axum::Router;
use example_support::{HEAD_TIME, MAX_CONNECTIONS, MAX_HEAD_BYTES, SHUTDOWN_TIME};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Serves until the process is asked to stop, then answers what is in flight.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) {
    let service = TowerToHyperService::new(router);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(MAX_HEAD_BYTES);
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of descriptors, say: others are given back in a while.
                    eprintln!("cannot accept a connection: {error}");
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            // Forgets the connections that have ended.
            Some(_) = connections.join_next() => continue,
            () = &mut shutdown => break,
        };
        // An answer is one small packet; it must not wait for more.
        let _ = stream.set_nodelay(true);
        let connection = builder.serve_connection(TokioIo::new(stream), service.clone());
        // How a connection ends is the peer's affair; each request in it has been answered.
        connections.spawn(graceful.watch(connection));
    }
    drop(listener);
    if timeout(SHUTDOWN_TIME, graceful.shutdown()).await.is_err() {
        eprintln!("stopped with requests in flight");
    }
}
