//! A complete axum server that bills by the callbacks of Tencent RTC Call, as the README tells to:
//! verify, store first, answer, then work.
//!
//! Reads `ADDR`, `SDK_APP_ID`, `CALLBACK_TOKEN` and `JOURNAL`, serves `/callback`, and prints a line
//! of JSON for each call to bill: `call_id`, `caller`, `result` and `seconds`.
//!
//! | file | holds |
//! | --- | --- |
//! | `JOURNAL`, by default `callbacks.journal` | every delivery that was acknowledged, as it came |
//! | the same with `.billed` behind it | a line with the key of each call that was billed |
//! | either with `.cut` behind it | what a crash left half written, moved there by the next start |
//!
//! # What holds
//!
//! - **What was acknowledged is stored**: `Ack::ok` is answered after the disk has said that it has
//!   it. If that takes longer than the vendor waits, about two seconds, nothing is lost either: the
//!   delivery is stored, and if it comes again its key is known. On an error the answer is 500, and
//!   what was written of it is cut off. A crash in between may leave it whole; then it is billed,
//!   since it is as authentic as any.
//! - **What is stored is billed at least once**, however the process ends, unless it is disputed (see
//!   below): a start reads the whole journal again. A call whose line standard output does not take
//!   stays due. That whoever reads the lines keeps them is their own affair.
//! - **It is billed exactly once if each process has stopped cleanly**: by SIGTERM or SIGINT, and with
//!   nothing on standard error about calls that are not billed or not noted. After a crash those
//!   calls may come a second time that were printed and not yet noted in `.billed`; the reader of
//!   the lines knows them by their `call_id`.
//! - **Different events under one key are for a person**: one of them may be forged. If both are found
//!   before one is billed, as at a start, neither is; else the first is billed. The same event again,
//!   even in another body, is nothing new.
//! - **What does not decode, or is no end of a call, is kept** and reported. It is reported again at
//!   each start, as disputed calls are.
//!
//! # What does not
//!
//! Two processes must not share a journal, nor may it be moved or cut while the process runs. It grows
//! with each delivery, a repeated one too, and one event for each call is held in memory. If the disk
//! damages what it had taken, a start moves everything from there on to `.cut`, for a person. The files
//! hold user ids: who may read them is up to the umask. Calls whose callback never came are found only
//! by asking the vendor's record API.
//!
//! Where that is not enough, a database takes the journal's place: a table with a unique index over the
//! key and a hash of the body, in a binary collation, since keys that differ only in a letter's case
//! are different calls. Its insert is committed before `Ack::ok` is answered, and the worker is a query
//! for the keys that are not billed.

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

mod durable;
mod journal;
mod record;
mod refusals;
mod server;
mod worker;

use std::env;
use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{any, get};
use example_support::{BODY_TIME, SHUTDOWN_TIME, Settings, print_listening, shutdown_signal};
use tokio::time::timeout;
use tower_http::timeout::RequestBodyDeadlineLayer;
use trtc_call_webhook_axum::{Ack, Undecoded, Verifier, Webhook};

use crate::journal::Journal;
use crate::record::Record;
use crate::refusals::Refusals;
use crate::worker::Worker;

#[derive(Clone)]
struct AppState {
    verifier: Verifier,
    journal: Journal,
}

impl FromRef<AppState> for Verifier {
    fn from_ref(state: &AppState) -> Self {
        state.verifier.clone()
    }
}

/// Every authentic callback, whatever its body holds: nothing is decided here but that it is kept.
async fn on_callback(
    State(AppState { journal, .. }): State<AppState>,
    Webhook(callback): Webhook<Undecoded>,
) -> Ack {
    if journal.store(&Record::new(&callback)).await {
        Ack::ok()
    } else {
        Ack::fail(1, "not stored")
    }
}

/// For a load balancer: whether callbacks can be stored.
async fn healthz(State(AppState { journal, .. }): State<AppState>) -> StatusCode {
    if journal.is_well().await { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// Says something on standard error. That nobody reads it must not stop anything.
fn report(sentence: impl Display) {
    let _ = writeln!(io::stderr(), "{sentence}");
}

#[tokio::main]
async fn main() -> ExitCode {
    example_support::log_to_stderr();
    example_support::exit_code(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let Settings { addr, verifier } = Settings::from_env()?;
    let path = match env::var_os("JOURNAL") {
        Some(path) if path.is_empty() => {
            return Err("JOURNAL must be a path, or unset".into());
        }
        path => path.map_or_else(|| PathBuf::from("callbacks.journal"), PathBuf::from),
    };
    // Before the journal is touched: a second process with the same settings ends here.
    let listener = example_support::listen(addr)?;
    let cannot_open = |error| format!("cannot open the JOURNAL {}: {error}", path.display());
    let (journal, stored) = Journal::open(&path).map_err(cannot_open)?;
    let worker = Worker::open(&path).map_err(cannot_open)?;

    let refusals = Refusals::default();
    let router = Router::new()
        // `any`, so that the webhook answers 405 to other methods, and not the router.
        .route("/callback", any(on_callback))
        .layer(RequestBodyDeadlineLayer::new(BODY_TIME))
        .layer(middleware::from_fn_with_state(refusals.clone(), Refusals::count))
        .route("/healthz", get(healthz))
        .with_state(AppState { verifier, journal });
    let shutdown = shutdown_signal()?;
    print_listening("http", listener.local_addr()?)?;
    let billing = worker.start(stored)?;
    server::serve(listener, router, shutdown).await?;
    // With the last request the journal's thread has ended, and with it, soon, the worker.
    if timeout(SHUTDOWN_TIME, billing).await.is_err() {
        report("stopped with calls not billed yet: the next start does it");
    }
    refusals.report();
    Ok(())
}
