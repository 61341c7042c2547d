//! The receiver that the demo sends to.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{FromRef, State};
use axum::routing::any;
use trtc_call_webhook::{IdempotencyKey, Token};
use trtc_call_webhook_axum::{Ack, Callback, SdkApp, SdkAppId, Verifier, Webhook};

use crate::failure::Failure;
use crate::server;

/// What the handler was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) callback: Callback,
    /// Whether a callback with the same key was there before.
    pub(super) is_duplicate: bool,
}

/// Where the handler writes what it was given.
#[derive(Clone, Default)]
pub(super) struct Notebook(Arc<Mutex<Notes>>);

#[derive(Default)]
struct Notes {
    keys: HashSet<IdempotencyKey>,
    seen: Vec<Seen>,
}

impl Notebook {
    /// What was written since the last time.
    pub(super) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.notes().seen)
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone)]
struct Backend {
    verifier: Verifier,
    notebook: Notebook,
}

impl FromRef<Backend> for Verifier {
    fn from_ref(backend: &Backend) -> Self {
        backend.verifier.clone()
    }
}

/// A receiver for one app with one token, and what its handler writes.
pub(super) fn router(sdk_app_id: SdkAppId, token: Token) -> Result<(Router, Notebook), Failure> {
    let verifier = Verifier::builder().app(SdkApp::signed(sdk_app_id, token)).build()?;
    let notebook = Notebook::default();
    let backend = Backend { verifier, notebook: notebook.clone() };
    Ok((Router::new().route(server::PATH, any(on_callback)).with_state(backend), notebook))
}

async fn on_callback(
    State(Backend { notebook, .. }): State<Backend>,
    Webhook(callback): Webhook<Callback>,
) -> Ack {
    let mut notes = notebook.notes();
    let is_duplicate = !notes.keys.insert(callback.idempotency_key().clone());
    notes.seen.push(Seen { callback: callback.event().clone(), is_duplicate });
    Ack::ok()
}
