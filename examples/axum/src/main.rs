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

mod server;

use std::error::Error;
use std::process::ExitCode;

use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::any;
use axum::{Router, body::Body};
use example_support::{
    BODY_TIME, DeadlineBody, Settings, print_call, print_listening, shutdown_signal,
};
use tokio::net::TcpListener;
use trtc_call_webhook_axum::{Ack, CallEnded, Webhook};

/// Keeps the event, then acknowledges it: the other way round an event could be lost.
async fn on_call_end(Webhook(call): Webhook<CallEnded>) -> Ack {
    match print_call(&call) {
        Ok(()) => Ack::ok(),
        Err(error) => Ack::fail(1, format!("the call is not kept: {error}")),
    }
}

async fn limit_body_time(request: Request, next: Next) -> Response {
    next.run(request.map(|body| Body::new(DeadlineBody::new(body, BODY_TIME)))).await
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
        .layer(middleware::from_fn(limit_body_time))
        .with_state(verifier);
    let listener =
        TcpListener::bind(addr).await.map_err(|e| format!("cannot listen on {addr}: {e}"))?;
    let shutdown = shutdown_signal()?;
    print_listening("http", listener.local_addr()?)?;
    server::serve(listener, router, shutdown).await;
    Ok(())
}
