//! expect: `String` is no event of Tencent RTC Call
//! expect: take `CallEnded`, `CallStarted`, `MemberChanged`, `Callback` or `Undecoded`

use trtc_call_webhook_tower::{Verifier, WebhookLayer, SdkApp};

fn main() {
    let verifier = Verifier::builder().app(SdkApp::unsigned(7)).build().unwrap();
    let _ = WebhookLayer::<String>::new(verifier);
}
