//! A complete server on hyper that receives the callbacks of Tencent RTC Call, through a stack of
//! tower layers, over HTTP/1 and HTTP/2.
//!
//! Reads `ADDR`, `SDK_APP_ID` and `CALLBACK_TOKEN`, serves `/callback`, and prints a line of JSON
//! for each call that ended. Speaks HTTPS if `TLS_CERT` and `TLS_KEY` name PEM files; for tests:
//!
//! ```sh
//! openssl req -x509 -newkey rsa:2048 -nodes -days 30 -keyout key.pem -out cert.pem \
//!     -subj "/CN=localhost" -addext "subjectAltName=DNS:localhost" -addext "basicConstraints=CA:FALSE"
//! TLS_CERT=cert.pem TLS_KEY=key.pem cargo run -p example-hyper
//! cargo run -p trtc-call-cli -- send --url https://localhost:8080/callback \
//!     --sdk-app-id 1400000001 --ca-cert cert.pem
//! ```

#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used,
        reason = "what a peer sends must not panic, overflow, or change a number without a word"
    )
)]

mod server;
mod tls;

use std::convert::Infallible;
use std::error::Error;
use std::process::ExitCode;

use example_support::{BODY_TIME, Settings, print_call};
use http::{Request, Response, StatusCode};
use http_body_util::{Either, Empty};
use hyper::body::{Bytes, Incoming};
use tokio::net::TcpListener;
use tower::util::BoxCloneSyncService;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_http::timeout::RequestBodyDeadlineLayer;
use trtc_call_webhook_tower::{
    Ack, CallEnded, ResponseBody, Verifier, WebhookBody, WebhookLayer, ack, delivery,
};

type Body = Either<ResponseBody<WebhookBody>, Empty<Bytes>>;

/// What answers the requests that hyper receives.
type App = BoxCloneSyncService<Request<Incoming>, Response<Body>, Infallible>;

/// Keeps the event, then acknowledges it: the other way round an event could be lost.
async fn on_call_end(request: Request<WebhookBody>) -> Result<Response<WebhookBody>, Infallible> {
    let Some(call) = delivery::<CallEnded, _>(&request) else {
        return Ok(ack(Ack::fail(1, "the webhook layer is missing")));
    };
    Ok(ack(match print_call(call).await {
        Ok(()) => Ack::ok(),
        Err(error) => Ack::fail(1, format!("the call is not kept: {error}")),
    }))
}

/// The stack of layers around the handler, and the only route to it.
fn app(verifier: Verifier) -> App {
    let callback = ServiceBuilder::new()
        .layer(RequestBodyDeadlineLayer::new(BODY_TIME))
        .layer(WebhookLayer::<CallEnded>::new(verifier))
        .service(service_fn(on_call_end));
    BoxCloneSyncService::new(service_fn(move |request: Request<Incoming>| {
        let callback = callback.clone();
        async move {
            if request.uri().path() == "/callback" {
                Ok(callback.oneshot(request).await?.map(Either::Left))
            } else {
                let mut response = Response::new(Either::Right(Empty::new()));
                *response.status_mut() = StatusCode::NOT_FOUND;
                Ok(response)
            }
        }
    }))
}

#[tokio::main]
async fn main() -> ExitCode {
    example_support::log_to_stderr();
    example_support::exit_code(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let Settings { addr, verifier, .. } = Settings::from_env()?;
    let tls = tls::from_env()?;
    let listener = TcpListener::from_std(example_support::listen(addr)?)?;
    let shutdown = example_support::shutdown_signal()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    example_support::print_listening(scheme, listener.local_addr()?)?;
    server::serve(listener, tls, app(verifier), shutdown).await;
    Ok(())
}
