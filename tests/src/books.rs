//! What the billing example keeps: its inbox, and the bills beside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};

/// How long the example may take for what it does by itself. A lease that a killed process left ends
/// after 30 seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// The file of an inbox with bills, in a folder of its own.
pub struct Books(PathBuf);

/// A bill as the example wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    /// The call.
    pub call_id: String,
    /// Who called.
    pub caller: Option<String>,
    /// How the call ended.
    pub result: Option<String>,
    /// What is billed.
    pub seconds: Option<i64>,
    /// How often.
    pub times_billed: i64,
}

impl Books {
    /// Of no example yet. The folder is made anew.
    #[must_use]
    pub fn new(folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref();
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).expect("a folder");
        Self(folder.join("callbacks.db"))
    }

    /// The file, for `INBOX`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }

    /// All bills, by their calls.
    #[must_use]
    pub fn bills(&self) -> Vec<Bill> {
        let bill = |row: &Row<'_>| {
            Ok(Bill {
                call_id: row.get(0)?,
                caller: row.get(1)?,
                result: row.get(2)?,
                seconds: row.get(3)?,
                times_billed: row.get(4)?,
            })
        };
        let query =
            "SELECT call_id, caller, result, seconds, times_billed FROM bills ORDER BY call_id";
        let database = self.database();
        let mut bills = database.prepare(query).expect("a table of bills");
        bills.query_map([], bill).expect("bills").map(|bill| bill.expect("a bill")).collect()
    }

    /// The calls that are billed.
    #[must_use]
    pub fn billed(&self) -> Vec<String> {
        self.bills().into_iter().map(|bill| bill.call_id).collect()
    }

    /// How many items are in a state.
    #[must_use]
    pub fn count(&self, state: &str) -> usize {
        self.count_where(&format!("state = '{state}'"))
    }

    /// How many items wait, or are worked, at one moment: an item may go from one to the other.
    #[must_use]
    pub fn count_open(&self) -> usize {
        self.count_where("state IN ('waiting', 'leased')")
    }

    fn count_where(&self, condition: &str) -> usize {
        let query = format!("SELECT count(*) FROM trtc_call_items WHERE {condition}");
        self.database().query_row(&query, [], |row| row.get::<_, i64>(0)).expect("items") as usize
    }

    /// Whether this body is kept, byte for byte.
    #[must_use]
    pub fn holds(&self, body: impl AsRef<[u8]>) -> bool {
        let query = "SELECT 1 FROM trtc_call_items WHERE body = ?1";
        let found = self.database().query_row(query, [body.as_ref()], |_| Ok(())).optional();
        found.expect("items").is_some()
    }

    /// Waits until something holds.
    ///
    /// # Panics
    ///
    /// If it does not come to that.
    pub async fn until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            assert!(start.elapsed() < PATIENCE, "{what}: it does not come to that");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until so many calls are billed.
    ///
    /// # Panics
    ///
    /// If they never are.
    pub async fn until_billed(&self, calls: usize) {
        self.until("so many bills", |books| books.billed().len() >= calls).await;
    }

    fn database(&self) -> Connection {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = Connection::open_with_flags(&self.0, flags).expect("the file");
        database.busy_timeout(PATIENCE).expect("a time-out");
        database
    }
}
