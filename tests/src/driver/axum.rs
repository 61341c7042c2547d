//! The axum adapter: its extractor in a handler of a router, in process and behind `axum::serve`.

use axum::Router;
use axum::body::Body;
use axum::routing::any;
use http_body_util::BodyExt;
use tokio::net::TcpListener;
use tower::ServiceExt;
use trtc_call_webhook_axum::{Ack, Error, Verifier, Webhook};

use crate::{Answer, Driver, Endpoint, Kind, Notebook, PATH, Request, Serve, Server, Taken};

/// A router as a program would have it. It takes every method, so that the check of the method is
/// the adapter's.
pub fn router<E: Taken>(verifier: Verifier, notebook: Notebook) -> Router {
    let handler =
        |Webhook(delivery): Webhook<E>| async move { Ack::from(notebook.handle(&delivery).await) };
    Router::new().route(PATH, any(handler)).with_state(verifier)
}

/// Calls the router without a socket.
pub enum InProcess {
    /// The length is announced and the body comes at once.
    Whole,
    /// The length is not known and the body comes in pieces.
    Pieces,
}

/// A router to call.
pub struct Called {
    router: Router,
    pieces: bool,
}

impl Driver for InProcess {
    type Endpoint = Called;

    fn name(&self) -> String {
        match self {
            Self::Whole => "axum in process".to_owned(),
            Self::Pieces => "axum in process, body in pieces".to_owned(),
        }
    }

    async fn open<E: Taken>(&self, verifier: Verifier, notebook: Notebook) -> Called {
        Called { router: router::<E>(verifier, notebook), pieces: matches!(self, Self::Pieces) }
    }
}

impl Endpoint for Called {
    async fn answer(&mut self, request: &Request) -> Result<Answer, String> {
        let request = request.to_http(self.pieces)?.map(Body::new);
        let Ok(response) = self.router.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        let kind = Kind::of(parts.extensions.get::<Error>());
        Ok(Answer::from_parts(&parts, &body, kind))
    }
}

/// `axum::serve` on a loopback port.
pub struct Axum;

impl Serve for Axum {
    fn name(&self) -> &'static str {
        "axum"
    }

    async fn serve<E: Taken>(&self, verifier: Verifier, notebook: Notebook) -> Server {
        serve(router::<E>(verifier, notebook)).await
    }
}

/// Serves any router.
pub async fn serve(router: Router) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let address = listener.local_addr().expect("an address");
    let task = tokio::spawn(async move { axum::serve(listener, router).await });
    Server::new(address, move || task.abort())
}
