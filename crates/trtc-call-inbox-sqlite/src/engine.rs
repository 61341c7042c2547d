//! The connection that writes: opened again when it fails, and used in transactions.

use std::time::{Duration, Instant};

use rusqlite::{Transaction, TransactionBehavior};
use trtc_call_inbox::store::StoreErrorKind;

use crate::checkpoint::{self, Checkpoints};
use crate::error::Failure;
use crate::file::Identity;
use crate::lease::Healing;
use crate::open::{Db, Place};
use crate::rivals::Rivals;
use crate::{busy, log, time};

/// How long a transaction waits for another process's. Who puts has a second.
pub(crate) const PATIENCE: Duration = Duration::from_millis(900);

/// The pause after an opening that failed; it doubles up to the longest one.
const PAUSE: Duration = Duration::from_millis(20);
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// How long a file that is gone is waited for while its log still stands there.
const WAITS_FOR_FILE: Duration = Duration::from_secs(10);

/// What an operation works with.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pub(crate) transaction: &'a Transaction<'a>,
    /// The time, the same for the whole transaction.
    pub(crate) now: i64,
    pub(crate) healing: &'a mut Healing,
}

/// The connection that writes.
#[derive(Debug)]
pub(crate) struct Engine {
    place: Place,
    db: Option<Db>,
    /// The files that were closed last, and when.
    left: Option<(Identity, Instant)>,
    /// Why it could not be opened, and when that is tried again.
    closed: Option<(Failure, Instant)>,
    pause: Duration,
    rivals: Rivals,
    checkpoints: Checkpoints,
    healing: Healing,
}

impl Engine {
    pub(crate) fn new(place: Place, db: Db) -> Self {
        Self {
            place,
            db: Some(db),
            left: None,
            closed: None,
            pause: PAUSE,
            rivals: Rivals::default(),
            checkpoints: Checkpoints::default(),
            healing: Healing::default(),
        }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Works in a transaction that holds the lock for writing, and waits for the lock until then. `Ok`
    /// only once it is on the disk, in the file that the path leads to.
    pub(crate) fn transaction<T>(
        &mut self,
        deadline: Instant,
        work: impl FnOnce(&mut Turn<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.open(deadline)?;
        let outcome = self.in_open_file(deadline, work);
        if let Err(failure) = &outcome {
            self.recover(failure);
        }
        outcome
    }

    fn in_open_file<T>(
        &mut self,
        deadline: Instant,
        work: impl FnOnce(&mut Turn<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Some(Db { connection, identity }) = &self.db else {
            return Err(Failure::new(StoreErrorKind::Closed, "it is closed"));
        };
        busy::wait_until(deadline);
        self.rivals.let_go_first(connection)?;
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        self.rivals.look(&transaction)?;
        crate::schema::check(&transaction)?;
        let now = time::millis(self.place.options.clock.now());
        let healing = &mut self.healing;
        healing.look_at_clock(now);
        let value = work(&mut Turn { transaction: &transaction, now, healing })?;
        transaction.commit()?;
        identity.check()?;
        Ok(value)
    }

    /// Opens the file, if it is not: but not too often where that fails.
    fn open(&mut self, deadline: Instant) -> Result<(), Failure> {
        if self.db.is_some() {
            return Ok(());
        }
        if let Some((failure, until)) = &self.closed
            && Instant::now() < *until
        {
            return Err(failure.clone());
        }
        match self.look_at_log().and_then(|()| self.place.open(deadline)) {
            Ok(db) => {
                self.db = Some(db);
                self.left = None;
                self.closed = None;
                self.pause = PAUSE;
                self.rivals = Rivals::default();
                self.checkpoints = Checkpoints::default();
                Ok(())
            }
            Err(failure) => {
                self.closed = Some((failure.clone(), busy::after(self.pause)));
                self.pause = self.pause.saturating_mul(2).min(MAX_PAUSE);
                Err(failure)
            }
        }
    }

    /// Whether no other file would take the log that was left. A file may be moved away and back: for a
    /// while it is waited for, then its log is kept beside.
    fn look_at_log(&self) -> Result<(), Failure> {
        let Some((left, since)) = &self.left else { return Ok(()) };
        let looked_at = left.check_log();
        if looked_at.is_ok() || since.elapsed() < WAITS_FOR_FILE {
            return looked_at;
        }
        let now = time::millis(self.place.options.clock.now());
        log::log_put_aside(&left.put_log_aside(now)?);
        Ok(())
    }

    /// After a transaction that failed: nothing of it may be left.
    fn recover(&mut self, failure: &Failure) {
        self.healing.begin();
        if failure.kind() == StoreErrorKind::Full {
            self.checkpoints.make_room();
        }
        let Some(db) = self.db.take() else { return };
        // The transaction is rolled back, unless that has failed too.
        if failure.spares_connection() && db.connection.is_autocommit() {
            self.db = Some(db);
            return;
        }
        log::abandoned(&self.place.path, failure);
        if failure.kind() == StoreErrorKind::Replaced {
            db.abandon();
        }
        self.left = Some((db.identity, Instant::now()));
    }

    /// After a panic: whatever it left half done is closed.
    pub(crate) fn recover_from_panic(&mut self) {
        self.recover(&Failure::new(StoreErrorKind::Other, "the writer panicked"));
    }

    /// Writes the log back if it has grown enough. For when nobody waits for an answer.
    pub(crate) fn checkpoint_if_due(&mut self) {
        if let Some(db) = &self.db {
            self.checkpoints.run_if_due(&db.connection);
        }
    }

    /// Leaves nothing in the log, unless somebody else is using it. Says whether it could.
    pub(crate) fn truncate_log(&mut self) -> Result<bool, Failure> {
        self.open(busy::after(PATIENCE))?;
        let truncated = match &self.db {
            Some(db) => checkpoint::truncate(&db.connection),
            None => Ok(false),
        };
        let truncated = truncated.map_err(Failure::from);
        match truncated {
            Err(failure) if failure.kind() == StoreErrorKind::Unavailable => Ok(false),
            Err(failure) => {
                self.recover(&failure);
                Err(failure)
            }
            truncated => truncated,
        }
    }
}
