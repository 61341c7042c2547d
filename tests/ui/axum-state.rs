//! expect: Verifier: FromRef<S>

use trtc_call_webhook_axum::{Ack, Webhook};

#[derive(Clone)]
struct AppState;

#[axum::debug_handler(state = AppState)]
async fn on_call_end(_: Webhook) -> Ack {
    Ack::ok()
}

fn main() {
    let router = axum::Router::new().route("/", axum::routing::post(on_call_end));
    let _: axum::Router = router.with_state(AppState);
}
