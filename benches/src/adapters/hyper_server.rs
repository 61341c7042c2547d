//! The loop that accepts connections for axum and tower, as the examples have it.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::task::LocalSet;

use super::{listen, runtime, say};

/// Serves for ever, on one thread.
pub(super) fn serve<S, B>(service: S)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + 'static,
{
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(30));
    let serving = async {
        let listener = listen().await;
        say(listener.local_addr().unwrap());
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let connection = builder.serve_connection(TokioIo::new(stream), service.clone());
            // How a connection ends is the peer's affair.
            tokio::task::spawn_local(async move { connection.await.ok() });
        }
    };
    LocalSet::new().block_on(&runtime(), serving);
}
