//! How a file is opened.

use std::path::Path;

use trtc_call_inbox::Clock;
use trtc_call_inbox::store::StoreError;

use crate::inbox::SqliteInbox;

/// How a file is opened.
#[derive(Clone, Debug)]
#[must_use = "nothing is opened yet"]
pub struct SqliteOptions {
    pub(crate) clock: Clock,
    pub(crate) is_in_app_database: bool,
    pub(crate) must_exist: bool,
    /// As SQLite numbers it: 2 is `FULL`.
    pub(crate) synchronous: i64,
    pub(crate) commits_at_opening: bool,
}

impl SqliteOptions {
    pub(crate) fn new() -> Self {
        Self {
            clock: Clock::system(),
            is_in_app_database: false,
            must_exist: false,
            synchronous: 2,
            commits_at_opening: true,
        }
    }

    /// Adds the tables of the inbox to a file of an application of yours, and has it use a write-ahead
    /// log.
    pub fn in_app_database(mut self) -> Self {
        self.is_in_app_database = true;
        self
    }

    /// Fails if there is no such file, or no inbox in it, and writes nothing then: for tools.
    pub fn must_exist(mut self) -> Self {
        self.must_exist = true;
        self
    }

    /// What it takes for the time. The default is the system's clock.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Does not wait for the disk before it answers: what is acknowledged is lost when the power is. For
    /// measurements, and to show that a test finds the loss. `NORMAL` or `OFF`; all else is `FULL`.
    #[doc(hidden)]
    pub fn insecure_synchronous(mut self, level: &'static str) -> Self {
        self.synchronous = match level {
            "OFF" => 0,
            "NORMAL" => 1,
            _ => 2,
        };
        self
    }

    /// Leaves out the commit at opening, to show that a test finds the loss.
    #[doc(hidden)]
    pub fn insecure_without_commit_at_opening(mut self) -> Self {
        self.commits_at_opening = false;
        self
    }

    /// Opens it. Waits up to five seconds for the lock of another process, so it is best called before a
    /// server takes requests.
    ///
    /// # Errors
    ///
    /// By [`kind`](StoreError::kind): `NotFound` and `NotAnInbox`; `SchemaTooNew` for a file of a later
    /// version that this one cannot work with; `Corrupt`, `ReadOnly`, `Full`; `Unavailable` if another
    /// process holds the lock; `Other`, also if the program is linked to a SQLite before 3.51.3, which
    /// could lose a commit.
    pub fn open(self, path: impl AsRef<Path>) -> Result<SqliteInbox, StoreError> {
        SqliteInbox::open_with(self, path.as_ref())
    }
}
