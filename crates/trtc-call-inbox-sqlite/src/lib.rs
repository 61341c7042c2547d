#![doc = include_str!("../README.md")]

use std::path::Path;
use std::time::Duration;

use rusqlite::Transaction;
use trtc_call_inbox::store::{
    Lease, LeaseRequest, Leased, Pruned, Put, Resolved, Retention, Settlement, Store, StoreError,
    StoreFuture,
};
use trtc_call_inbox::trtc_call_webhook::SdkAppId;
use trtc_call_inbox::{Clock, Filter, Item, ItemId, Job, JobError, NewItem, Stats};

pub use rusqlite;

/// The inbox in a SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteInbox {}

impl SqliteInbox {
    /// Opens the file, or makes it. Refuses a file that is neither empty nor an inbox.
    ///
    /// # Errors
    ///
    /// If it cannot.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::options().open(path)
    }

    /// Opens the file of an application of yours, and adds the tables of the inbox to it if they are not
    /// there.
    ///
    /// # Errors
    ///
    /// If it cannot.
    pub fn open_in_app_database(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::options().in_app_database().open(path)
    }

    /// How it is opened.
    pub fn options() -> SqliteOptions {
        SqliteOptions {}
    }

    /// Runs statements of your own on the writer's thread, in a savepoint: for tables of your own. All
    /// that [`CompleteWith::complete_with`] says of statements holds.
    ///
    /// # Errors
    ///
    /// The statements' own error, or the store's.
    pub async fn write<T, E, F>(&self, _statements: F) -> Result<T, JobError>
    where
        F: FnMut(&Transaction<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Into<JobError>,
    {
        todo!()
    }

    /// What SQLite's `integrity_check` finds wrong; nothing if all is well.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub async fn integrity(&self) -> Result<Vec<String>, StoreError> {
        todo!()
    }
}

/// How a file is opened.
#[derive(Clone, Debug)]
#[must_use]
pub struct SqliteOptions {}

impl SqliteOptions {
    /// Adds the tables of the inbox to a file of an application of yours.
    pub fn in_app_database(self) -> Self {
        self
    }

    /// Fails if there is no such file, or no inbox in it, and writes nothing then: for tools.
    pub fn must_exist(self) -> Self {
        self
    }

    /// What it takes for the time.
    pub fn clock(self, _clock: Clock) -> Self {
        self
    }

    /// Does not wait for the disk before it answers: what is acknowledged is lost when the power is. For
    /// measurements, and to show that a test finds the loss.
    #[doc(hidden)]
    pub fn insecure_synchronous(self, _level: &'static str) -> Self {
        self
    }

    /// Leaves out the commit at opening, to show that a test finds the loss.
    #[doc(hidden)]
    pub fn insecure_without_commit_at_opening(self) -> Self {
        self
    }

    /// Opens it.
    ///
    /// # Errors
    ///
    /// If it cannot.
    pub fn open(self, _path: impl AsRef<Path>) -> Result<SqliteInbox, StoreError> {
        todo!()
    }
}

/// Completing a job in one transaction with statements of one's own.
pub trait CompleteWith {
    /// Runs the statements, and completes the job, in one transaction: either both are on the disk when
    /// this returns `Ok`, or neither ever is.
    ///
    /// # Errors
    ///
    /// The statements' own error, or that the lease is lost, or the store's.
    fn complete_with<T, E, F>(
        &self,
        statements: F,
    ) -> impl Future<Output = Result<T, JobError>> + Send
    where
        F: FnMut(&Transaction<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Into<JobError>;
}

impl<Event: Sync> CompleteWith for Job<Event> {
    async fn complete_with<T, E, F>(&self, _statements: F) -> Result<T, JobError>
    where
        F: FnMut(&Transaction<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Into<JobError>,
    {
        todo!()
    }
}

impl Store for SqliteInbox {
    fn put(&self, _items: Vec<NewItem>) -> StoreFuture<'_, Vec<Put>> {
        todo!()
    }
    fn lease(&self, _request: LeaseRequest) -> StoreFuture<'_, Leased> {
        todo!()
    }
    fn renew(&self, _leases: Vec<Lease>, _term: Duration) -> StoreFuture<'_, Vec<bool>> {
        todo!()
    }
    fn settle(&self, _settlements: Vec<Settlement>) -> StoreFuture<'_, Vec<bool>> {
        todo!()
    }
    fn replay(&self, _items: Vec<ItemId>) -> StoreFuture<'_, Vec<bool>> {
        todo!()
    }
    fn discard(&self, _items: Vec<ItemId>) -> StoreFuture<'_, Vec<bool>> {
        todo!()
    }
    fn resolve(&self, _item: ItemId) -> StoreFuture<'_, Resolved> {
        todo!()
    }
    fn erase(&self, _items: Vec<ItemId>) -> StoreFuture<'_, Vec<bool>> {
        todo!()
    }
    fn prune(&self, _retention: Retention, _limit: usize) -> StoreFuture<'_, Pruned> {
        todo!()
    }
    fn list(
        &self,
        _filter: Filter,
        _limit: usize,
        _with_bodies: bool,
    ) -> StoreFuture<'_, Vec<Item>> {
        todo!()
    }
    fn get(&self, _item: ItemId) -> StoreFuture<'_, Option<Item>> {
        todo!()
    }
    fn stats(&self, _sdk_app_id: Option<SdkAppId>) -> StoreFuture<'_, Stats> {
        todo!()
    }
    fn health(&self) -> StoreFuture<'_, ()> {
        todo!()
    }
}
