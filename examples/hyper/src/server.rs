//! The loop that accepts connections, with the bounds of a server that is open to the internet.

use std::pin::pin;
use std::time::Duration;

use example_support::{HEAD_TIME, MAX_CONNECTIONS, MAX_HEAD_BYTES, SHUTDOWN_TIME};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::either::Either;
use tower::ServiceExt;

use crate::App;

/// How many requests one HTTP/2 connection may have in flight. Each may hold a body of the limit's
/// size, 256 KiB, and what of it was read and not yet put together.
const MAX_STREAMS: u32 = 16;

/// Serves until the process is asked to stop, then answers what is in flight.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    app: App,
    shutdown: impl Future<Output = ()>,
) {
    let stop = watch::Sender::new(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(drive(stream, tls.clone(), app.clone(), stop.subscribe()));
                }
                Err(error) => {
                    // Out of descriptors, say: others are given back in a while.
                    eprintln!("cannot accept a connection: {error}");
                    sleep(Duration::from_millis(100)).await;
                }
            },
            // Forgets the connections that have ended.
            Some(_) = connections.join_next() => {}
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    stop.send_replace(true);
    let ended = async { while connections.join_next().await.is_some() {} };
    if timeout(SHUTDOWN_TIME, ended).await.is_err() {
        eprintln!("stopped with requests in flight");
    }
}

/// Serves one connection. How it ends is the peer's affair: each request in it has been answered.
async fn drive(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    app: App,
    mut stop: watch::Receiver<bool>,
) {
    let stream = match tls {
        None => Either::Left(stream),
        Some(tls) => {
            let accepted = tokio::select! {
                accepted = timeout(HEAD_TIME, tls.accept(stream)) => accepted,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            let Ok(Ok(stream)) = accepted else { return };
            Either::Right(stream)
        }
    };
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // Without `half_close` a client that says it sends nothing more would get no answer.
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(MAX_HEAD_BYTES)
        .half_close(true);
    builder
        .http2()
        .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX))
        .max_concurrent_streams(MAX_STREAMS);
    let requested = Notify::new();
    let service = service_fn(|request| {
        requested.notify_one();
        app.clone().oneshot(request)
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    // hyper has no such time-out for HTTP/2, nor before it knows which HTTP the peer speaks.
    let idle = async { while timeout(HEAD_TIME, requested.notified()).await.is_ok() {} };
    tokio::select! {
        _ = connection.as_mut() => return,
        () = idle => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    // What does not end by itself then is cut off.
    let _ = timeout(SHUTDOWN_TIME, connection).await;
}
