//! Writing SQLite's log back into the database, between answers.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::{busy, log};

/// After how many more pages in the log it is written back.
const GROWTH: i64 = 1000;

/// From which size on readers are waited for, in bytes: else the log grows for as long as there is always
/// one.
const LARGE: i64 = 64 * 1024 * 1024;

/// How long they are waited for.
const PATIENCE: Duration = Duration::from_millis(20);

/// How often it is written back while there is no room.
const FULL_PAUSE: Duration = Duration::from_secs(1);

/// As much as can be done without waiting for anybody.
const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// Everything, and leaves the log empty. Says first whether it had to give up.
const TRUNCATE: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

thread_local! {
    /// How many pages the log had after the last commit of this thread.
    static PAGES: Cell<i64> = const { Cell::new(0) };
}

/// Has a connection count the log's pages, and not write them back by itself: SQLite does that in the
/// same hook, before the commit returns.
pub(crate) fn install(connection: &Connection) {
    PAGES.set(0);
    connection.wal_hook(Some(|_, pages| {
        PAGES.set(pages.into());
        Ok(())
    }));
}

/// How far the log was written back.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
    /// How many pages the log had then.
    pages: i64,
    /// When there was no room for more in it.
    full_at: Option<Instant>,
    is_due: bool,
}

impl Checkpoints {
    /// Has the log written back soon, since there is no room: it then begins anew in the room it has.
    pub(crate) fn make_room(&mut self) {
        if self.full_at.is_none_or(|at| at.elapsed() >= FULL_PAUSE) {
            self.full_at = Some(Instant::now());
            self.is_due = true;
        }
    }

    /// Writes the log back if it has grown enough.
    pub(crate) fn run_if_due(&mut self, connection: &Connection) {
        let pages = PAGES.get();
        if pages < self.pages {
            // It began anew.
            self.pages = 0;
        }
        self.is_due |= pages.saturating_sub(self.pages) >= GROWTH;
        if !std::mem::take(&mut self.is_due) {
            return;
        }
        self.pages = pages;
        if let Err(error) = run(connection, pages) {
            log::checkpoint_failed(&error);
        }
    }
}

fn run(connection: &Connection, pages: i64) -> rusqlite::Result<()> {
    let page_size: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    if pages.saturating_mul(page_size) < LARGE {
        return write_back(connection);
    }
    busy::wait_until(busy::after(PATIENCE));
    connection.query_row(TRUNCATE, [], |_| Ok(()))
}

/// Writes back what can be without waiting for anybody.
pub(crate) fn write_back(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row(PASSIVE, [], |_| Ok(()))
}

/// Leaves nothing in the log, unless somebody else is using it. Says whether it could.
pub(crate) fn truncate(connection: &Connection) -> rusqlite::Result<bool> {
    busy::do_not_wait();
    connection.query_row(TRUNCATE, [], |row| row.get(0).map(|gave_up: bool| !gave_up))
}
