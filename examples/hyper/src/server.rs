//! The loop that accepts connections, with the bounds of a server that is open to the internet.

use std::convert::Infallible;
use std::error::Error;
use std::pin::pin;
use std::time::Duration;

use example_support::{HEAD_TIME, MAX_CONNECTIONS, MAX_HEAD_BYTES, SHUTDOWN_TIME};
use http::{Request, Response};
use hyper::body::{Body, Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::{Service, ServiceExt};

use crate::idle::InFlight;

/// How many requests one HTTP/2 connection may have in flight.
const MAX_STREAMS: u32 = 128;

/// A tower service that answers what hyper receives.
pub(crate) trait HttpService<B>:
    Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static
{
}

impl<S, B> HttpService<B> for S where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static
{
}

/// Serves until the process is asked to stop, then answers what is in flight.
pub(crate) async fn serve<S, B>(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    service: S,
    shutdown: impl Future<Output = ()>,
) where
    S: HttpService<B>,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let stop = watch::Sender::new(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    let tls = tls.clone();
                    connections.spawn(accept(stream, tls, service.clone(), stop.subscribe()));
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
async fn accept<S, B>(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    service: S,
    mut stop: watch::Receiver<bool>,
) where
    S: HttpService<B>,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    // An answer is one small packet; it must not wait for more.
    let _ = stream.set_nodelay(true);
    match tls {
        None => drive(stream, service, stop).await,
        Some(tls) => {
            let stream = tokio::select! {
                accepted = timeout(HEAD_TIME, tls.accept(stream)) => accepted,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            if let Ok(Ok(stream)) = stream {
                drive(stream, service, stop).await;
            }
        }
    }
}

async fn drive<I, S, B>(stream: I, service: S, mut stop: watch::Receiver<bool>)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: HttpService<B>,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let in_flight = InFlight::new();
    let counted = in_flight.clone();
    let service = service_fn(move |request| {
        let entered = counted.enter();
        let response = service.clone().oneshot(request);
        async move {
            let _entered = entered;
            response.await
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(MAX_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD_TIME)
        .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX))
        .max_concurrent_streams(MAX_STREAMS);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = connection.as_mut() => return,
        () = in_flight.idle(HEAD_TIME) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    // What does not end by itself then is cut off.
    let _ = timeout(SHUTDOWN_TIME, connection).await;
}
