//! `trtc-call listen`: a receiver for one's own machine.

mod kept;
mod line;

use std::process::ExitCode;

use axum::Router;
use axum::extract::{FromRef, State};
use axum::middleware;
use axum::response::Response;
use axum::routing::any;
use trtc_call_webhook::Signature;
use trtc_call_webhook_axum::{Ack, Callback, Error, Verifier, Webhook};

use crate::args::ListenArgs;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::server::{self, Server};
use crate::signals::Signals;
use crate::store::Store;
use crate::{out, settings};

/// Where it listens unless told otherwise.
const DEFAULT_PORT: u16 = 8080;

#[derive(Clone)]
struct Listener {
    verifier: Verifier,
    /// Standard output.
    lines: Printer,
    /// Standard error, which may have a reader that stalls as well.
    notes: Printer,
    report_only: bool,
    json: bool,
}

impl Listener {
    fn note(&self, note: String) {
        self.notes.note(move || out::note(&note));
    }

    /// Tells what is wrong with a signature that refuses nothing.
    fn note_signature(&self, signature: Signature) {
        if self.report_only
            && let Some(reason) = signature.reason()
        {
            let kind = reason.kind();
            self.note(format!("would be refused with {}: {kind}: {reason}", kind.status()));
        }
    }
}

impl FromRef<Listener> for Verifier {
    fn from_ref(listener: &Listener) -> Self {
        listener.verifier.clone()
    }
}

pub(crate) fn run(args: ListenArgs) -> Result<ExitCode, Failure> {
    let addr = settings::addr(args.addr, DEFAULT_PORT)?;
    let sdk_app_id = settings::sdk_app_id(args.sdk_app_id)?.unwrap_or(settings::SAMPLE_SDK_APP_ID);
    let tokens = settings::tokens(args.token)?;
    let app = settings::app(sdk_app_id, &tokens, args.report_only)?;
    let verifier = Verifier::builder().app(app).build()?;
    let runtime = server::runtime()?;
    let (inbox, runtime) = match settings::inbox(args.inbox)? {
        None => (None, runtime),
        Some(place) => {
            let (store, runtime) = Store::open(place, false, runtime)?;
            (Some(store.inbox()), runtime)
        }
    };
    let (lines, last_lines) = Printer::start()?;
    let (notes, last_notes) = Printer::start()?;
    let (report_only, json) = (args.report_only, args.json);
    let listener = Listener { verifier, lines, notes, report_only, json };
    // `any`, so that the webhook answers 405 to other methods, and not the router.
    let on_callback = match inbox {
        None => any(on_callback),
        Some(inbox) => kept::handler(inbox),
    };
    let router = Router::new()
        .route(server::PATH, on_callback)
        .layer(middleware::map_response_with_state(listener.clone(), note_refusal))
        .with_state(listener);

    // Before the first line, which tells others that they may now stop it.
    let signals = runtime
        .block_on(async { Signals::new() })
        .map_err(|error| Failure::new(format!("cannot listen to signals: {error}")))?;
    let server = Server::bind(addr)?;
    if tokens.is_empty() {
        out::note("there is no token: only the SDKAppID is checked");
    } else if report_only {
        out::note("what is wrong with a signature is only reported");
    }
    out::print(&format!("listening on {}\n", server.url()))?;
    runtime
        .block_on(server.run(router, signals.stop()))
        .map_err(|error| Failure::new(format!("cannot serve: {error}")))?;
    // With it goes whatever may still hold a printer.
    drop(runtime);
    last_lines.wait();
    last_notes.wait();
    Ok(ExitCode::SUCCESS)
}

/// Without an inbox: acknowledges only what somebody could read.
async fn on_callback(
    State(listener): State<Listener>,
    Webhook(callback): Webhook<Callback>,
) -> Ack {
    listener.note_signature(callback.signature());
    let printed = match line::line(&callback, Ok(Some(callback.event())), None, listener.json) {
        Ok(line) => listener.lines.print(move || line.print()).await,
        Err(error) => Err(error),
    };
    match printed {
        Ok(()) => Ack::ok(),
        Err(error) => {
            listener.note(format!("a callback is not kept: {error}"));
            Ack::fail(1, "the callback is not kept")
        }
    }
}

/// Tells the person at the terminal, unlike the peer, what is wrong with a request.
async fn note_refusal(State(listener): State<Listener>, response: Response) -> Response {
    if let Some(error) = response.extensions().get::<Error>() {
        listener.note(format!("refused with {}: {error}", response.status().as_u16()));
    }
    response
}
