//! Callbacks to put in, and looks at what became of them.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use trtc_call_inbox::trtc_call_webhook::sender::Request;
use trtc_call_inbox::trtc_call_webhook::{Delivery, SdkApp, Undecoded, Verifier};
use trtc_call_inbox::{Clock, Filter, Inbox, Item, MemoryInbox, State};

pub(crate) const APP: u64 = 1_400_000_001;

pub(crate) const ENDED: &str = "Call.CallbackAfterEndCall";
pub(crate) const STARTED: &str = "Call.CallbackAfterStartCall";

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a lease is by default.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// An empty inbox in memory, the store beneath it, and its clock.
pub(crate) fn inbox() -> (Inbox, MemoryInbox, Clock) {
    let clock = Clock::manual();
    let store = MemoryInbox::with_clock(clock.clone());
    (store.clone().into(), store, clock)
}

/// The end of a call that nobody answered.
pub(crate) fn ended(call_id: &str) -> Delivery<Undecoded> {
    callback(ENDED, &format!(r#"{{"CallRecord":{{"CallId":"{call_id}","CallResult":"Cancel"}}}}"#))
}

/// The end of the same call, that would be billed.
pub(crate) fn ended_otherwise(call_id: &str) -> Delivery<Undecoded> {
    let times = r#""StartTime":1741231146,"AcceptTime":1741231150,"EndTime":1741231296"#;
    callback(
        ENDED,
        &format!(r#"{{"CallRecord":{{"CallId":"{call_id}","CallResult":"NormalEnd",{times}}}}}"#),
    )
}

/// The start of a call.
pub(crate) fn started(call_id: &str) -> Delivery<Undecoded> {
    callback(STARTED, &format!(r#"{{"CallInfo":{{"CallId":"{call_id}"}}}}"#))
}

/// Whatever has this command in its URL, and this body.
pub(crate) fn callback(command: &str, body: &str) -> Delivery<Undecoded> {
    let verifier = Verifier::builder().app(SdkApp::unsigned(APP)).build().unwrap();
    let request = Request::sample(APP, ENDED).command(command).with_body(body.to_owned());
    request.deliver_to(&verifier).unwrap().unwrap()
}

/// Puts callbacks in.
pub(crate) async fn put(inbox: &Inbox, callbacks: impl IntoIterator<Item = Delivery<Undecoded>>) {
    for callback in callbacks {
        assert!(inbox.accept(&callback).await.is_durable());
    }
}

/// All that is in there.
pub(crate) async fn items(inbox: &Inbox) -> Vec<Item> {
    inbox.list(Filter::all(), 10_000).await.unwrap()
}

/// The only item.
pub(crate) async fn item(inbox: &Inbox) -> Item {
    let mut items = items(inbox).await;
    assert_eq!(items.len(), 1, "{items:?}");
    items.remove(0)
}

/// Waits until so many items are in a state. How often it looks decides nothing.
pub(crate) async fn until(inbox: &Inbox, state: State, count: u64) {
    let look = async {
        while inbox.stats(None).await.unwrap().count(state) != count {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(PATIENCE, look).await.expect("it comes to that");
}

/// A test that waits longer fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10 * 60);
