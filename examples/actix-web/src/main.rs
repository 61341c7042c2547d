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

mod deadline;
mod waiting;

use std::error::Error;
use std::process::ExitCode;
use std::thread;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use example_support::{
    HEAD_TIME, MAX_CONNECTIONS, SHUTDOWN_TIME, Settings, print_call, print_listening,
    shutdown_signal,
};
use trtc_call_webhook_actix_web::{Ack, CallEnded, Webhook};

/// Keeps the event, then acknowledges it: the other way round an event could be lost.
async fn on_call_end(Webhook(call): Webhook<CallEnded>) -> Ack {
    match print_call(&call) {
        Ok(()) => Ack::ok(),
        Err(error) => Ack::fail(1, format!("the call is not kept: {error}")),
    }
}

fn main() -> ExitCode {
    example_support::log_to_stderr();
    example_support::exit_code(actix_web::rt::System::new().block_on(run()))
}

async fn run() -> Result<(), Box<dyn Error>> {
    let Settings { addr, verifier } = Settings::from_env()?;
    let workers = thread::available_parallelism()?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(verifier.clone())
            .wrap(from_fn(deadline::limit_body_time))
            .wrap(from_fn(waiting::tell_state))
            // `to` takes every method, so that the webhook answers 405 to others.
            .service(web::resource("/callback").to(on_call_end))
    })
    .on_connect(waiting::watch_connection)
    .workers(workers.get())
    // Each worker counts its own; rounded down, together they have no more than all may.
    .max_connections((MAX_CONNECTIONS / workers).max(1))
    // actix-web bounds the size of a head by itself, at 128 KiB.
    .client_request_timeout(HEAD_TIME)
    .keep_alive(HEAD_TIME)
    .shutdown_timeout(SHUTDOWN_TIME.as_secs())
    // Its own handling of SIGINT would drop the requests in flight.
    .shutdown_signal(shutdown_signal()?)
    .bind(addr)
    .map_err(|error| format!("cannot listen on {addr}: {error}"))?;
    for addr in server.addrs() {
        print_listening("http", addr)?;
    }
    Ok(server.run().await?)
}
