//! expect: `Mine` is no event of Tencent RTC Call

use trtc_call_webhook::{Receipt, Verifier};

struct Mine;

fn main() {
    let verifier = Verifier::builder().app(7).build().unwrap();
    let head = verifier.check("POST", "SdkAppid=7", None).unwrap();
    let _: Result<Receipt<Mine>, _> = head.receive("{}");
}
