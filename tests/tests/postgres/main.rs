//! The inbox on PostgreSQL, against real servers: what is beyond the suite that every store passes.

mod opening;
mod plans;
mod reaching;
mod settings;
mod tls;
mod transactions;
mod warnings;

use std::sync::Arc;

use conformance::stores::deliver;
use tokio::sync::Notify;
use trtc_call_inbox::store::{Lease, LeaseRequest, Put, Store};
use trtc_call_inbox::{ItemId, NewItem, State};
use trtc_call_inbox_postgres::PostgresInbox;
use trtc_call_webhook::CallEnded;
use trtc_call_webhook::sender::Request;

const APP: u64 = 1_400_000_001;

/// A call that was connected for so many seconds.
fn call(call_id: &str, seconds: i64) -> NewItem {
    let accepted = 1_741_231_000;
    let call = CallEnded::new(call_id).with_caller("1").with_result("NormalEnd");
    let call = call.with_accept_time(accepted).with_end_time(accepted + seconds);
    NewItem::of(&deliver(APP, &Request::new(APP, call)))
}

/// The vendor's record of it.
fn record(call_id: &str, seconds: i64) -> NewItem {
    NewItem::of_record(APP, call(call_id, seconds).body).unwrap()
}

async fn put(inbox: &PostgresInbox, item: NewItem) -> ItemId {
    match inbox.put(vec![item]).await.unwrap()[..] {
        [Put::Stored(item) | Put::Disputed { item, .. }] => item,
        ref puts => panic!("{puts:?}"),
    }
}

/// Leases all that is due.
async fn lease(inbox: &PostgresInbox) -> Vec<Lease> {
    let term = std::time::Duration::from_secs(30);
    let leased = inbox.lease(LeaseRequest::new(1, 100, term, 3)).await.unwrap();
    leased.items.iter().map(|item| item.lease).collect()
}

async fn state(inbox: &PostgresInbox, item: ItemId) -> State {
    inbox.get(item).await.unwrap().unwrap().state
}

/// Two that wait for each other's word.
fn signals() -> [Arc<Notify>; 2] {
    [Arc::default(), Arc::default()]
}
