//! `trtc-call listen`: a receiver for one's own machine.

mod line;
mod signals;

use std::process::ExitCode;

use axum::Router;
use axum::extract::{FromRef, State};
use axum::middleware;
use axum::response::Response;
use axum::routing::any;
use trtc_call_webhook_axum::{Ack, Callback, Error, SdkAppId, Verifier, Webhook};

use self::signals::Signals;
use crate::args::ListenArgs;
use crate::failure::Failure;
use crate::server::{self, Server};
use crate::{out, settings};

/// The app unless told otherwise: the vendor's samples have numbers of this form.
const DEFAULT_SDK_APP_ID: SdkAppId = SdkAppId::new(1_400_000_001);

#[derive(Clone)]
struct Listener {
    verifier: Verifier,
    report_only: bool,
    json: bool,
}

impl FromRef<Listener> for Verifier {
    fn from_ref(listener: &Listener) -> Self {
        listener.verifier.clone()
    }
}

pub(crate) fn run(args: ListenArgs) -> Result<ExitCode, Failure> {
    let addr = settings::addr(args.addr)?;
    let sdk_app_id = settings::sdk_app_id(args.sdk_app_id)?.unwrap_or(DEFAULT_SDK_APP_ID);
    let tokens = settings::tokens(args.token)?;
    let app = settings::app(sdk_app_id, &tokens, args.report_only)?;
    let verifier = Verifier::builder().app(app).build()?;
    let router = Router::new()
        // `any`, so that the webhook answers 405 to other methods, and not the router.
        .route(server::PATH, any(on_callback))
        .layer(middleware::map_response(note_refusal))
        .with_state(Listener { verifier, report_only: args.report_only, json: args.json });

    server::runtime()?.block_on(async {
        // Before the first line, which tells others that they may now stop it.
        let signals = Signals::new()
            .map_err(|error| Failure::new(format!("cannot listen to signals: {error}")))?;
        let server = Server::bind(addr).await?;
        if tokens.is_empty() {
            out::note("there is no token: only the SDKAppID is checked");
        } else if args.report_only {
            out::note("what is wrong with a signature is only reported");
        }
        out::print(&format!("listening on {}\n", server.url()))?;
        server.run(router, signals.stop()).await;
        Ok(ExitCode::SUCCESS)
    })
}

/// Acknowledges only what somebody could read.
async fn on_callback(
    State(listener): State<Listener>,
    Webhook(callback): Webhook<Callback>,
) -> Ack {
    if listener.report_only
        && let Some(reason) = callback.signature().reason()
    {
        let kind = reason.kind();
        out::note(&format!("would be refused with {}: {kind}: {reason}", kind.status()));
    }
    let printed = if listener.json {
        line::json(&callback).and_then(out::try_print_line)
    } else {
        out::try_print(&line::text(&callback))
    };
    match printed {
        Ok(()) => Ack::ok(),
        Err(error) => {
            out::note(&format!("a callback is not kept: {error}"));
            Ack::fail(1, "the callback is not kept")
        }
    }
}

/// Tells the person at the terminal, unlike the peer, what is wrong with a request.
async fn note_refusal(response: Response) -> Response {
    if let Some(error) = response.extensions().get::<Error>() {
        out::note(&format!("refused with {}: {error}", response.status().as_u16()));
    }
    response
}
