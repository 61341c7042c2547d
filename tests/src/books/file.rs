//! Books in a SQLite file.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};

use super::{BILLS, Bill, PATIENCE};

/// A file, in a folder of its own.
pub(super) struct InFile(PathBuf);

impl InFile {
    pub(super) fn new(folder: &Path) -> Self {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).expect("a folder");
        Self(folder.join("callbacks.db"))
    }

    pub(super) fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }

    pub(super) fn bills(&self) -> Vec<Bill> {
        let bill = |row: &Row<'_>| {
            Ok(Bill {
                call_id: row.get(0)?,
                caller: row.get(1)?,
                result: row.get(2)?,
                seconds: row.get(3)?,
                times_billed: row.get(4)?,
            })
        };
        let database = self.database();
        let mut bills = database.prepare(BILLS).expect("a table of bills");
        bills.query_map([], bill).expect("bills").map(|bill| bill.expect("a bill")).collect()
    }

    pub(super) fn count_where(&self, condition: &str) -> usize {
        let query = format!("SELECT count(*) FROM trtc_call_items WHERE {condition}");
        self.database().query_row(&query, [], |row| row.get::<_, i64>(0)).expect("items") as usize
    }

    pub(super) fn holds(&self, body: &[u8]) -> bool {
        let query = "SELECT 1 FROM trtc_call_items WHERE body = ?1";
        let found = self.database().query_row(query, [body], |_| Ok(())).optional();
        found.expect("items").is_some()
    }

    fn database(&self) -> Connection {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = Connection::open_with_flags(&self.0, flags).expect("the file");
        database.busy_timeout(PATIENCE).expect("a time-out");
        database
    }
}
