//! The server and its bounds.

use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use axum::{Extension, Router};
use axum_server::Handle;
use example_support::{HEAD_TIME, MAX_CONNECTIONS, MAX_HEAD_BYTES, SHUTDOWN_TIME};
use tokio::sync::{AcquireError, Semaphore};
use tokio::time::sleep;
use tower::{Layer, service_fn};

/// Serves with the bounds of a server that is open to the internet, until it is asked to stop; then
/// answers what is in flight. `axum::serve` has no bound on the time of a head.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Box<dyn Error>> {
    let handle = Handle::new();
    let mut server = axum_server::from_tcp(listener)?
        .http1_only()
        .handle(handle.clone())
        .accept_error_handler(|_, error| eprintln!("cannot accept a connection: {error}"));
    // Without `half_close` a client that says it sends nothing more would get no answer.
    server
        .http_builder()
        .http1()
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(MAX_HEAD_BYTES)
        .half_close(true);
    tokio::spawn(async move {
        shutdown.await;
        handle.graceful_shutdown(None);
        sleep(SHUTDOWN_TIME).await;
        handle.shutdown();
    });
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let connections = service_fn(|_: SocketAddr| {
        let (room, router) = (room.clone(), router.clone());
        async move {
            // Until there is room nothing more is accepted. The place is free again once the
            // connection's service is dropped.
            let place = room.acquire_owned().await?;
            Ok::<_, AcquireError>(Extension(Arc::new(place)).layer(router))
        }
    });
    Ok(server.serve(connections).await?)
}
