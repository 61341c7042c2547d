//! The tower adapter: its layer around a service, in process and behind hyper.

use std::convert::Infallible;

use http::Response;
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::util::BoxCloneService;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use trtc_call_webhook_tower::{
    Error, ResponseBody, Verifier, WebhookBody, WebhookLayer, ack, delivery,
};

use crate::{Answer, Driver, Endpoint, Kind, Notebook, Request, Sent, Serve, Server, Taken};

type Reply = Response<ResponseBody<WebhookBody>>;

/// The layer around a handler, for any body.
#[must_use]
pub fn service<E: Taken, B>(
    verifier: Verifier,
    notebook: Notebook,
) -> impl Service<http::Request<B>, Response = Reply, Error = Infallible, Future: Send> + Clone + Send
where
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let handler = move |request: http::Request<WebhookBody>| {
        let notebook = notebook.clone();
        async move {
            let delivery = delivery::<E, _>(&request).expect("the layer puts it there").clone();
            let body = request.into_body().collect().await?.to_bytes();
            assert_eq!(&body, delivery.body(), "the same bytes are put back");
            Ok(ack(notebook.handle(&delivery).await))
        }
    };
    ServiceBuilder::new().layer(WebhookLayer::<E>::new(verifier)).service(service_fn(handler))
}

/// Calls the service without a socket.
pub enum InProcess {
    /// The length is announced and the body comes at once.
    Whole,
    /// The length is not known and the body comes in pieces.
    Pieces,
}

/// A service to call.
pub struct Called {
    service: BoxCloneService<http::Request<Sent>, Reply, Infallible>,
    pieces: bool,
}

impl Driver for InProcess {
    type Endpoint = Called;

    fn name(&self) -> String {
        match self {
            Self::Whole => "tower in process".to_owned(),
            Self::Pieces => "tower in process, body in pieces".to_owned(),
        }
    }

    async fn open<E: Taken>(&self, verifier: Verifier, notebook: Notebook) -> Called {
        let service = BoxCloneService::new(service::<E, Sent>(verifier, notebook));
        Called { service, pieces: matches!(self, Self::Pieces) }
    }
}

impl Endpoint for Called {
    async fn answer(&mut self, request: &Request) -> Result<Answer, String> {
        let Ok(response) = self.service.clone().oneshot(request.to_http(self.pieces)?).await;
        let (parts, body) = response.into_parts();
        let Ok(body) = body.collect().await;
        let kind = Kind::of(parts.extensions.get::<Error>());
        Ok(Answer::from_parts(&parts, &body.to_bytes(), kind))
    }
}

/// hyper on a loopback port, for HTTP/1 and HTTP/2.
pub struct Hyper;

impl Serve for Hyper {
    fn name(&self) -> &'static str {
        "hyper"
    }

    async fn serve<E: Taken>(&self, verifier: Verifier, notebook: Notebook) -> Server {
        serve(service::<E, Incoming>(verifier, notebook)).await
    }
}

/// Serves any service.
pub async fn serve<S, B>(service: S) -> Server
where
    S: Service<http::Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let address = listener.local_addr().expect("an address");
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let builder = auto::Builder::new(TokioExecutor::new());
                // How a connection ends is the peer's affair.
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    Server::new(address, move || task.abort())
}
