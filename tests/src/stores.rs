//! What every store must do: one set of behaviours, with a clock that is moved by hand.

mod admin;
mod lease;
mod put;
mod records;
mod work;

use std::sync::Arc;
use std::time::Duration;

use trtc_call_inbox::store::{
    Lease, LeaseRequest, Leased, LeasedItem, Outcome, Put, Settlement, Store,
};
use trtc_call_inbox::{Clock, DoneAs, Inbox, Item, ItemId, NewItem, State};
use trtc_call_inbox_postgres::PostgresInbox;
use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{CallEnded, Delivery, SdkApp, Undecoded, Verifier};

pub use {admin::*, lease::*, put::*, records::*, work::*};

/// An empty store, opened twice, and its clock.
pub struct Stage {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The same data by another connection, as another process has it.
    pub other: Arc<dyn Store>,
    /// The clock of both.
    pub clock: Clock,
    /// The server whose schema has a clock of its own, which moves along.
    pub server: Option<PostgresInbox>,
}

/// The app of most items.
const APP: u64 = 1_400_000_001;

/// Who leases, if nothing else is said, and somebody else.
const OWNER: i64 = 1;
const OTHER: i64 = 2;

const TERM: Duration = Duration::from_secs(30);
const MAX_LOST: u32 = 3;
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A call that was connected for so many seconds.
fn ended(call_id: &str, seconds: i64) -> CallEnded {
    let accepted = 1_741_231_000;
    let call = CallEnded::new(call_id).with_caller("10001").with_members(["10001", "10002"]);
    call.with_result("NormalEnd").with_accept_time(accepted).with_end_time(accepted + seconds)
}

/// A callback, as a verifier of its app hands it over.
///
/// # Panics
///
/// If it is refused.
#[must_use]
pub fn deliver(app: u64, request: &Request) -> Delivery<Undecoded> {
    let verifier = Verifier::builder()
        .app(SdkApp::unsigned(app))
        .body_limit(1 << 21)
        .build()
        .expect("a verifier");
    request.deliver_to(&verifier).expect("it is accepted").expect("all is taken")
}

fn delivery(call_id: &str, seconds: i64) -> Delivery<Undecoded> {
    deliver(APP, &Request::new(APP, ended(call_id, seconds)))
}

fn with_body(body: impl Into<Vec<u8>>) -> Delivery<Undecoded> {
    deliver(APP, &Request::new(APP, ended("of no matter", 1)).with_body(body.into()))
}

fn item(call_id: &str, seconds: i64) -> NewItem {
    NewItem::of(&delivery(call_id, seconds))
}

impl Stage {
    async fn put(&self, item: NewItem) -> Put {
        self.store.put(vec![item]).await.expect("a put")[0]
    }

    async fn stored(&self, call_id: &str) -> ItemId {
        match self.put(item(call_id, 9)).await {
            Put::Stored(id) => id,
            put => panic!("{call_id}: {put:?}"),
        }
    }

    fn request(owner: i64) -> LeaseRequest {
        LeaseRequest::new(owner, 100, TERM, MAX_LOST)
    }

    async fn lease_as(&self, request: LeaseRequest) -> Leased {
        self.store.lease(request).await.expect("a lease")
    }

    async fn leased(&self) -> Vec<LeasedItem> {
        self.lease_as(Self::request(OWNER)).await.items
    }

    async fn leased_ids(&self) -> Vec<ItemId> {
        ids(&self.leased().await)
    }

    /// The only item that is due.
    async fn one(&self) -> LeasedItem {
        let [item] = self.leased().await.try_into().expect("one item");
        item
    }

    async fn settle(&self, lease: Lease, outcome: Outcome) -> bool {
        self.store.settle(vec![Settlement { lease, outcome }]).await.expect("a settlement")[0]
    }

    /// Leases the only item that is due, and settles it.
    async fn work(&self, outcome: Outcome) -> LeasedItem {
        let item = self.one().await;
        assert!(self.settle(item.lease, outcome).await);
        item
    }

    async fn get(&self, id: ItemId) -> Item {
        self.other.get(id).await.expect("a read").expect("an item")
    }

    async fn state(&self, id: ItemId) -> State {
        self.get(id).await.state
    }

    /// Moves the clock.
    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.tell_server().await;
    }

    async fn set_back(&self, by: Duration) {
        self.clock.set_back(by);
        self.tell_server().await;
    }

    async fn tell_server(&self) {
        if let Some(server) = &self.server {
            server.set_test_time(Some(self.clock.now())).await.expect("a time");
        }
    }

    fn inbox(&self) -> Inbox {
        Inbox::of(Arc::clone(&self.store))
    }
}

/// For what may have ended another process.
fn suspects(owner: i64) -> LeaseRequest {
    let mut request = Stage::request(owner);
    request.suspects = true;
    request
}

fn ids(items: &[LeasedItem]) -> Vec<ItemId> {
    items.iter().map(|item| item.lease.item).collect()
}

const DONE: Outcome = Outcome::Done(DoneAs::Handled);

fn retry(after: Duration) -> Outcome {
    Outcome::Retry { after, counted: true, error: "away".to_owned() }
}

fn dead() -> Outcome {
    Outcome::Dead { error: "for good".to_owned() }
}
