//! How a worker is set up.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use trtc_call_webhook::Event;

use super::{Core, Ran, Worker};
use crate::confirm::Confirm;
use crate::inbox::Shared;
use crate::job::Job;
use crate::job_error::JobError;
use crate::store::{Retention, StoreError};

/// A worker that is not started yet.
#[must_use = "it works once it is started"]
pub struct WorkerBuilder {
    core: Core,
}

/// What becomes of an item that no handler takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unhandled {
    /// It is dead, for a person to see: the default.
    #[default]
    Dead,
    /// It is done, as [`NoHandler`](crate::DoneAs::NoHandler).
    Done,
}

/// A shorter lease is lost in any hiccup.
const MIN_LEASE: Duration = Duration::from_secs(1);

impl WorkerBuilder {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { core: Core::new(shared) }
    }

    /// Has a handler work the events of one kind, as [`Event`] says which commands those are. The first
    /// handler that takes an item's command gets it.
    ///
    /// What does not decode is dead at once. A handler of [`Undecoded`](trtc_call_webhook::Undecoded)
    /// takes everything, that too.
    pub fn on<E, H, F, R>(mut self, handler: H) -> Self
    where
        E: Event,
        H: Fn(Job<E>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), R>> + Send + 'static,
        R: Into<JobError>,
    {
        self.core.handlers.add(handler);
        self
    }

    /// How many handlers run at a time, at least one. As many bodies are in memory at most. The default
    /// is 16.
    pub fn concurrency(mut self, jobs: usize) -> Self {
        self.core.policy.concurrency = jobs.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// For how long an item is leased, at least a second; renewed after a third of it while a handler
    /// runs. The default is 30 seconds.
    ///
    /// So long an item waits for another process when this one dies.
    pub fn lease(mut self, term: Duration) -> Self {
        self.core.policy.term = term.max(MIN_LEASE);
        self
    }

    /// How long an item is tried again, from its first attempt on. The default is three days.
    ///
    /// The delays double from a second up to an hour, each drawn at random from nothing to that, but
    /// never below 100 ms.
    pub fn retry_for(mut self, time: Duration) -> Self {
        self.core.policy.retry_for = time;
        self
    }

    /// How many attempts an item has. The default is no limit but the time.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.core.policy.max_attempts = attempts;
        self
    }

    /// How many leases in a row an item may lose before it is dead. The default is 5.
    pub fn max_lost_leases(mut self, leases: u32) -> Self {
        self.core.policy.max_lost_leases = leases;
        self
    }

    /// How long a handler may run. Then it is ended, which counts as an error. The default is 5 minutes.
    ///
    /// It is ended where it awaits: one that blocks its thread goes on.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.core.policy.timeout = time;
        self
    }

    /// Works the items of one call one at a time, in the order in which they came.
    pub fn ordered_by_call(mut self) -> Self {
        self.core.policy.ordered_by_call = true;
        self
    }

    /// What becomes of an item that no handler takes.
    pub fn unhandled(mut self, then: Unhandled) -> Self {
        self.core.policy.unhandled = then;
        self
    }

    /// Which ended calls wait for the vendor's record before a handler gets them. The default is none.
    ///
    /// Somebody has to fetch the records: a `Reconciler` of `trtc-call-reconcile`, here or in another process,
    /// which also makes a worker of the same setting. Without one, what waits for its record waits.
    pub fn confirm(mut self, confirm: Confirm) -> Self {
        self.core.policy.confirm = confirm;
        self
    }

    /// How long things are kept that are done.
    pub fn retention(mut self, retention: Retention) -> Self {
        self.core.policy.retention = retention;
        self
    }

    /// Starts it, on the tokio runtime that runs.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn start(self) -> Worker {
        Worker::start(self.core)
    }

    /// Works all that is due, and what becomes due by that, one after another in the caller's task, and
    /// returns; for tests.
    ///
    /// It is to be awaited to its end: an item that it has in hand when it is dropped stays leased until
    /// the process ends.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn run_due(&self) -> Result<Ran, StoreError> {
        self.core.run_due().await
    }
}

impl fmt::Debug for WorkerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Core { handlers, policy, .. } = &self.core;
        f.debug_tuple("WorkerBuilder").field(handlers).field(policy).finish()
    }
}
