//! Letting other processes write.
//!
//! SQLite's lock knows no queue: who has just given it up takes it again, before another process that
//! looks for it now and then.

use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// How long others are let go first.
const COURTESY: Duration = Duration::from_millis(1);

/// For how long somebody who has written is taken to write again.
const RECENT: Duration = Duration::from_millis(50);

/// A number that changes when another connection has written.
const DATA_VERSION: &str = "PRAGMA data_version";

/// What is known of others that write.
#[derive(Debug, Default)]
pub(crate) struct Rivals {
    data_version: Option<i64>,
    wrote_at: Option<Instant>,
}

impl Rivals {
    /// Waits a moment before a transaction, if others write and the last transaction was our own.
    pub(crate) fn let_go_first(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let have_written = self.look(connection)?;
        let are_recent = self.wrote_at.is_some_and(|at| at.elapsed() < RECENT);
        if are_recent && !have_written {
            thread::sleep(COURTESY);
        }
        Ok(())
    }

    /// Whether others have written since the last look. In each transaction there is one: what is seen
    /// before the next one came after it.
    pub(crate) fn look(&mut self, connection: &Connection) -> rusqlite::Result<bool> {
        let version = connection.prepare_cached(DATA_VERSION)?.query_row([], |row| row.get(0))?;
        let have_written = self.data_version.replace(version).is_some_and(|seen| seen != version);
        if have_written {
            self.wrote_at = Some(Instant::now());
        }
        Ok(have_written)
    }
}
