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

use axum::Router;
use axum::routing::any;
use example_support::{BODY_TIME, Settings, print_call};
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
    let Settings { addr, verifier, .. } = Settings::from_env()?;
    let router = Router::new()
        // `any`, so that the webhook answers 405 to other methods, and not the router.
        .route("/callback", any(on_call_end))
        .layer(RequestBodyDeadlineLayer::new(BODY_TIME))
        .with_state(verifier);
    let listener = example_support::listen(addr)?;
    let shutdown = example_support::shutdown_signal()?;
    example_support::print_listening("http", listener.local_addr()?)?;
    server::serve(listener, router, shutdown).await
}
