//! expect: `String` is no event of Tencent RTC Call
//! expect: take `CallEnded`, `CallStarted`, `MemberChanged`, `Callback` or `Undecoded`

use trtc_call_webhook_actix_web::{Ack, Webhook};

async fn on_call_end(_: Webhook<String>) -> Ack {
    Ack::ok()
}

fn main() {
    let _ = actix_web::web::resource("/").to(on_call_end);
}
