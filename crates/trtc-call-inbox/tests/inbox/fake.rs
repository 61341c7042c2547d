//! A store that fails as it is told.

use std::collections::HashMap;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::timeout;
use trtc_call_inbox::store::{
    Answer, AskRequest, Asked, Lead, Lease, LeaseRequest, Leased, Put, PutRecord, Resolved, Scope,
    Settlement, StoreFuture,
};
use trtc_call_inbox::trtc_call_webhook::SdkAppId;
use trtc_call_inbox::{
    Clock, Filter, Inbox, Item, ItemId, MemoryInbox, NewItem, Pruned, Retention, Stats, Store,
    StoreError, StoreErrorKind,
};

use crate::calls::PATIENCE;

/// A store in memory that fails as it is told, and counts what it is asked. Clones are the same store.
#[derive(Clone, Debug)]
pub(crate) struct Fake {
    inner: MemoryInbox,
    book: Arc<Mutex<Book>>,
    asked: Arc<Notify>,
    claims_suspects: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Book {
    fates: HashMap<Op, Fate>,
    /// What was asked, and for how many items.
    asked: Vec<(Op, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Op {
    Put,
    Lease,
    Renew,
    Settle,
    Prune,
    Replay,
    Discard,
}

/// What becomes of what is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// So many times it fails.
    Fails(StoreErrorKind, usize),
    /// So many times it does it, and the answer is lost.
    Forgets(usize),
    /// It does not end.
    Hangs,
}

impl Fate {
    pub(crate) const FAILS: Self = Self::Fails(StoreErrorKind::Unavailable, usize::MAX);
}

impl Fake {
    pub(crate) fn new() -> (Inbox, Self, Clock) {
        let clock = Clock::manual();
        let inner = MemoryInbox::with_clock(clock.clone());
        let fake = Self {
            inner,
            book: Arc::default(),
            asked: Arc::default(),
            claims_suspects: Arc::default(),
        };
        (fake.clone().into(), fake, clock)
    }

    pub(crate) fn tell(&self, op: Op, fate: Fate) {
        self.book().fates.insert(op, fate);
    }

    pub(crate) fn heal(&self, op: Op) {
        self.book().fates.remove(&op);
    }

    /// Has it say, whoever leases, that suspects are due.
    pub(crate) fn claim_suspects(&self) {
        self.claims_suspects.store(true, Ordering::Relaxed);
    }

    /// For how many items each call of this kind was.
    pub(crate) fn asked(&self, op: Op) -> Vec<usize> {
        let book = self.book();
        book.asked.iter().filter(|(asked, _)| *asked == op).map(|(_, items)| *items).collect()
    }

    /// Waits until there were so many calls of this kind.
    pub(crate) async fn until_asked(&self, op: Op, times: usize) {
        let look = async {
            loop {
                let asked = self.asked.notified();
                if self.asked(op).len() >= times {
                    return;
                }
                asked.await;
            }
        };
        timeout(PATIENCE, look).await.expect("it is asked");
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    /// Asks the store beneath, unless it is to fail. Awaits before it and after it.
    async fn ask<'a, T>(
        &self,
        op: Op,
        items: usize,
        answer: impl FnOnce() -> StoreFuture<'a, T>,
    ) -> Result<T, StoreError> {
        let fate = {
            let mut book = self.book();
            book.asked.push((op, items));
            match book.fates.get_mut(&op) {
                Some(Fate::Fails(_, 0) | Fate::Forgets(0)) | None => None,
                Some(Fate::Fails(kind, times)) => {
                    *times -= 1;
                    Some(Fate::Fails(*kind, 1))
                }
                Some(Fate::Forgets(times)) => {
                    *times -= 1;
                    Some(Fate::Forgets(1))
                }
                Some(Fate::Hangs) => Some(Fate::Hangs),
            }
        };
        self.asked.notify_waiters();
        yield_now().await;
        match fate {
            Some(Fate::Fails(kind, _)) => Err(StoreError::new(kind, "as it was told")),
            Some(Fate::Forgets(_)) => {
                answer().await?;
                Err(StoreError::new(StoreErrorKind::Unavailable, "its answer is lost"))
            }
            Some(Fate::Hangs) => pending().await,
            None => {
                let answer = answer().await;
                yield_now().await;
                answer
            }
        }
    }
}

impl Store for Fake {
    fn put(&self, items: Vec<NewItem>) -> StoreFuture<'_, Vec<Put>> {
        Box::pin(self.ask(Op::Put, items.len(), move || self.inner.put(items)))
    }

    fn lease(&self, request: LeaseRequest) -> StoreFuture<'_, Leased> {
        Box::pin(async move {
            let answer = self.ask(Op::Lease, request.limit, move || self.inner.lease(request));
            let mut leased = answer.await?;
            leased.suspects_due |= self.claims_suspects.load(Ordering::Relaxed);
            Ok(leased)
        })
    }

    fn renew(&self, leases: Vec<Lease>, term: Duration) -> StoreFuture<'_, Vec<bool>> {
        Box::pin(self.ask(Op::Renew, leases.len(), move || self.inner.renew(leases, term)))
    }

    fn settle(&self, settlements: Vec<Settlement>) -> StoreFuture<'_, Vec<bool>> {
        Box::pin(self.ask(Op::Settle, settlements.len(), move || self.inner.settle(settlements)))
    }

    fn prune(&self, retention: Retention, limit: usize) -> StoreFuture<'_, Pruned> {
        Box::pin(self.ask(Op::Prune, limit, move || self.inner.prune(retention, limit)))
    }

    fn replay(&self, items: Vec<ItemId>) -> StoreFuture<'_, Vec<bool>> {
        Box::pin(self.ask(Op::Replay, items.len(), move || self.inner.replay(items)))
    }

    fn discard(&self, items: Vec<ItemId>) -> StoreFuture<'_, Vec<bool>> {
        Box::pin(self.ask(Op::Discard, items.len(), move || self.inner.discard(items)))
    }

    fn resolve(&self, item: ItemId) -> StoreFuture<'_, Resolved> {
        self.inner.resolve(item)
    }

    fn put_records(&self, records: Vec<NewItem>, scope: Scope) -> StoreFuture<'_, Vec<PutRecord>> {
        self.inner.put_records(records, scope)
    }

    fn ask(&self, request: AskRequest) -> StoreFuture<'_, Asked> {
        self.inner.ask(request)
    }

    fn answer(&self, answers: Vec<(Lease, Answer)>) -> StoreFuture<'_, Vec<bool>> {
        self.inner.answer(answers)
    }

    fn lead(&self, app: SdkAppId, owner: i64, term: Duration) -> StoreFuture<'_, Option<Lead>> {
        self.inner.lead(app, owner, term)
    }

    fn keep_progress(&self, app: SdkAppId, owner: i64, progress: String) -> StoreFuture<'_, bool> {
        self.inner.keep_progress(app, owner, progress)
    }

    fn erase(&self, items: Vec<ItemId>) -> StoreFuture<'_, Vec<bool>> {
        self.inner.erase(items)
    }

    fn list(&self, filter: Filter, limit: usize, with_bodies: bool) -> StoreFuture<'_, Vec<Item>> {
        self.inner.list(filter, limit, with_bodies)
    }

    fn get(&self, item: ItemId) -> StoreFuture<'_, Option<Item>> {
        self.inner.get(item)
    }

    fn stats(&self, sdk_app_id: Option<SdkAppId>) -> StoreFuture<'_, Stats> {
        self.inner.stats(sdk_app_id)
    }

    fn health(&self) -> StoreFuture<'_, ()> {
        self.inner.health()
    }
}
