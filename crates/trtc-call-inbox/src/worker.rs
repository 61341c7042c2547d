//! Working off what is stored.

use std::sync::Arc;
use std::time::Duration;

use trtc_call_webhook::Event;

use crate::inbox::Shared;
use crate::job::Job;
use crate::job_error::JobError;
use crate::store::{Retention, StoreError};

/// A worker that is not started yet.
#[derive(Debug)]
#[must_use = "it works once it is started"]
pub struct WorkerBuilder {}

/// What becomes of an item that no handler takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unhandled {
    /// It is dead, for a person to see: the default.
    #[default]
    Dead,
    /// It is done, as [`NoHandler`](crate::DoneAs::NoHandler).
    Done,
}

/// What a run of everything that was due did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ran {
    /// Items that are done.
    pub done: usize,
    /// Items that wait for another try.
    pub retried: usize,
    /// Items that are dead.
    pub dead: usize,
    /// Items whose lease was lost before they were done.
    pub lost: usize,
}

/// How a worker stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// Handlers that did not end in time: they were ended, and their items given back.
    pub given_back: usize,
}

impl WorkerBuilder {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let _ = shared;
        todo!()
    }

    /// Has a handler work the events of one kind, as [`Event`] says which commands those are. The first
    /// handler that takes an item's command gets it.
    pub fn on<E, H, F, R>(self, handler: H) -> Self
    where
        E: Event,
        H: Fn(Job<E>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), R>> + Send + 'static,
        R: Into<JobError>,
    {
        let _ = handler;
        todo!()
    }

    /// How many handlers run at a time. The default is 16.
    pub fn concurrency(self, _jobs: usize) -> Self {
        todo!()
    }

    /// For how long an item is leased; renewed after a third of it while a handler runs. The default is
    /// 30 seconds.
    pub fn lease(self, _term: Duration) -> Self {
        todo!()
    }

    /// How long an item is tried again, from its first attempt on. The default is three days.
    pub fn retry_for(self, _time: Duration) -> Self {
        todo!()
    }

    /// How many attempts an item has. The default is no limit but the time.
    pub fn max_attempts(self, _attempts: u32) -> Self {
        todo!()
    }

    /// How many leases in a row an item may lose before it is dead. The default is 5.
    pub fn max_lost_leases(self, _leases: u32) -> Self {
        todo!()
    }

    /// How long a handler may run. Then it is ended, which counts as an error. The default is 5 minutes.
    pub fn timeout(self, _time: Duration) -> Self {
        todo!()
    }

    /// Works the items of one call one at a time, in the order in which they came.
    pub fn ordered_by_call(self) -> Self {
        todo!()
    }

    /// What becomes of an item that no handler takes.
    pub fn unhandled(self, _then: Unhandled) -> Self {
        todo!()
    }

    /// How long things are kept that are done.
    pub fn retention(self, _retention: Retention) -> Self {
        todo!()
    }

    /// Starts it, on the tokio runtime that runs.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn start(self) -> Worker {
        todo!()
    }

    /// Works all that is due, and what becomes due by that, and returns; for tests.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn run_due(&self) -> Result<Ran, StoreError> {
        todo!()
    }
}

/// A worker that works.
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub struct Worker {}

impl Worker {
    /// Takes no more, waits so long for the handlers that run, ends the others, and gives back what was
    /// not worked.
    pub async fn stop(self, _patience: Duration) -> Stopped {
        todo!()
    }
}
