//! A complete axum server that receives the callbacks of Tencent RTC Call.
//!
//! Reads `ADDR`, `SDK_APP_ID` and `CALLBACK_TOKEN`, serves `/callback`, and prints a line of JSON
//! for each call that ended.

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

use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;

use axum::routing::any;
use axum::{Extension, Router};
use axum_server::Handle;
use example_support::{
    BODY_TIME, HEAD_TIME, MAX_CONNECTIONS, MAX_HEAD_BYTES, SHUTDOWN_TIME, Settings, print_call,
};
use tokio::sync::{AcquireError, Semaphore};
use tokio::time::sleep;
use tower::{Layer, service_fn};
use tower_http::timeout::RequestBodyDeadlineLayer;
use trtc_call_webhook_axum::{Ack, CallEnded, Webhook};

/// Keeps the event, then acknowledges it: the other way round an event could be lost.
async fn on_call_end(Webhook(call): Webhook<CallEnded>) -> Ack {
    match print_call(&call).await {
        Ok(()) => Ack::ok(),
        Err(error) => Ack::fail(1, format!("the call is not kept: {error}")),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    example_support::log_to_stderr();
    example_support::exit_code(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let Settings { addr, verifier } = Settings::from_env()?;
    let router = Router::new()
        // `any`, so that the webhook answers 405 to other methods, and not the router.
        .route("/callback", any(on_call_end))
        .layer(RequestBodyDeadlineLayer::new(BODY_TIME))
        .with_state(verifier);
    let listener = example_support::listen(addr)?;
    let shutdown = example_support::shutdown_signal()?;
    example_support::print_listening("http", listener.local_addr()?)?;
    serve(listener, router, shutdown).await
}

/// Serves with the bounds of a server that is open to the internet, until it is asked to stop; then
/// answers what is in flight. `axum::serve` has no bound on the time of a head.
async fn serve(
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
