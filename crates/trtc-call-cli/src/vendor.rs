//! `trtc-call vendor`: plays the vendor, so that a whole deployment can be tried at home.
//!
//! It answers the API's requests as the documents have it, and sends the callbacks of calls that it is
//! told of or makes up. Where the documents are silent it decides, and says so there.

mod book;
mod call;
mod calls;
mod journal;
mod line;
mod plan;
mod reply;
mod request;
mod rest;
mod sending;

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::routing::post;
use fastrand::Rng;
use serde_json::{Map, Value};
use trtc_call_api::SecretKey;
use trtc_call_webhook::{CallResult, SdkAppId, Token, UnixMillis};

use self::book::Book;
use self::call::Call;
use self::line::Lines;
use self::plan::Planner;
use self::sending::Sending;
use crate::args::{CallsArgs, ChancesArgs, VendorArgs};
use crate::failure::Failure;
use crate::printer::Printer;
use crate::server::{self, Server};
use crate::signals::Signals;
use crate::{out, settings};

/// Where it listens unless told otherwise: not where `listen` and the examples do.
const DEFAULT_PORT: u16 = 8090;

/// What the vendor knows of the app, and how it behaves.
pub(crate) struct Setup {
    pub(crate) sdk_app_id: SdkAppId,
    pub(crate) admin: String,
    pub(crate) key: SecretKey,
    /// Callbacks are signed by it.
    pub(crate) token: Option<Token>,
    /// The file that keeps calls and settings over a restart.
    pub(crate) state: Option<PathBuf>,
    /// How long after a call's end its record is found.
    pub(crate) record_delay: Duration,
    /// Codes that requests are answered with, and how many of them are.
    pub(crate) errors: Vec<(i64, f64)>,
    pub(crate) chances: ChancesArgs,
}

/// A fake vendor. Its clones are the same one.
#[derive(Clone)]
pub(crate) struct Vendor(Arc<Inner>);

struct Inner {
    setup: Setup,
    state: Mutex<State>,
    sending: Sending,
}

/// What changes.
struct State {
    book: Book,
    planner: Planner,
    /// What calls and their callbacks are drawn by.
    rng: Rng,
    /// What errors are drawn by: how often somebody asks changes no call.
    errors: Rng,
    /// How many calls were made up.
    made: usize,
}

/// Why calls are not added.
pub(crate) enum NotAdded {
    /// They cannot be meant, for this reason.
    Wrong(String),
    /// They could not be kept.
    NotKept,
}

impl Vendor {
    /// Opens its state, if it has one, and tells nobody what it sends if there are no lines. It sends on
    /// the runtime on which its router serves.
    pub(crate) fn open(setup: Setup, lines: Option<Lines>) -> Result<Self, Failure> {
        let book = setup.state.as_deref().map_or_else(|| Ok(Book::default()), Book::open)?;
        // With a state from before, the same draws would make the same calls again.
        let more = u64::try_from(book.len()).unwrap_or(u64::MAX);
        let seed = setup.chances.seed;
        let mut rng = seed.map_or_else(Rng::new, |seed| Rng::with_seed(seed.wrapping_add(more)));
        let errors = rng.fork();
        let planner = Planner::new(setup.chances.clone());
        let sending = Sending::new(setup.sdk_app_id, setup.token.clone(), lines);
        let state = Mutex::new(State { book, planner, rng, errors, made: 0 });
        Ok(Self(Arc::new(Inner { setup, state, sending })))
    }

    /// The vendor's API, and beside it the fake's own `/calls`.
    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route("/calls", post(calls::add).get(calls::all))
            .fallback(rest::answer)
            .with_state(self.clone())
    }

    /// Adds calls that have ended, with what is missing made up, and sends their callbacks. Gives the
    /// calls' ids. All are added, or none.
    pub(crate) fn add(&self, given: Vec<Map<String, Value>>) -> Result<Vec<String>, NotAdded> {
        let now = UnixMillis::from(SystemTime::now());
        let mut state = self.state();
        let state = &mut *state;
        let (mut calls, mut ids) = (Vec::new(), HashSet::new());
        for given in given {
            let call = Call::new(given, &CallResult::NormalEnd, now, &mut state.rng);
            let call = call.map_err(NotAdded::Wrong)?;
            let id = call.id();
            if state.book.knows(id) || !ids.insert(id.to_owned()) {
                return Err(NotAdded::Wrong(format!("there is a call {id} already")));
            }
            calls.push(call);
        }
        self.keep(state, &calls)
    }

    /// Makes up a call that ends now.
    fn make(&self) -> Result<Vec<String>, NotAdded> {
        let now = UnixMillis::from(SystemTime::now());
        let mut state = self.state();
        let state = &mut *state;
        let place = state.made.checked_rem(CallResult::KNOWN.len()).unwrap_or(0);
        let result = CallResult::KNOWN.get(place).unwrap_or(&CallResult::NormalEnd);
        state.made = state.made.wrapping_add(1);
        let call = Call::new(Map::new(), result, now, &mut state.rng).map_err(NotAdded::Wrong)?;
        self.keep(state, &[call])
    }

    /// Keeps calls before anybody is told of them.
    fn keep(&self, state: &mut State, calls: &[Call]) -> Result<Vec<String>, NotAdded> {
        state.book.add(calls).map_err(|error| {
            out::note(&format!("calls cannot be kept: {error}"));
            NotAdded::NotKept
        })?;
        if let Some(settings) = state.book.settings() {
            for call in calls {
                let plan = state.planner.plan(call, settings, &mut state.rng);
                self.0.sending.send(settings, plan);
            }
        }
        Ok(calls.iter().map(|call| call.id().to_owned()).collect())
    }

    /// Makes calls one after the other, until it is stopped.
    async fn make_calls(self, args: CallsArgs) {
        let started = Instant::now();
        for number in 0..args.calls {
            let due = Duration::from_secs_f64(f64::from(number) / args.per_second);
            if !self.0.sending.wait(due.saturating_sub(started.elapsed())).await {
                return;
            }
            if self.make().is_err() {
                return;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn run(args: VendorArgs) -> Result<ExitCode, Failure> {
    let addr = settings::addr(args.addr, DEFAULT_PORT)?;
    let sdk_app_id = settings::sdk_app_id(args.sdk_app_id)?.unwrap_or(settings::SAMPLE_SDK_APP_ID);
    let setup = Setup {
        sdk_app_id,
        admin: args.admin,
        key: settings::secret_key(args.secret_key_file.as_deref())?,
        token: settings::tokens(args.token)?.into_iter().next().map(Token::from),
        state: args.state,
        record_delay: args.record_delay,
        errors: args.error,
        chances: args.chances,
    };
    let runtime = server::runtime()?;
    let (printer, last_lines) = Printer::start()?;
    let vendor = Vendor::open(setup, Some(Lines::new(printer, args.json)))?;

    // Before the first line, which tells others that they may now stop it.
    let signals = runtime
        .block_on(async { Signals::new() })
        .map_err(|error| Failure::new(format!("cannot listen to signals: {error}")))?;
    let server = Server::bind(addr)?;
    out::print(&format!("listening on {}\n", server.origin()))?;
    runtime.spawn(vendor.clone().make_calls(args.calls));
    let stop = {
        let vendor = vendor.clone();
        async move {
            signals.stop().await;
            vendor.0.sending.stop();
        }
    };
    let served = runtime.block_on(async {
        let served = server.run(vendor.router(), stop).await;
        vendor.0.sending.finish().await;
        served
    });
    served.map_err(|error| Failure::new(format!("cannot serve: {error}")))?;
    // With them goes whatever may still hold the printer.
    drop((vendor, runtime));
    last_lines.wait();
    Ok(ExitCode::SUCCESS)
}
