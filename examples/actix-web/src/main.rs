//! A complete actix-web server that receives the callbacks of Tencent RTC Call.
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
use std::io;
use std::pin::Pin;
use std::process::ExitCode;
use std::task::Poll;
use std::thread;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::middleware::{Next, from_fn};
use actix_web::rt::System;
use actix_web::rt::time::sleep;
use actix_web::{App, HttpMessage, HttpServer, web};
use example_support::{BODY_TIME, HEAD_TIME, MAX_CONNECTIONS, SHUTDOWN_TIME, Settings, print_call};
use futures_util::stream::{Stream, poll_fn};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;
use trtc_call_webhook_actix_web::{Ack, CallEnded, Webhook};

/// Keeps the event, then acknowledges it: the other way round an event could be lost.
async fn on_call_end(Webhook(call): Webhook<CallEnded>) -> Ack {
    match print_call(&call).await {
        Ok(()) => Ack::ok(),
        Err(error) => Ack::fail(1, format!("the call is not kept: {error}")),
    }
}

/// The middleware that bounds the time of a whole body: one that is late fails, and the webhook answers
/// it with 400.
async fn limit_body_time(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let mut payload = request.take_payload();
    let mut late = Box::pin(sleep(BODY_TIME));
    let payload = poll_fn(move |cx| match Pin::new(&mut payload).poll_next(cx) {
        Poll::Pending => {
            let error = || PayloadError::Io(io::ErrorKind::TimedOut.into());
            late.as_mut().poll(cx).map(|()| Some(Err(error())))
        }
        chunk => chunk,
    });
    request.set_payload(Payload::Stream { payload: Box::pin(payload) });
    next.call(request).await
}

fn main() -> ExitCode {
    // actix-http logs an error for each request of a stranger that is not HTTP.
    let levels =
        Targets::new().with_default(LevelFilter::INFO).with_target("actix_http", LevelFilter::OFF);
    let log = tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(false).finish();
    log.with(levels).init();
    example_support::exit_code(System::new().block_on(run()))
}

async fn run() -> Result<(), Box<dyn Error>> {
    let Settings { addr, verifier, .. } = Settings::from_env()?;
    let listener = example_support::listen(addr)?;
    let addr = listener.local_addr()?;
    let workers = thread::available_parallelism()?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(verifier.clone())
            .wrap(from_fn(limit_body_time))
            // `to` takes every method, so that the webhook answers 405 to others.
            .service(web::resource("/callback").to(on_call_end))
    })
    .workers(workers.get())
    // Each worker counts its own; rounded down, together they have no more than all may.
    .max_connections((MAX_CONNECTIONS / workers).max(1))
    // actix-web bounds the size of a head by itself, at 128 KiB; and the time of a connection's first
    // head alone, so that a proxy must bound that of the others.
    .client_request_timeout(HEAD_TIME)
    .keep_alive(HEAD_TIME)
    .shutdown_timeout(SHUTDOWN_TIME.as_secs())
    // Its own handling of SIGINT would drop the requests in flight.
    .shutdown_signal(example_support::shutdown_signal()?)
    .listen(listener)?;
    example_support::print_listening("http", addr)?;
    Ok(server.run().await?)
}
