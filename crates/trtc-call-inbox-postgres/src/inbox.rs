//! The store.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::timeout;
use tokio_postgres::types::Type;
use trtc_call_inbox::store::{
    Lease, LeaseRequest, Leased, Pruned, Put, Resolved, Retention, Settlement, Store, StoreError,
    StoreFuture,
};
use trtc_call_inbox::trtc_call_webhook::SdkAppId;
use trtc_call_inbox::{Filter, Item, ItemId, NewItem, Stats};

use crate::client::Client;
use crate::clock::Clock;
use crate::commits::{self, Commits, MAX_LANES};
use crate::connect::Connector;
use crate::error::{Failure, closed};
use crate::options::PostgresOptions;
use crate::pool::Pool;
use crate::url::Target;
use crate::{admin, integrity, lease, log, read, row, schema, settle};

/// The most connections for workers and tools, for reads, and for transactions of the user's.
const WORKERS: usize = 4;
const READERS: usize = 2;
const CLIENTS: usize = 16;

const READ: [&str; 2] = ["BEGIN READ ONLY", "ROLLBACK"];
const PROBE: [&str; 2] = ["BEGIN", "ROLLBACK"];

/// How many connections stay open for puts while none is under way.
const KEPT_FOR_PUTS: usize = 2;

/// How long the check of health takes at the most.
const HEALTH_PATIENCE: Duration = Duration::from_secs(1);

/// The inbox in PostgreSQL.
///
/// A cheap handle; clones are the same inbox, with its own connections. It works on the runtime that it was
/// connected on.
#[derive(Clone)]
pub struct PostgresInbox {
    shared: Arc<Shared>,
}

struct Shared {
    connector: Arc<Connector>,
    clock: Arc<Clock>,
    commits: Commits,
    workers: Arc<Pool>,
    readers: Arc<Pool>,
    clients: Arc<Pool>,
}

/// Runs an operation on a connection of a pool. It comes to its end, in a task of its own, also if nobody
/// waits for it any more: until then the connection is in use.
macro_rules! on {
    ($inbox:ident.$pool:ident, |$connection:ident, $clock:ident| $work:expr) => {{
        let shared = Arc::clone(&$inbox.shared);
        Box::pin(async move {
            let lent = shared.$pool.lend().await;
            let lent = lent.map_err(|failure| failure.at(shared.connector.place()))?;
            let working = tokio::spawn(async move {
                let ($connection, $clock) = (&lent.connection, &*shared.clock);
                let outcome = $work.await;
                lent.end(outcome).map_err(|failure| failure.at(shared.connector.place()))
            });
            working.await.map_err(|_| closed())?
        })
    }};
}

impl PostgresInbox {
    /// Connects, and makes the schema `trtc_call` if it is not there.
    ///
    /// # Errors
    ///
    /// If it cannot: [`PostgresOptions::connect`] says why.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::options().connect(url).await
    }

    /// How it is connected.
    pub fn options() -> PostgresOptions {
        PostgresOptions::default()
    }

    pub(crate) async fn connect_with(
        options: PostgresOptions,
        url: &str,
    ) -> Result<Self, StoreError> {
        let target = Target::parse(url)?;
        let place = target.place.clone();
        if target.is_unverified() {
            log::not_verified(&place);
        }
        let connected = async {
            let connector = Arc::new(Connector::new(target, options.takes_insecure_settings)?);
            let workers = Pool::new(Arc::clone(&connector), WORKERS, WORKERS);
            let lent = workers.lend().await?;
            let prepared = schema::prepare(&lent.connection, !options.must_exist).await;
            lent.end(prepared)?;
            Ok((connector, workers))
        };
        let (connector, workers) =
            connected.await.map_err(|failure: Failure| failure.at(&place))?;
        let clock = Arc::new(Clock::new());
        let puts = Pool::new(Arc::clone(&connector), MAX_LANES, KEPT_FOR_PUTS);
        let commits = Commits::new(puts, Arc::clone(&clock), place);
        let readers = Pool::new(Arc::clone(&connector), READERS, 1);
        let clients = Pool::new(Arc::clone(&connector), CLIENTS, CLIENTS);
        let shared = Shared { connector, clock, commits, workers, readers, clients };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// A connection for a transaction of your own: for
    /// [`CompleteIn::complete_in`](crate::CompleteIn::complete_in), and for tables of your own in the same
    /// database. There are up to 16; waits while all are lent.
    ///
    /// Behind a pooler of transactions use what has no name in a session: `query_typed` and
    /// `execute_typed`.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached.
    pub async fn client(&self) -> Result<Client, StoreError> {
        let lent = self.shared.clients.lend().await;
        lent.map(Client::new).map_err(|failure| failure.at(self.shared.connector.place()))
    }

    /// The server's name for people, without a password: hosts and database.
    #[must_use]
    pub fn place(&self) -> &str {
        self.shared.connector.place()
    }

    /// What is wrong with what is stored, a sentence each; nothing if all is well. Reads everything once, and
    /// holds nobody up.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub async fn integrity(&self) -> Result<Vec<String>, StoreError> {
        let found: StoreFuture<'_, Vec<String>> =
            on!(self.readers, |connection, _clock| connection.transaction(READ, async {
                read::begin(connection).await?;
                integrity::find(connection).await
            }));
        found.await
    }

    /// Has the schema's clock stand at a time, for all who use it, or go on. For tests.
    ///
    /// # Errors
    ///
    /// If it cannot be stored.
    #[doc(hidden)]
    pub async fn set_test_time(&self, time: Option<SystemTime>) -> Result<(), StoreError> {
        const SET_TEST_TIME: &str = "UPDATE trtc_call.schema SET test_time = $1";
        let outcome: StoreFuture<'_, ()> = on!(self.workers, |connection, _clock| async {
            connection.rows(SET_TEST_TIME, &[(&time, Type::TIMESTAMPTZ)]).await.map(|_| ())
        });
        outcome.await
    }
}

impl Store for PostgresInbox {
    fn put(&self, items: Vec<NewItem>) -> StoreFuture<'_, Vec<Put>> {
        Box::pin(self.shared.commits.put(items))
    }

    fn lease(&self, request: LeaseRequest) -> StoreFuture<'_, Leased> {
        on!(self.workers, |connection, clock| lease::lease(connection, clock, &request))
    }

    fn renew(&self, leases: Vec<Lease>, term: Duration) -> StoreFuture<'_, Vec<bool>> {
        on!(self.workers, |connection, clock| settle::renew(connection, clock, &leases, term))
    }

    fn settle(&self, settlements: Vec<Settlement>) -> StoreFuture<'_, Vec<bool>> {
        on!(self.workers, |connection, clock| settle::settle(connection, clock, &settlements))
    }

    fn replay(&self, items: Vec<ItemId>) -> StoreFuture<'_, Vec<bool>> {
        on!(self.workers, |connection, clock| admin::replay(connection, clock, &items))
    }

    fn discard(&self, items: Vec<ItemId>) -> StoreFuture<'_, Vec<bool>> {
        on!(self.workers, |connection, clock| admin::discard(connection, clock, &items))
    }

    fn resolve(&self, item: ItemId) -> StoreFuture<'_, Resolved> {
        on!(self.workers, |connection, clock| admin::resolve(connection, clock, item))
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
        on!(self.workers, |connection, clock| admin::erase(connection, clock, &items))
    }

    fn prune(&self, retention: Retention, limit: usize) -> StoreFuture<'_, Pruned> {
        on!(self.workers, |connection, clock| admin::prune(connection, clock, retention, limit))
    }

    fn list(&self, filter: Filter, limit: usize, with_bodies: bool) -> StoreFuture<'_, Vec<Item>> {
        on!(self.readers, |connection, _clock| connection.transaction(READ, async {
            read::begin(connection).await?;
            read::list(connection, &filter, limit, with_bodies).await
        }))
    }

    fn get(&self, item: ItemId) -> StoreFuture<'_, Option<Item>> {
        on!(self.readers, |connection, _clock| connection.transaction(READ, async {
            read::begin(connection).await?;
            row::get(connection, item).await
        }))
    }

    fn stats(&self, sdk_app_id: Option<SdkAppId>) -> StoreFuture<'_, Stats> {
        on!(self.readers, |connection, _clock| connection.transaction(READ, async {
            let now = read::begin(connection).await?;
            read::stats(connection, sdk_app_id, now).await
        }))
    }

    fn health(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let place = self.shared.connector.place();
            if self.shared.commits.hang() {
                return Err(commits::hang().at(place));
            }
            let connector = Arc::clone(&self.shared.connector);
            let probed: StoreFuture<'_, ()> = on!(self.workers, |connection, _clock| async {
                connector.check_settings(&connection.client).await?;
                connection.transaction(PROBE, admin::probe(connection)).await
            });
            let silent = |_| Failure::timed_out("it did not answer in a second").at(place);
            timeout(HEALTH_PATIENCE, probed).await.map_err(silent)?
        })
    }
}

impl fmt::Debug for PostgresInbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.shared.connector.place();
        f.debug_struct("PostgresInbox").field("place", &place).finish_non_exhaustive()
    }
}
