//! An item in a handler's hands.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::SystemTime;

use bytes::Bytes;
use trtc_call_webhook::{Command, Event, SdkAppId, decode};

use crate::inbox::Shared;
use crate::item::{DoneAs, ItemId, SignatureFound, Source};
use crate::job_error::JobError;
use crate::store::{Lease, LeasedItem, Outcome, Settlement, Store, StoreError};

/// An item in a handler's hands, with the event decoded from it.
///
/// It dereferences to the event: `job.call_id`. If the handler returns `Ok`, the item is done; if it
/// returns an error or panics, it is tried again.
///
/// A handler may run again for an item that it has worked before, if the process ends before that is
/// stored. What has to happen exactly once is one transaction with the completion, in the same database:
/// the stores' `complete_with` and `complete_in`.
pub struct Job<E> {
    event: E,
    held: Held,
}

/// What the worker and the handler both have of a job.
#[derive(Clone)]
pub(crate) struct Held(Arc<Inner>);

struct Inner {
    item: LeasedItem,
    shared: Arc<Shared>,
    completion: AtomicU8,
}

/// Who completes a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Completion {
    /// The worker, once the handler has returned.
    Worker,
    /// A transaction of the user's: it is looked whether it was committed.
    Transaction,
    /// The handler has, and that is stored.
    Stored,
}

impl Held {
    pub(crate) fn new(item: LeasedItem, shared: Arc<Shared>) -> Self {
        Self(Arc::new(Inner { item, shared, completion: AtomicU8::new(0) }))
    }

    pub(crate) fn item(&self) -> &LeasedItem {
        &self.0.item
    }

    pub(crate) fn completion(&self) -> Completion {
        match self.0.completion.load(Ordering::Acquire) {
            0 => Completion::Worker,
            1 => Completion::Transaction,
            _ => Completion::Stored,
        }
    }
}

impl<E> Job<E> {
    pub(crate) fn new(event: E, held: Held) -> Self {
        Self { event, held }
    }

    /// The event.
    #[must_use]
    pub fn event(&self) -> &E {
        &self.event
    }

    /// The item's number.
    #[must_use]
    pub fn id(&self) -> ItemId {
        self.item().lease.item
    }

    /// The right to complete it, for a client of the database that this crate does not know.
    #[must_use]
    pub fn lease(&self) -> Lease {
        self.item().lease
    }

    /// The idempotency key: for a request to another service that knows one.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.item().key
    }

    /// The app.
    #[must_use]
    pub fn sdk_app_id(&self) -> SdkAppId {
        self.item().sdk_app_id
    }

    /// The command that the URL had.
    #[must_use]
    pub fn command(&self) -> Option<&Command> {
        self.item().command.as_ref()
    }

    /// Who said that there was a call.
    #[must_use]
    pub fn source(&self) -> Source {
        self.item().source
    }

    /// What the signature of the callback was found to be.
    #[must_use]
    pub fn signature(&self) -> SignatureFound {
        self.item().signature
    }

    /// The body, byte for byte as it came.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.item().body
    }

    /// The vendor's record of the call, as the body of a callback, if there is one: the event is what that
    /// says, and [`received`](Self::received) what the callback said.
    #[must_use]
    pub fn record(&self) -> Option<&Bytes> {
        let is_record = self.source() == Source::Record;
        self.item().record.as_ref().or_else(|| is_record.then(|| self.body()))
    }

    /// What the callback said, also where the event is what the vendor's record says. `None` if there was no
    /// callback.
    #[must_use]
    pub fn received(&self) -> Option<E>
    where
        E: Event,
    {
        let LeasedItem { source, command, body, .. } = self.item();
        (*source == Source::Callback)
            .then(|| decode(command.as_ref(), body).ok().flatten())
            .flatten()
    }

    /// When it was stored.
    #[must_use]
    pub fn received_at(&self) -> SystemTime {
        self.item().received_at
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.item().attempt
    }

    /// The item that was worked before and turned out to be wrong: this one corrects it.
    ///
    /// Whatever was done for that one, a bill for one, is to be done over with what this one says.
    #[must_use]
    pub fn replaces(&self) -> Option<ItemId> {
        self.item().replaces
    }

    /// Completes it before the handler returns: whatever comes after is not tried again.
    ///
    /// # Errors
    ///
    /// If the lease is lost, or it cannot be stored.
    pub async fn complete(&self) -> Result<(), JobError> {
        let outcome = Outcome::Done(DoneAs::Handled);
        let settlement = Settlement { lease: self.lease(), outcome };
        if self.store().settle(vec![settlement]).await? != [true] {
            return Err(StoreError::lease_lost().into());
        }
        self.mark_completed();
        Ok(())
    }

    /// The store that it is from. For stores that complete in a transaction of their own.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.held.0.shared.store
    }

    /// Says that the store has completed it. For stores that complete in a transaction of their own.
    #[doc(hidden)]
    pub fn mark_completed(&self) {
        self.held.0.completion.store(2, Ordering::Release);
    }

    /// Leaves it to a transaction in the store's own database to complete it, with [`lease`](Self::lease):
    /// when the handler returns `Ok`, the worker looks whether that was committed, and has it tried again
    /// if not. For a client of the database that this crate does not know; `complete_in` does it by itself.
    pub fn completes_in_transaction(&self) {
        self.held.0.completion.fetch_max(1, Ordering::Release);
    }

    fn item(&self) -> &LeasedItem {
        self.held.item()
    }
}

impl<E> Deref for Job<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &self.event
    }
}

impl<E: fmt::Debug> fmt::Debug for Job<E> {
    /// Leaves the body out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("id", &self.id())
            .field("attempt", &self.attempt())
            .field("event", &self.event)
            .finish_non_exhaustive()
    }
}
