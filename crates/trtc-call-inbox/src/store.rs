//! What a store has to do: for whoever writes one, and for the worker.
//!
//! Users need none of this: an [`Inbox`](crate::Inbox) is made of any store, and is what they call.

mod error;
mod records;

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use trtc_call_webhook::{Command, SdkAppId};

pub use crate::compared::{Compared, ComparedBodies};
use crate::item::{Confirmation, DoneAs, Item, ItemId, NewItem, SignatureFound, Source};
use crate::query::{Filter, Stats};

pub use self::error::{StoreError, StoreErrorKind};
pub use self::records::{
    Answer, AskRequest, Asked, AskedItem, Budget, FIRST_ASKED, KnownItem, KnownKey, LONGEST_DELAY,
    PutRecord, Ruling, Scope,
};
#[doc(hidden)]
pub use crate::throttle::Throttle;

/// A future of a store.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// How far clocks of different processes may be apart, or set back, before a lease is taken for one of a
/// wrong clock.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);

/// What a store takes a longer lease or delay for: 100 years, so that no time is beyond what it can keep.
pub const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A durable place for items. The tests of this repository hold every store to the same suite.
///
/// Whatever changes something is durable before it is answered, and is one transaction: all of a batch,
/// or none. A future that is dropped may have done its work, or not.
///
/// A later version may add methods with a body.
pub trait Store: Any + fmt::Debug + Send + Sync {
    /// Keeps items, each under its key, and says of each what it was.
    ///
    /// For a new key the item waits, due at once. Under a key that is there, an item is a
    /// [`Duplicate`](Put::Duplicate) if a body of the key is the same to the byte or if
    /// [`ComparedBodies::have`] says so. Otherwise it is stored as disputed, and so becomes every item
    /// of the key that is not done; a lease of one of them is lost.
    fn put(&self, items: Vec<NewItem>) -> StoreFuture<'_, Vec<Put>>;

    /// Hands out items that are due, the longest due first, and counts an attempt for each.
    ///
    /// First takes back what other owners have leased and whose lease has ended, or ends later than a
    /// lease can by more than [`CLOCK_TOLERANCE`] (a clock was set back), and counts a lost lease for
    /// each; at
    /// [`max_lost_leases`](LeaseRequest::max_lost_leases) the item is dead. Leases of the same owner are
    /// never taken back by time. An item that is due further ahead than it was put off for is due.
    fn lease(&self, request: LeaseRequest) -> StoreFuture<'_, Leased>;

    /// Makes leases end so long from now, and says of each whether it is still held. Does not wait
    /// for what a transaction of the user's holds.
    fn renew(&self, leases: Vec<Lease>, term: Duration) -> StoreFuture<'_, Vec<bool>>;

    /// Ends leases, and says of each whether it was still held: if not, nothing is changed.
    fn settle(&self, settlements: Vec<Settlement>) -> StoreFuture<'_, Vec<bool>>;

    /// Makes items that are dead, or that wait for another try or for their record, wait as if they were new:
    /// due at once, with no attempts and no error behind them. Says of each whether it was one of those.
    fn replay(&self, items: Vec<ItemId>) -> StoreFuture<'_, Vec<bool>>;

    /// Makes items that wait, also for their record, are dead or disputed done as discarded. Says of each
    /// whether it was.
    fn discard(&self, items: Vec<ItemId>) -> StoreFuture<'_, Vec<bool>>;

    /// Decides the dispute of an item's key in its favour, or decides it anew: the others that are not
    /// done are done as rejected. If another one of the key was handled last, the item waits as a
    /// correction of that one; if itself was, nothing is left to do; otherwise it waits. An item that waits
    /// for its record, or is dead for want of one, is decided so too. One that waits then is
    /// [`Resolved`](Confirmation::Resolved): nobody is asked for its record.
    fn resolve(&self, item: ItemId) -> StoreFuture<'_, Resolved>;

    /// Keeps what the vendor's records say, each under its key: as [`KnownKey::rule`] decides where the key is
    /// known, and otherwise as an item that waits. What was disputed, or waited for this, is decided.
    fn put_records(&self, records: Vec<NewItem>, scope: Scope) -> StoreFuture<'_, Vec<PutRecord>>;

    /// Hands out items that wait for their record, and disputed ones that have one and were not given up: the
    /// longest due first, as many as the [`Budget`] has. Nobody else gets them for the term. Those that are due
    /// further ahead than [`LONGEST_DELAY`] are due.
    fn ask(&self, request: AskRequest) -> StoreFuture<'_, Asked>;

    /// Keeps what came of questions. Says of each whether it was still to be asked: if not, nothing is changed.
    fn answer(&self, answers: Vec<(Lease, Answer)>) -> StoreFuture<'_, Vec<bool>>;

    /// Makes an owner, for so long, the one who reconciles an app, and gives what was kept of how far that
    /// got. `None` if another one is; as long as that one's lease ends by the same rule as that of an item. A term
    /// of zero gives it up.
    fn lead(&self, app: SdkAppId, owner: i64, term: Duration) -> StoreFuture<'_, Option<Lead>>;

    /// Keeps how far reconciling got, and says whether the owner still is the one who does.
    fn keep_progress(&self, app: SdkAppId, owner: i64, progress: String) -> StoreFuture<'_, bool>;

    /// Removes the bodies, the records and the last errors of items that are done, and of nothing else, from all
    /// that the store keeps. Says of each whether it was done. For no items it still removes what an
    /// earlier call that failed has left, in a log for example.
    fn erase(&self, items: Vec<ItemId>) -> StoreFuture<'_, Vec<bool>>;

    /// Removes at most `limit` items that are done and as many keys, each longer ago than said.
    fn prune(&self, retention: Retention, limit: usize) -> StoreFuture<'_, Pruned>;

    /// Items by their numbers, at most `limit`, with their bodies if asked.
    fn list(&self, filter: Filter, limit: usize, with_bodies: bool) -> StoreFuture<'_, Vec<Item>>;

    /// One item with its body.
    fn get(&self, item: ItemId) -> StoreFuture<'_, Option<Item>>;

    /// How many items there are, of one app or of all.
    fn stats(&self, sdk_app_id: Option<SdkAppId>) -> StoreFuture<'_, Stats>;

    /// Whether it could store something now: it does, and rolls back.
    fn health(&self) -> StoreFuture<'_, ()>;
}

/// What became of an item that was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is new, and waits.
    Stored(ItemId),
    /// It would be billed as one that is known: nothing is to be done for it.
    Duplicate,
    /// It would be billed differently from another one of its key. Neither is worked until a person, or
    /// the vendor's record, decides.
    Disputed {
        /// The new item.
        item: ItemId,
        /// Whether one of the key was done already, and may have been billed wrongly.
        after_done: bool,
    },
}

/// The right to reconcile an app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lead {
    /// How far it got, in the words of whoever kept it.
    pub progress: Option<String>,
}

/// Which items a worker wants.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseRequest {
    /// Who wants them: random for each start of a process.
    pub owner: i64,
    /// The most of them.
    pub limit: usize,
    /// For how long they are leased.
    pub term: Duration,
    /// How many leases in a row an item may lose.
    pub max_lost_leases: u32,
    /// Whether to hand out, instead of those that are healthy, those whose last lease was lost.
    pub suspects: bool,
    /// Whether an item has to wait for the earlier ones of its call that wait or are leased.
    pub ordered_by_call: bool,
}

impl LeaseRequest {
    /// For healthy items, in the order in which they are due.
    #[must_use]
    pub fn new(owner: i64, limit: usize, term: Duration, max_lost_leases: u32) -> Self {
        Self { owner, limit, term, max_lost_leases, suspects: false, ordered_by_call: false }
    }
}

/// What a worker gets.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Leased {
    /// The items, with their bodies.
    pub items: Vec<LeasedItem>,
    /// Whether items whose last lease was lost are due.
    pub suspects_due: bool,
    /// In how long the next item is due that is not yet, if any is.
    pub next_due: Option<Duration>,
    /// The items that were given up since they lost too many leases.
    pub died: Vec<ItemId>,
}

/// The right to settle an item: it is lost when somebody else gets one for the item, and when a
/// dispute stops it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The item.
    pub item: ItemId,
    /// What tells this lease from every other one of the item.
    pub token: i64,
}

/// One item in a worker's hands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LeasedItem {
    /// The right to settle it.
    pub lease: Lease,
    /// The idempotency key.
    pub key: String,
    /// The app.
    pub sdk_app_id: SdkAppId,
    /// The command that the URL had.
    pub command: Option<Command>,
    /// The call, where the body decodes and names one.
    pub call_id: Option<String>,
    /// Who said so.
    pub source: Source,
    /// What the signature was found to be.
    pub signature: SignatureFound,
    /// The body.
    pub body: Bytes,
    /// The vendor's record of its call, as the body of a callback.
    pub record: Option<Bytes>,
    /// What came of asking for it.
    pub confirmation: Option<Confirmation>,
    /// When it was stored.
    pub received_at: SystemTime,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// How long ago the first attempt was, by the store's clock.
    pub since_first_attempt: Duration,
    /// The done item that this one corrects.
    pub replaces: Option<ItemId>,
}

impl LeasedItem {
    /// An item that is leased for the first time now.
    #[must_use]
    pub fn new(lease: Lease, item: Item, since_first_attempt: Duration) -> Self {
        Self {
            lease,
            key: item.key,
            sdk_app_id: item.sdk_app_id,
            command: item.command,
            call_id: item.call_id,
            source: item.source,
            signature: item.signature,
            body: item.body.unwrap_or_default(),
            record: item.record,
            confirmation: item.confirmation,
            received_at: item.received_at,
            attempt: item.attempts,
            since_first_attempt,
            replaces: item.replaces,
        }
    }

    /// What a handler's event is decoded from: the record, or else the body.
    #[must_use]
    pub fn event_body(&self) -> &Bytes {
        self.record.as_ref().unwrap_or(&self.body)
    }

    /// The command by which [`event_body`](Self::event_body) is decoded.
    #[must_use]
    pub fn command_of_event(&self) -> Option<&Command> {
        if self.record.is_some() { Some(&Command::CallEnded) } else { self.command.as_ref() }
    }
}

/// How a lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Which one.
    pub lease: Lease,
    /// What becomes of the item.
    pub outcome: Outcome,
}

/// What becomes of an item when its lease is ended. A word was given: it has lost no lease in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done(DoneAs),
    /// It waits, for so long.
    Retry {
        /// How long.
        after: Duration,
        /// Whether the attempt counts.
        counted: bool,
        /// Why, at most 1 KiB.
        error: String,
    },
    /// It is dead.
    Dead {
        /// Why, at most 1 KiB.
        error: String,
    },
    /// It was not tried: it waits as before, due at once, and the attempt is not counted.
    GiveBack,
    /// It was not tried, and waits for its record, which is asked for [`FIRST_ASKED`] after its arrival.
    AskRecord,
    /// It was not tried, and is dead: its record does not tell what to bill.
    Undecidable {
        /// Why, at most 1 KiB.
        error: String,
    },
}

/// How a dispute was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resolved {
    /// The item waits, and is worked.
    Waits,
    /// It waits, and corrects this one when it is worked.
    Corrects(ItemId),
    /// It was handled already, and stays.
    Stays,
    /// There is no such item, there was nothing to decide, it is being worked, or its body is gone.
    NotDisputed,
}

/// How long things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// Items that are done, since they were.
    pub done: Duration,
    /// Keys without items, since the last delivery under them.
    pub keys: Duration,
}

impl Retention {
    const DAY: u64 = 24 * 60 * 60;

    /// The vendor answers for a call's record for 7 days: no key may go before.
    pub const MIN_KEYS: Duration = Duration::from_secs(7 * Self::DAY);

    /// So long; keys never for less than [`MIN_KEYS`](Self::MIN_KEYS).
    #[must_use]
    pub fn new(done: Duration, keys: Duration) -> Self {
        Self { done, keys: keys.max(Self::MIN_KEYS) }
    }
}

impl Default for Retention {
    /// 7 days, and 30 days.
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(days.saturating_mul(Self::DAY));
        Self::new(days(7), days(30))
    }
}

/// What a pruning removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pruned {
    /// So many items.
    pub items: u64,
    /// So many keys.
    pub keys: u64,
}

impl Pruned {
    /// So many of each.
    #[must_use]
    pub const fn new(items: u64, keys: u64) -> Self {
        Self { items, keys }
    }
}
