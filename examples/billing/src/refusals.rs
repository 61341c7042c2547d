//! How many requests were refused, and why.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use trtc_call_webhook_axum::Error;

use std::io::Write as _;

/// A count for each kind of refusal.
///
/// A server that has metrics would add to those here. Not where strangers can read them: the counts
/// tell apart what the answers do not.
#[derive(Clone, Default)]
pub(crate) struct Refusals(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Refusals {
    /// The middleware that counts: a refusal leaves its error with the response.
    pub(crate) async fn count(State(this): State<Self>, request: Request, next: Next) -> Response {
        let response = next.run(request).await;
        if let Some(error) = response.extensions().get::<Error>() {
            let mut counts = this.0.lock().unwrap_or_else(PoisonError::into_inner);
            let count = counts.entry(error.kind().as_str()).or_default();
            *count = count.saturating_add(1);
        }
        response
    }

    pub(crate) fn report(&self) {
        for (kind, count) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = writeln!(std::io::stderr(), "refused, {kind}: {count}");
        }
    }
}
