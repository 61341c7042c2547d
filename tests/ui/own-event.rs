//! expect: `Mine` is no event of Tencent RTC Call

use trtc_call_webhook::{Receipt, Receiver};

struct Mine;

fn main() {
    let receiver = Receiver::builder().app(7).build().unwrap();
    let head = receiver.check("POST", "SdkAppid=7", None).unwrap();
    let _: Result<Receipt<Mine>, _> = head.receive("{}");
}
