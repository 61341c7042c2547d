//! expect: `Mine` is no event of Tencent RTC Call

use trtc_call_webhook::adapter::{RequestHead, Receipt};
use trtc_call_webhook::{Verifier, SdkApp};

struct Mine;

fn main() {
    let verifier = Verifier::builder().app(SdkApp::unsigned(7)).build().unwrap();
    let head = verifier.check(RequestHead::new("POST", "SdkAppid=7")).unwrap();
    let _: Result<Receipt<Mine>, _> = head.receive("{}");
}
