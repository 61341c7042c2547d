//! A small axum server on one address, for `demo` and `listen`.
//!
//! It bounds nothing that a stranger could hold open: it is for one's own machine. The
//! repository's examples are servers for the internet.

use std::future::{self, Future};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::failure::Failure;

/// Where the callbacks go.
pub(crate) const PATH: &str = "/callback";

/// How long requests in flight are waited for.
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// The runtime that a server runs on.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    Runtime::new().map_err(|error| Failure::new(format!("cannot start: {error}")))
}

/// A server that accepts connections, and answers them once it runs.
pub(crate) struct Server {
    listener: TcpListener,
    addr: SocketAddr,
}

impl Server {
    pub(crate) async fn bind(addr: SocketAddr) -> Result<Self, Failure> {
        let bound = async {
            let listener = TcpListener::bind(addr).await?;
            let addr = listener.local_addr()?;
            io::Result::Ok(Self { listener, addr })
        };
        bound.await.map_err(|error| Failure::new(format!("cannot listen on {addr}: {error}")))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}{PATH}", self.addr)
    }

    /// Serves until `stop` completes and what is in flight then is answered.
    pub(crate) async fn run(self, router: Router, stop: impl Future<Output = ()> + Send + 'static) {
        let (stopping, stopped) = oneshot::channel();
        // An answer is one small packet; it must not wait for more.
        let listener = self.listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let serve = axum::serve(listener, router).with_graceful_shutdown(async {
            stop.await;
            let _ = stopping.send(());
        });
        let overdue = async {
            match stopped.await {
                Ok(()) => tokio::time::sleep(DRAIN_TIME).await,
                // The server ended by itself.
                Err(_) => future::pending().await,
            }
        };
        tokio::select! {
            // It goes on whatever error accepting gives.
            _ = serve.into_future() => {}
            () = overdue => {}
        }
    }
}
