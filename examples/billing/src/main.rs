//! A complete axum server that bills by the callbacks of Tencent RTC Call: verify, store, answer, then
//! work, each call exactly once.
//!
//! Reads `ADDR`, `SDK_APP_ID` and `CALLBACK_TOKEN`, and from `INBOX` the path of a SQLite file, by default
//! `callbacks.db`, or the URL of a PostgreSQL database, `postgres://…`: there the callbacks wait, and there
//! are the bills, in a table `bills`. Serves `/callback`, and `/healthz` for a load balancer. Any number of
//! processes may share the file, and any number of machines the database. Prints a line of JSON for each
//! bill once it is committed: `call_id`, `caller`, `result` and `seconds`.
//!
//! With the app's secret key in `TRTC_SECRET_KEY` it bills calls whose callback never came as well, and by
//! `CONFIRM` (`never`, `disputed`, `unsigned`, `always`) others only as the vendor's record says: `vendor.rs`.
//! `trtc-call inbox check --inbox callbacks.db` says what needs a person.
//!
//! To look at retries, `BILL_FAIL_FIRST` has the first so many attempts of each call fail, and
//! `BILL_DELAY_MS` makes each take so many milliseconds.

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

mod bill;
mod books;
mod refusals;
// That of the axum example.
#[path = "../../axum/src/server.rs"]
mod server;
mod trial;
mod vendor;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{any, get};
use example_support::{
    BODY_TIME, Settings, print_line, print_listening, shutdown_signal, variable,
};
use tokio::time::sleep;
use tower_http::timeout::RequestBodyDeadlineLayer;
use trtc_call_inbox::{Inbox, Job, JobError, Unhandled};
use trtc_call_webhook_axum::{Ack, Billing, CallEnded, Undecoded, Verifier, Webhook};

use crate::bill::Bill;
use crate::books::Books;
use crate::refusals::Refusals;
use crate::trial::Trial;
use crate::vendor::Vendor;

/// How long bills in the making are waited for when the server has stopped.
const LAST_BILLS: Duration = Duration::from_secs(2);

#[derive(Clone)]
struct AppState {
    verifier: Verifier,
    inbox: Inbox,
}

impl FromRef<AppState> for Verifier {
    fn from_ref(state: &AppState) -> Self {
        state.verifier.clone()
    }
}

/// Every authentic callback, whatever its body holds: nothing is decided here but that it is kept.
async fn on_callback(
    State(AppState { inbox, .. }): State<AppState>,
    Webhook(callback): Webhook<Undecoded>,
) -> Ack {
    inbox.accept(&callback).await.into()
}

/// For a load balancer: whether callbacks can be stored.
async fn healthz(State(AppState { inbox, .. }): State<AppState>) -> StatusCode {
    if inbox.health().await.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// Bills a call. The bill and that the job is done are one transaction: both are there, or neither.
async fn bill_call(job: Job<CallEnded>, books: Books, trial: Trial) -> Result<(), JobError> {
    sleep(trial.delay).await;
    if job.attempt() <= trial.failures {
        return Err("BILL_FAIL_FIRST asks for it".into());
    }
    let seconds = match job.billing() {
        Billing::Connected(time) => time.as_secs(),
        Billing::Unanswered => 0,
        Billing::AskRecord(why) => {
            return Err(JobError::dead(format!("ask the vendor's record API: {why}")));
        }
    };
    let bill = Bill::new(&job, seconds);
    let line = bill.line();
    books.write(&job, bill).await?;
    if let Err(error) = print_line(line).await {
        eprintln!("{}: billed, but not printed: {error}", job.key());
    }
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    example_support::log_to_stderr();
    example_support::exit_code(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let Settings { addr, sdk_app_id, verifier } = Settings::from_env()?;
    let (trial, vendor) = (Trial::from_env()?, Vendor::from_env(sdk_app_id)?);
    let inbox = variable("INBOX")?.unwrap_or_else(|| "callbacks.db".to_owned());
    let listener = example_support::listen(addr)?;
    let books = Books::open(&inbox).await?;
    let inbox = books.inbox();
    let reconcile = vendor.reconcile(inbox.clone());
    // Of the other callbacks nothing is billed.
    let worker = reconcile
        .worker()
        .on(move |job| bill_call(job, books.clone(), trial))
        .unhandled(Unhandled::Done)
        .start();
    let reconciler = reconcile.start();

    let refusals = Refusals::default();
    let router = Router::new()
        // `any`, so that the webhook answers 405 to other methods, and not the router.
        .route("/callback", any(on_callback))
        .layer(RequestBodyDeadlineLayer::new(BODY_TIME))
        .layer(middleware::from_fn_with_state(refusals.clone(), Refusals::count))
        .route("/healthz", get(healthz))
        .with_state(AppState { verifier, inbox });
    let shutdown = shutdown_signal()?;
    print_listening("http", listener.local_addr()?)?;
    server::serve(listener, router, shutdown).await?;
    tokio::join!(reconciler.stop(LAST_BILLS), worker.stop(LAST_BILLS));
    refusals.report();
    Ok(())
}
