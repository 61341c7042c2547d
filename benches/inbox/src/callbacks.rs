//! Callbacks of calls that ended: signed, of two members, each of another call.

use std::time::{Duration, SystemTime};

use trtc_call_inbox::NewItem;
use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{CallEnded, Delivery, SdkApp, Token, Undecoded, Verifier};

use crate::Result;

const APP: u64 = 1_400_000_001;
const TOKEN: &str = "xxxxyyyy";

/// In the place of the call's id.
const CALL_ID: &str = "CALL_ID";

/// Wider than a run takes, so that one signature lasts.
const WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// Makes callbacks.
#[derive(Clone)]
pub(crate) struct Callbacks {
    verifier: Verifier,
    request: Request,
    body: String,
}

impl Callbacks {
    pub(crate) fn new() -> Result<Self> {
        let call = CallEnded::new(CALL_ID)
            .with_caller("user-10001")
            .with_members(["user-10001", "user-10002"])
            .with_media_type("Audio")
            .with_call_type("SingleCall")
            .with_result("NormalEnd")
            .with_start_time(1_741_231_146)
            .with_accept_time(1_741_231_156)
            .with_end_time(1_741_231_296)
            .with_event_time(1_741_231_296_780);
        let request = Request::new(APP, call).signed(&Token::new(TOKEN), SystemTime::now());
        let body = String::from_utf8(request.body().to_vec())?;
        Ok(Self { verifier: verifier()?, request, body })
    }

    /// One of a call that is not known yet.
    pub(crate) fn next(&self) -> Delivery<Undecoded> {
        let call_id = format!("{:032x}-end", fastrand::u128(..));
        let request = self.request.clone().with_body(self.body.replacen(CALL_ID, &call_id, 1));
        let delivery = request.deliver_to(&self.verifier).expect("it is signed");
        delivery.expect("all are taken")
    }

    /// So many as a store is given them.
    pub(crate) fn items(&self, count: usize) -> Vec<NewItem> {
        (0..count).map(|_| NewItem::of(&self.next())).collect()
    }

    /// What stands behind the `?`.
    pub(crate) fn query(&self) -> String {
        self.request.query()
    }

    /// A body without a call's id.
    pub(crate) fn body(&self) -> &str {
        &self.body
    }
}

/// Takes the callbacks that are made here.
pub(crate) fn verifier() -> Result<Verifier> {
    let app = SdkApp::signed(APP, Token::new(TOKEN));
    Ok(Verifier::builder().app(app).replay_window(WINDOW).build()?)
}
