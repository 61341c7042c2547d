//! A small axum server on one address, for `demo`, `listen` and `vendor`.
//!
//! It bounds nothing that a stranger could hold open: it is for one's own machine. The
//! repository's examples are servers for the internet.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use tokio::runtime::Runtime;

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
    pub(crate) fn bind(addr: SocketAddr) -> Result<Self, Failure> {
        let bind = || {
            let listener = TcpListener::bind(addr)?;
            listener.set_nonblocking(true)?;
            let addr = listener.local_addr()?;
            io::Result::Ok(Self { listener, addr })
        };
        bind().map_err(|error| Failure::new(format!("cannot listen on {addr}: {error}")))
    }

    /// The URL of the callbacks.
    pub(crate) fn url(&self) -> String {
        format!("{}{PATH}", self.origin())
    }

    /// The URL without a path.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Serves until `stop` completes and what is in flight then is answered.
    pub(crate) async fn run(
        self,
        router: Router,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let handle = Handle::new();
        let mut server = axum_server::from_tcp(self.listener)?
            // An answer is one small packet; it must not wait for more.
            .acceptor(NoDelayAcceptor::new())
            .handle(handle.clone());
        // A client that says it sends nothing more is answered all the same.
        server.http_builder().http1().half_close(true);
        tokio::spawn(async move {
            stop.await;
            handle.graceful_shutdown(Some(DRAIN_TIME));
        });
        server.serve(router.into_make_service()).await
    }
}
