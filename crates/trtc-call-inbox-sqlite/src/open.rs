//! Opening a file.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use trtc_call_inbox::store::StoreErrorKind;

use crate::error::Failure;
use crate::file::{self, FileId, Identity};
use crate::options::SqliteOptions;
use crate::schema::{self, Found};
use crate::{busy, checkpoint, guard};

/// Before SQLite 3.51.3 a reset of the log could lose a commit.
const OLDEST_SQLITE: i32 = 3_051_003;

/// The pause before an opening that met another one is tried again.
const PAUSE: Duration = Duration::from_millis(5);

/// Our own statements and some of the user's.
const CACHED_STATEMENTS: usize = 128;

/// Which file, and how it is opened, the first time and later ones.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// From the root: the process may change its folder.
    pub(crate) path: PathBuf,
    pub(crate) options: SqliteOptions,
}

/// A connection that may write.
#[derive(Debug)]
pub(crate) struct Db {
    pub(crate) connection: Connection,
    pub(crate) identity: Identity,
}

impl Db {
    /// Has nothing of what stands at its path now touched when it is closed.
    pub(crate) fn abandon(&self) {
        leave_log(&self.connection);
    }
}

impl Place {
    /// Opens the file to write. Tries again what may pass by itself until then.
    pub(crate) fn open(&self, deadline: Instant) -> Result<Db, Failure> {
        check_library()?;
        busy::wait_until(deadline);
        loop {
            match self.try_open() {
                Err(failure) if is_passing(&failure) && Instant::now() < deadline => {
                    thread::sleep(PAUSE);
                }
                outcome => return outcome,
            }
        }
    }

    fn try_open(&self) -> Result<Db, Failure> {
        file::check_no_log_alone(&self.path)?;
        if !self.options.must_exist {
            file::create_if_missing(&self.path)?;
        }
        let metadata = fs::metadata(&self.path)?;
        if !metadata.is_file() {
            return Err(not_an_inbox());
        }
        let had_log = file::has_log(&self.path);
        let connection = connect(&self.path)?;
        match self.prepare(&connection, &FileId::of(&metadata)) {
            Ok(identity) => Ok(Db { connection, identity }),
            Err(failure) => {
                // The log is somebody else's to write back.
                if had_log {
                    leave_log(&connection);
                }
                Err(failure)
            }
        }
    }

    fn prepare(&self, connection: &Connection, opened: &FileId) -> Result<Identity, Failure> {
        busy::install(connection)?;
        // First of all: a file that is not ours must not be written.
        self.is_to_be_made(connection)?;
        configure(connection, self.options.synchronous)?;
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        let is_made = self.is_to_be_made(&transaction)?;
        if is_made {
            schema::create(&transaction)?;
        }
        // What a killed process has written and not synced can be seen, and would be acknowledged. A
        // commit of our own has the disk keep it.
        if is_made || self.options.commits_at_opening {
            schema::count_opening(&transaction)?;
        }
        transaction.commit()?;
        if self.options.commits_at_opening {
            // After a sync that failed, the system may take for written what it never wrote. What is read
            // back from the log is written once more, to the file.
            checkpoint::write_back(connection)?;
        }
        guard::install(connection)?;
        checkpoint::install(connection);
        let identity = Identity::of(&self.path).map_err(|_| file::replaced())?;
        if identity.is_of(opened) { Ok(identity) } else { Err(file::replaced()) }
    }

    /// Whether the tables are to be made. Fails if they are neither there nor may be made.
    fn is_to_be_made(&self, connection: &Connection) -> Result<bool, Failure> {
        match schema::find(connection)? {
            Found::Inbox => Ok(false),
            _ if self.options.must_exist => Err(not_an_inbox()),
            Found::SomethingElse if !self.options.is_in_app_database => Err(not_an_inbox()),
            Found::Nothing | Found::SomethingElse => Ok(true),
        }
    }
}

/// Opens a connection that only reads. It leaves the log to the writer.
pub(crate) fn open_reader(
    path: &Path,
    patience: Duration,
) -> Result<(Connection, Identity), Failure> {
    let opened = FileId::of(&fs::metadata(path)?);
    let connection = connect(path)?;
    leave_log(&connection);
    connection.busy_timeout(patience)?;
    connection.pragma_update(None, "query_only", true)?;
    // Reads something, so that the log is open too.
    schema::check(&connection)?;
    let identity = Identity::of(path).map_err(|_| file::replaced())?;
    // Else it would read a file that is gone for as long as it lives.
    if identity.is_of(&opened) { Ok((connection, identity)) } else { Err(file::replaced()) }
}

fn connect(path: &Path) -> Result<Connection, Failure> {
    // Each connection is used by one thread at a time. No URI: a path is a path.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    Ok(connection)
}

/// Has the connection not write the log back when it is closed.
fn leave_log(connection: &Connection) {
    // It cannot fail: the connection is open, and the setting exists.
    let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
}

fn configure(connection: &Connection, synchronous: i64) -> Result<(), Failure> {
    for (pragma, value) in [
        ("synchronous", synchronous),
        ("fullfsync", 1),
        ("checkpoint_fullfsync", 1),
        ("secure_delete", 1),
        ("foreign_keys", 1),
    ] {
        connection.pragma(None, pragma, value, |_| Ok(()))?;
        let found: i64 = connection.pragma_query_value(None, pragma, |row| row.get(0))?;
        if found != value {
            return Err(refused(pragma, &found.to_string()));
        }
    }
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(refused("journal_mode", &mode));
    }
    Ok(())
}

fn refused(pragma: &str, found: &str) -> Failure {
    let text = format!("SQLite does not do what it is told: {pragma} is {found}");
    Failure::new(StoreErrorKind::Other, text)
}

fn check_library() -> Result<(), Failure> {
    if rusqlite::version_number() >= OLDEST_SQLITE {
        return Ok(());
    }
    let text = format!("SQLite 3.51.3 or later is needed; this is {}", rusqlite::version());
    Err(Failure::new(StoreErrorKind::Other, text))
}

fn not_an_inbox() -> Failure {
    Failure::new(StoreErrorKind::NotAnInbox, "not an inbox")
}

/// Whether another process that opens or replaces the file at the same moment may be the reason.
fn is_passing(failure: &Failure) -> bool {
    matches!(failure.kind(), StoreErrorKind::Unavailable | StoreErrorKind::Replaced)
}
