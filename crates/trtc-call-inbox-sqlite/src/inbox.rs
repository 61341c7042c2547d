//! The store.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Transaction;
use trtc_call_inbox::store::{
    Lease, LeaseRequest, Leased, Pruned, Put, Resolved, Retention, Settlement, Store, StoreError,
    StoreErrorKind, StoreFuture,
};
use trtc_call_inbox::trtc_call_webhook::SdkAppId;
use trtc_call_inbox::{Filter, Item, ItemId, NewItem, Stats};

use crate::engine::Engine;
use crate::error::Failure;
use crate::open::Place;
use crate::options::SqliteOptions;
use crate::read::Readers;
use crate::writer::Writer;
use crate::{admin, busy, lease, read, row, settle, time};

/// How long an opening waits for the lock of another process.
const PATIENCE: Duration = Duration::from_secs(5);

/// The inbox in a SQLite file.
///
/// A cheap handle; clones are the same inbox. The file is closed once the last one is dropped. What it
/// returns as a future needs a tokio runtime.
#[derive(Clone)]
pub struct SqliteInbox {
    shared: Arc<Shared>,
}

struct Shared {
    place: Place,
    // Dropped first, so that the writer closes the file last.
    readers: Arc<Readers>,
    writer: Writer,
}

impl SqliteInbox {
    /// Opens the file, or makes it. Refuses a file that is neither empty nor an inbox.
    ///
    /// # Errors
    ///
    /// If it cannot: [`SqliteOptions::open`] says why.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::options().open(path)
    }

    /// Opens the file of an application of yours, and adds the tables of the inbox to it if they are not
    /// there.
    ///
    /// # Errors
    ///
    /// If it cannot: [`SqliteOptions::open`] says why.
    pub fn open_in_app_database(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::options().in_app_database().open(path)
    }

    /// How it is opened.
    pub fn options() -> SqliteOptions {
        SqliteOptions::new()
    }

    pub(crate) fn open_with(options: SqliteOptions, path: &Path) -> Result<Self, StoreError> {
        let fail = |failure: Failure| failure.at(path);
        let absolute = std::path::absolute(path).map_err(Failure::from).map_err(fail)?;
        let place = Place { path: absolute, options };
        let db = place.open(busy::after(PATIENCE)).map_err(fail)?;
        let engine = Engine::new(place.clone(), db);
        let writer = Writer::start(engine).map_err(Failure::from).map_err(fail)?;
        let readers = Arc::new(Readers::new(place.path.clone()));
        Ok(Self { shared: Arc::new(Shared { place, readers, writer }) })
    }

    /// Runs statements of your own on the writer's thread, in a savepoint: for tables of your own. All
    /// that [`CompleteWith::complete_with`](crate::CompleteWith::complete_with) says of statements holds.
    ///
    /// # Errors
    ///
    /// The store's, or as [`Other`](StoreErrorKind::Other) the statements' own, which is its
    /// [`source`](std::error::Error::source).
    pub async fn write<T, E, F>(&self, mut statements: F) -> Result<T, StoreError>
    where
        F: FnMut(&Transaction<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let run = move |transaction: &Transaction<'_>| {
            statements(transaction).map_err(|error| {
                let error = error.into();
                StoreError::new(StoreErrorKind::Other, error.to_string()).with_source(error)
            })
        };
        self.run_statements(None, run).await
    }

    pub(crate) async fn run_statements<T, E, F>(
        &self,
        lease: Option<Lease>,
        statements: F,
    ) -> Result<T, E>
    where
        F: FnMut(&Transaction<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + fmt::Display + Send + 'static,
    {
        self.shared.writer.call(lease, statements).await
    }

    /// What SQLite's `integrity_check` finds wrong; nothing if all is well.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub async fn integrity(&self) -> Result<Vec<String>, StoreError> {
        self.shared.readers.read(read::integrity).await
    }
}

impl Store for SqliteInbox {
    fn put(&self, items: Vec<NewItem>) -> StoreFuture<'_, Vec<Put>> {
        Box::pin(self.shared.writer.put(items))
    }

    fn lease(&self, request: LeaseRequest) -> StoreFuture<'_, Leased> {
        Box::pin(self.shared.writer.operate(move |turn| lease::lease(turn, &request)))
    }

    fn renew(&self, leases: Vec<Lease>, term: Duration) -> StoreFuture<'_, Vec<bool>> {
        Box::pin(self.shared.writer.operate(move |turn| settle::renew(turn, &leases, term)))
    }

    fn settle(&self, settlements: Vec<Settlement>) -> StoreFuture<'_, Vec<bool>> {
        Box::pin(self.shared.writer.operate(move |turn| settle::settle(turn, &settlements)))
    }

    fn replay(&self, items: Vec<ItemId>) -> StoreFuture<'_, Vec<bool>> {
        Box::pin(self.shared.writer.operate(move |turn| admin::replay(turn, &items)))
    }

    fn discard(&self, items: Vec<ItemId>) -> StoreFuture<'_, Vec<bool>> {
        Box::pin(self.shared.writer.operate(move |turn| admin::discard(turn, &items)))
    }

    fn resolve(&self, item: ItemId) -> StoreFuture<'_, Resolved> {
        Box::pin(self.shared.writer.operate(move |turn| admin::resolve(turn, item)))
    }

    fn put_records(
        &self,
        _: Vec<NewItem>,
        _: trtc_call_inbox::store::Scope,
    ) -> StoreFuture<'_, Vec<trtc_call_inbox::store::PutRecord>> {
        todo!()
    }

    fn ask(
        &self,
        _: trtc_call_inbox::store::AskRequest,
    ) -> StoreFuture<'_, trtc_call_inbox::store::Asked> {
        todo!()
    }

    fn answer(
        &self,
        _: Vec<(Lease, trtc_call_inbox::store::Answer)>,
    ) -> StoreFuture<'_, Vec<bool>> {
        todo!()
    }

    fn lead(
        &self,
        _: SdkAppId,
        _: i64,
        _: Duration,
    ) -> StoreFuture<'_, Option<trtc_call_inbox::store::Lead>> {
        todo!()
    }

    fn keep_progress(&self, _: SdkAppId, _: i64, _: String) -> StoreFuture<'_, bool> {
        todo!()
    }

    fn erase(&self, items: Vec<ItemId>) -> StoreFuture<'_, Vec<bool>> {
        Box::pin(async move {
            let erased = self.shared.writer.operate(move |turn| admin::erase(turn, &items)).await?;
            self.shared.writer.truncate_log().await?;
            Ok(erased)
        })
    }

    fn prune(&self, retention: Retention, limit: usize) -> StoreFuture<'_, Pruned> {
        Box::pin(self.shared.writer.operate(move |turn| admin::prune(turn, retention, limit)))
    }

    fn list(&self, filter: Filter, limit: usize, with_bodies: bool) -> StoreFuture<'_, Vec<Item>> {
        let list = move |connection: &_| read::list(connection, &filter, limit, with_bodies);
        Box::pin(self.shared.readers.read(list))
    }

    fn get(&self, item: ItemId) -> StoreFuture<'_, Option<Item>> {
        Box::pin(self.shared.readers.read(move |connection| row::get(connection, item)))
    }

    fn stats(&self, sdk_app_id: Option<SdkAppId>) -> StoreFuture<'_, Stats> {
        let now = time::millis(self.shared.place.options.clock.now());
        let stats = move |connection: &_| read::stats(connection, sdk_app_id, now);
        Box::pin(self.shared.readers.read(stats))
    }

    fn health(&self) -> StoreFuture<'_, ()> {
        Box::pin(self.shared.writer.operate(|turn| admin::probe(turn)))
    }
}

impl fmt::Debug for SqliteInbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteInbox").field("path", &self.shared.place.path).finish_non_exhaustive()
    }
}
