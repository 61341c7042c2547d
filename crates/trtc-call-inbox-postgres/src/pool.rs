//! Connections that are lent and given back.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use trtc_call_inbox::store::StoreErrorKind;

use crate::connect::{Connection, Connector};
use crate::error::Failure;
use crate::log;

/// Connections for one purpose, so many at the most.
pub(crate) struct Pool {
    connector: Arc<Connector>,
    turns: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
    /// The most that are kept while nobody uses them.
    keeps: usize,
}

impl Pool {
    /// They are opened as they are needed.
    pub(crate) fn new(connector: Arc<Connector>, at_most: usize, keeps: usize) -> Arc<Self> {
        let turns = Arc::new(Semaphore::new(at_most));
        Arc::new(Self { connector, turns, idle: Mutex::default(), keeps })
    }

    /// A connection that works, or worked when it was given back. Waits while all are lent.
    pub(crate) async fn lend(self: &Arc<Self>) -> Result<Lent, Failure> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| closed())?;
        match self.idle_one() {
            Some(connection) => Ok(Lent { connection, pool: Arc::clone(self), turn }),
            None => Arc::clone(self).open(turn).await,
        }
    }

    /// Opens one, in a task of its own: who has no time to wait for it leaves it to the next one.
    async fn open(self: Arc<Self>, turn: OwnedSemaphorePermit) -> Result<Lent, Failure> {
        let (reply, opened) = oneshot::channel();
        tokio::spawn(async move {
            let opened = self.connector.connect().await;
            let lent = opened.map(|connection| Lent { connection, pool: self, turn });
            if let Err(Ok(lent)) = reply.send(lent) {
                lent.give_back();
            }
        });
        opened.await.map_err(|_| closed())?
    }

    fn idle_one(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(Connection::is_open);
        idle.pop()
    }

    fn take_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.keeps && connection.is_open() {
            idle.push(connection);
        }
    }
}

/// A connection that is lent. Dropped, it is closed: nobody knows what is under way on it.
pub(crate) struct Lent {
    pub(crate) connection: Connection,
    pool: Arc<Pool>,
    #[expect(dead_code, reason = "it is held, and nobody looks into it")]
    turn: OwnedSemaphorePermit,
}

impl Lent {
    /// Gives it back, unless it was left in a state that nobody knows.
    pub(crate) fn end<T>(self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        match &outcome {
            Err(failure) if !failure.spares_connection() => {
                log::lost(self.pool.connector.place(), failure.text());
            }
            _ => self.give_back(),
        }
        outcome
    }

    pub(crate) fn give_back(self) {
        self.pool.take_back(self.connection);
    }
}

fn closed() -> Failure {
    Failure::new(StoreErrorKind::Closed, "the inbox is closed")
}
