//! `trtc-call listen`: a receiver for one's own machine.

mod line;
mod signals;

use std::process::ExitCode;

use axum::Router;
use axum::extract::{FromRef, State};
use axum::middleware;
use axum::response::Response;
use axum::routing::any;
use trtc_call_webhook_axum::{Ack, App, Callback, Error, Verifier, Webhook};

use self::signals::Signals;
use crate::args::ListenArgs;
use crate::failure::Failure;
use crate::server::{self, Server};
use crate::{out, settings};

/// The app unless told otherwise: the vendor's samples have numbers of this form.
const DEFAULT_SDK_APP_ID: u64 = 1_400_000_001;

#[derive(Clone)]
struct Listener {
    verifier: Verifier,
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
    let is_signed = !tokens.is_empty();
    let app = App::new(sdk_app_id);
    let app = if is_signed { app.tokens(tokens) } else { app };
    let verifier = Verifier::builder().app(app).build()?;
    let router = Router::new()
        // `any`, so that the webhook answers 405 to other methods, and not the router.
        .route(server::PATH, any(on_callback))
        .layer(middleware::map_response(note_refusal))
        .with_state(Listener { verifier, json: args.json });

    server::runtime()?.block_on(async {
        // Before the first line, which tells others that they may now stop it.
        let signals = Signals::new()
            .map_err(|error| Failure::new(format!("cannot listen to signals: {error}")))?;
        let server = Server::bind(addr).await?;
        if !is_signed {
            out::note("there is no token: only the SDKAppID is checked");
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
