//! expect: `String` is no event of Tencent RTC Call
//! expect: take `CallEnded`, `CallStarted`, `MemberChanged`, `Callback` or `Undecoded`

use trtc_call_webhook_axum::{Ack, Webhook};

async fn on_call_end(_: Webhook<String>) -> Ack {
    Ack::ok()
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", axum::routing::post(on_call_end));
}
