//! The handle that every store becomes.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use tokio::sync::{Notify, RwLock};
use trtc_call_webhook::{Callback, Command, Delivery, Event, SdkAppId};

use crate::acceptance::{self, Acceptance};
use crate::item::{Item, ItemId, NewItem, State};
use crate::query::{Filter, Stats};
use crate::store::{Pruned, Put, PutRecord, Resolved, Retention, Scope, Store, StoreError};
use crate::worker::WorkerBuilder;
use crate::{log, metrics};

/// The most items that are changed, pruned, or looked at, in one transaction: so few that nobody who puts
/// has to wait long.
pub(crate) const BATCH: usize = 50;

/// The durable inbox: callbacks go in before they are acknowledged, and a worker takes them out.
///
/// A cheap handle; clones are the same inbox. Make one of a store in a process, and clone it: another one
/// of the same store is to it as another process is.
#[derive(Clone)]
pub struct Inbox {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    /// Who leases here.
    pub(crate) owner: Owner,
    /// Woken when something was stored here.
    pub(crate) stored: Notify,
    /// Held for reading by every job, and for writing by one that has to run alone.
    pub(crate) alone: Arc<RwLock<()>>,
}

/// Whose leases are those of this process: random for each start.
pub(crate) struct Owner(AtomicI64);

impl Owner {
    fn new() -> Self {
        Self(AtomicI64::new(random()))
    }

    pub(crate) fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// After a lease that failed, which may have been stored all the same: nobody has what it handed
    /// out. And after one that was lost: the store may be another one for a while, a file in the place of
    /// another, and then the first one still has it. To another owner it is lost once it has ended; what
    /// is in hand is still renewed by its token.
    pub(crate) fn change(&self) {
        self.0.store(random(), Ordering::Relaxed);
    }
}

fn random() -> i64 {
    fastrand::i64(1..)
}

impl<S: Store> From<S> for Inbox {
    fn from(store: S) -> Self {
        Self::of(Arc::new(store))
    }
}

impl Inbox {
    /// An inbox over a store that is shared.
    #[must_use]
    pub fn of(store: Arc<dyn Store>) -> Self {
        let (owner, stored, alone) = (Owner::new(), Notify::new(), Arc::default());
        Self { shared: Arc::new(Shared { store, owner, stored, alone }) }
    }

    /// Stores a delivery, and says what may be answered. OK only once the body is on the disk.
    ///
    /// Takes at most a second. It may be dropped at any await: what is stored nevertheless is
    /// harmless, since its redelivery is known by its key.
    pub async fn accept<E: Event>(&self, delivery: &Delivery<E>) -> Acceptance {
        let timer = metrics::Accept::start();
        let acceptance = self.put(NewItem::of(delivery)).await;
        timer.end(&acceptance);
        acceptance
    }

    async fn put(&self, item: NewItem) -> Acceptance {
        let app = item.sdk_app_id;
        match acceptance::put(&*self.shared.store, item).await {
            Ok(Put::Stored(_)) => {
                self.shared.stored.notify_one();
                Acceptance::Stored
            }
            Ok(Put::Duplicate) => Acceptance::Duplicate,
            Ok(Put::Disputed { item, after_done }) => {
                log::disputed(app, item, after_done);
                Acceptance::Disputed
            }
            Err(error) => {
                log::not_stored(app, &error);
                Acceptance::Failed(error)
            }
        }
    }

    /// Keeps what the vendor's records say: see [`Store::put_records`]. Under [`Scope::Unknown`] only calls of
    /// which nothing is known. A callback that comes later is a duplicate of the record.
    ///
    /// # Errors
    ///
    /// If it could not be stored. Of many records, some may have been stored before.
    pub async fn put_records(
        &self,
        records: Vec<NewItem>,
        scope: Scope,
    ) -> Result<Vec<PutRecord>, StoreError> {
        let mut put = Vec::with_capacity(records.len());
        for records in records.chunks(BATCH) {
            put.extend(self.store().put_records(records.to_vec(), scope).await?);
            self.shared.stored.notify_one();
        }
        Ok(put)
    }

    /// A worker for what is stored: give it handlers, and start it.
    pub fn worker(&self) -> WorkerBuilder {
        WorkerBuilder::new(Arc::clone(&self.shared))
    }

    /// How many items there are, of one app or of all. Counts what is there: for a page that is looked
    /// at or scraped, not for a loop.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub async fn stats(&self, sdk_app_id: Option<SdkAppId>) -> Result<Stats, StoreError> {
        self.store().stats(sdk_app_id).await
    }

    /// Whether a callback could be stored now: stores something, and rolls it back.
    ///
    /// # Errors
    ///
    /// If it could not.
    pub async fn health(&self) -> Result<(), StoreError> {
        self.store().health().await
    }

    /// At most `limit` items by their numbers, without their bodies.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub async fn list(&self, filter: Filter, limit: usize) -> Result<Vec<Item>, StoreError> {
        self.store().list(filter, limit, false).await
    }

    /// One item, with its body.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub async fn get(&self, item: ItemId) -> Result<Option<Item>, StoreError> {
        self.store().get(item).await
    }

    /// Has items that are dead, or that wait for another try, tried at once, as if they were new. Says of
    /// each whether it was one of those.
    ///
    /// # Errors
    ///
    /// If it could not be stored. Of many items, some may have been replayed before.
    pub async fn replay(&self, items: Vec<ItemId>) -> Result<Vec<bool>, StoreError> {
        let mut replayed = Vec::with_capacity(items.len());
        for items in items.chunks(BATCH) {
            replayed.extend(self.store().replay(items.to_vec()).await?);
            self.shared.stored.notify_one();
        }
        Ok(replayed)
    }

    /// Puts away items that wait, are dead or disputed: they are done, as discarded. Says of each
    /// whether it was one of those.
    ///
    /// # Errors
    ///
    /// If it could not be stored. Of many items, some may have been put away before.
    pub async fn discard(&self, items: Vec<ItemId>) -> Result<Vec<bool>, StoreError> {
        let mut discarded = Vec::with_capacity(items.len());
        for items in items.chunks(BATCH) {
            discarded.extend(self.store().discard(items.to_vec()).await?);
        }
        Ok(discarded)
    }

    /// Decides a dispute: this item is the true one of its key. If another one was billed, it is worked
    /// as a correction of that one: [`Job::replaces`](crate::Job::replaces).
    ///
    /// # Errors
    ///
    /// If it could not be stored.
    pub async fn resolve(&self, item: ItemId) -> Result<Resolved, StoreError> {
        let resolved = self.store().resolve(item).await?;
        self.shared.stored.notify_one();
        Ok(resolved)
    }

    /// Removes the bodies of a user's calls, or of one call, where they are done; what is not done is
    /// counted and stays. Keys stay, so that a redelivery is still known.
    ///
    /// User ids are an app's own: name the app where there are several. Reads every body for a user: it
    /// takes a while.
    ///
    /// # Errors
    ///
    /// If the store cannot be read or written. What was erased before stays erased.
    pub async fn erase(
        &self,
        whose: &Erase,
        sdk_app_id: Option<SdkAppId>,
    ) -> Result<Erased, StoreError> {
        let mut erased = Erased::default();
        let mut filter = Filter { sdk_app_id, ..Filter::all() };
        if let Erase::Call(call_id) = whose {
            filter.call_id = Some(call_id.clone());
        }
        loop {
            let page = self.store().list(filter.clone(), BATCH, true).await?;
            let Some(last) = page.last() else { break };
            filter.after = Some(last.id);
            let found = page.iter().filter(|item| item.body.is_some() && whose.is_in(item));
            let (done, others): (Vec<&Item>, Vec<&Item>) =
                found.partition(|item| item.state == State::Done);
            erased.kept.extend(others.iter().map(|item| item.id));
            if !done.is_empty() {
                let done: Vec<ItemId> = done.iter().map(|item| item.id).collect();
                for (item, was_done) in done.iter().zip(self.store().erase(done.clone()).await?) {
                    if was_done { &mut erased.erased } else { &mut erased.kept }.push(*item);
                }
            }
        }
        if erased.erased.is_empty() {
            // An earlier erasure may have failed halfway: the store still has what it removed.
            self.store().erase(Vec::new()).await?;
        }
        Ok(erased)
    }

    /// Removes what is older than it has to be kept, a little at a time. A worker does this by itself.
    ///
    /// # Errors
    ///
    /// If the store cannot be written. What was removed before stays removed.
    pub async fn prune(&self, retention: Retention) -> Result<Pruned, StoreError> {
        let mut all = Pruned::default();
        loop {
            let Pruned { items, keys } = self.store().prune(retention, BATCH).await?;
            if items == 0 && keys == 0 {
                return Ok(all);
            }
            all.items = all.items.saturating_add(items);
            all.keys = all.keys.saturating_add(keys);
        }
    }

    /// The store beneath.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.shared.store
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Inbox").field(&self.shared.store).finish()
    }
}

/// Whose bodies are removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erase {
    /// Those in which this user is named, as caller, member or anything else.
    User(String),
    /// Those of this call.
    Call(String),
}

impl Erase {
    fn is_in(&self, item: &Item) -> bool {
        let (Self::User(user), Some(body)) = (self, &item.body) else { return true };
        let records = item.record.iter().map(|record| (Some(&Command::CallEnded), record));
        let mut texts = records.chain([(item.command.as_ref(), body)]);
        texts.any(|(command, text)| names(text, user) || decoded_names(command, text, user))
    }
}

/// Whether the user's id stands in the body as a text of JSON.
fn names(body: &Bytes, user: &str) -> bool {
    let quoted = serde_json::to_string(user).unwrap_or_default();
    !quoted.is_empty() && body.windows(quoted.len()).any(|window| window == quoted.as_bytes())
}

/// Whether it does once escapes and numbers are read.
fn decoded_names(command: Option<&Command>, body: &Bytes, user: &str) -> bool {
    let callback = trtc_call_webhook::decode::<Callback>(command, body);
    let is_in = |caller: Option<&String>, members: &[String]| {
        caller.is_some_and(|caller| caller == user) || members.iter().any(|member| member == user)
    };
    match callback {
        Ok(Some(Callback::CallEnded(call))) => is_in(call.caller.as_ref(), &call.members),
        Ok(Some(Callback::CallStarted(call))) => {
            call.members.iter().any(|member| member.account == user)
        }
        Ok(Some(Callback::MemberChanged(change))) => {
            change.changes.iter().any(|change| change.account == user)
        }
        _ => false,
    }
}

/// What an erasure did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Erased {
    /// The items whose bodies are gone.
    pub erased: Vec<ItemId>,
    /// Those that are not done, and so still have theirs: work, discard or resolve them first.
    pub kept: Vec<ItemId>,
}
