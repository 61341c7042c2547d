//! What the billing example keeps: its inbox, and the bills beside it.

mod database;
mod file;

use std::path::Path;
use std::time::{Duration, Instant};

use database::InDatabase;
use file::InFile;

use crate::postgres::Database;

/// How long the example may take for what it does by itself. A lease that a killed process left ends
/// after 30 seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// An inbox with bills.
pub struct Books(Kept);

enum Kept {
    File(InFile),
    Database(Box<InDatabase>),
}

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
    /// In a file of no example yet. The folder is made anew.
    #[must_use]
    pub fn new(folder: impl AsRef<Path>) -> Self {
        Self(Kept::File(InFile::new(folder.as_ref())))
    }

    /// In a database, to which the example comes by this URL.
    #[must_use]
    pub fn in_database(database: Database, url: impl Into<String>) -> Self {
        Self(Kept::Database(Box::new(InDatabase::new(database, url.into()))))
    }

    /// What `INBOX` has to be.
    #[must_use]
    pub fn inbox(&self) -> &str {
        match &self.0 {
            Kept::File(file) => file.path(),
            Kept::Database(database) => database.url(),
        }
    }

    /// The file.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    pub fn path(&self) -> &str {
        match &self.0 {
            Kept::File(file) => file.path(),
            Kept::Database(_) => panic!("there is no file"),
        }
    }

    /// All bills, by their calls.
    #[must_use]
    pub fn bills(&self) -> Vec<Bill> {
        match &self.0 {
            Kept::File(file) => file.bills(),
            Kept::Database(database) => database.bills(),
        }
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

    /// How many items there are of which this SQL holds.
    #[must_use]
    pub fn count_where(&self, condition: &str) -> usize {
        match &self.0 {
            Kept::File(file) => file.count_where(condition),
            Kept::Database(database) => database.count_where(condition),
        }
    }

    /// Whether this body is kept, byte for byte.
    #[must_use]
    pub fn holds(&self, body: impl AsRef<[u8]>) -> bool {
        match &self.0 {
            Kept::File(file) => file.holds(body.as_ref()),
            Kept::Database(database) => database.holds(body.as_ref()),
        }
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
}

/// Bills as all databases give them.
const BILLS: &str =
    "SELECT call_id, caller, result, seconds, times_billed FROM bills ORDER BY call_id";
