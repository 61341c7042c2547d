//! The tables, and who may work with them.
//!
//! A release only adds tables, indexes, and columns with defaults; what it no longer needs goes one
//! release later. So two versions can work on one file, and every statement names its columns.

use rusqlite::{Connection, OptionalExtension};
use trtc_call_inbox::store::StoreErrorKind;

use crate::error::Failure;

/// The version of the tables below.
const VERSION: i64 = 1;

/// The oldest version that can work with them.
const OLDEST: i64 = 1;

/// What makes a new inbox.
///
/// What is new is in as few pages as can be, since each is written to the log and again to the file: a
/// key has the number of its first item, and only the other items of a key, its rivals, stand in an index
/// of keys. `last_item` is the highest number of what was pruned: no number is given twice.
///
/// The record and the body stand last, so that no other column is read past them. The indexes of the states
/// share the items out among them, and hold what is counted: `stats` walks them, and no table. One more has
/// the disputed items that somebody is to ask the vendor about.
///
/// A `token` is the right to settle an item that is leased, and to answer for one that is asked about.
const TABLES: &str = "
    CREATE TABLE trtc_call_schema (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        version INTEGER NOT NULL,
        oldest INTEGER NOT NULL,
        opened INTEGER NOT NULL DEFAULT 0,
        last_item INTEGER NOT NULL DEFAULT 0
    ) STRICT;

    CREATE TABLE trtc_call_keys (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE COLLATE BINARY,
        sdk_app_id INTEGER NOT NULL,
        compared TEXT NOT NULL,
        deliveries INTEGER NOT NULL,
        last_at INTEGER NOT NULL,
        items INTEGER NOT NULL,
        pruned_handled INTEGER
    ) STRICT;
    CREATE INDEX trtc_call_keys_bare ON trtc_call_keys (last_at) WHERE items = 0;

    CREATE TABLE trtc_call_items (
        id INTEGER PRIMARY KEY,
        key_id INTEGER NOT NULL,
        sha256 BLOB NOT NULL,
        sdk_app_id INTEGER NOT NULL,
        command TEXT,
        call_id TEXT,
        source TEXT NOT NULL,
        signature TEXT NOT NULL,
        received_at INTEGER NOT NULL,
        state TEXT NOT NULL,
        due_at INTEGER NOT NULL,
        delay INTEGER NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        first_attempt_at INTEGER,
        lost_leases INTEGER NOT NULL DEFAULT 0,
        last_error TEXT,
        owner INTEGER,
        token INTEGER,
        leased_until INTEGER,
        lease_term INTEGER,
        done_as TEXT,
        done_at INTEGER,
        replaces INTEGER,
        has_record INTEGER NOT NULL,
        confirmation TEXT,
        missing_since INTEGER,
        record BLOB,
        body BLOB
    ) STRICT;
    CREATE INDEX trtc_call_items_rival ON trtc_call_items (key_id) WHERE key_id <> id;
    CREATE INDEX trtc_call_items_call ON trtc_call_items (call_id, sdk_app_id)
        WHERE call_id IS NOT NULL;
    CREATE INDEX trtc_call_items_due ON trtc_call_items (due_at, id, sdk_app_id, delay)
        WHERE state = 'waiting' AND lost_leases = 0;
    CREATE INDEX trtc_call_items_suspect
        ON trtc_call_items (due_at, id, sdk_app_id, delay, lost_leases)
        WHERE state = 'waiting' AND lost_leases > 0;
    CREATE INDEX trtc_call_items_confirming ON trtc_call_items (sdk_app_id, due_at)
        WHERE state = 'confirming';
    CREATE INDEX trtc_call_items_leased ON trtc_call_items (leased_until, sdk_app_id)
        WHERE state = 'leased';
    CREATE INDEX trtc_call_items_done ON trtc_call_items (done_at, sdk_app_id)
        WHERE state = 'done';
    CREATE INDEX trtc_call_items_stopped ON trtc_call_items (state, id, sdk_app_id)
        WHERE state IN ('dead', 'disputed');
    CREATE INDEX trtc_call_items_asked ON trtc_call_items (sdk_app_id, due_at)
        WHERE state = 'disputed' AND has_record = 1 AND confirmation IS NULL;

    CREATE TABLE trtc_call_apps (
        sdk_app_id INTEGER PRIMARY KEY,
        owner INTEGER,
        leased_until INTEGER,
        lease_term INTEGER,
        progress TEXT,
        spent_until INTEGER
    ) STRICT;
";

const INSERT_VERSION: &str =
    "INSERT INTO trtc_call_schema (one, version, oldest) VALUES (1, ?1, ?2)";

const COUNT_OPENING: &str = "UPDATE trtc_call_schema SET opened = opened + 1";

const SELECT_VERSION: &str = "SELECT version, oldest FROM trtc_call_schema";

const SELECT_IS_INBOX: &str =
    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'trtc_call_schema'";

const SELECT_IS_EMPTY: &str = "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)";

/// The condition for the items of a key.
macro_rules! of_key {
    ($key_id:literal) => {
        concat!(
            "(trtc_call_items.id = ",
            $key_id,
            " OR (trtc_call_items.key_id = ",
            $key_id,
            " AND trtc_call_items.key_id <> trtc_call_items.id))"
        )
    };
}

pub(crate) use of_key;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// An inbox that this version can work with.
    Inbox,
    /// Nothing.
    Nothing,
    /// Something else.
    SomethingElse,
}

/// Looks at what is there.
pub(crate) fn find(connection: &Connection) -> Result<Found, Failure> {
    if connection.prepare(SELECT_IS_INBOX)?.exists([])? {
        check(connection)?;
        return Ok(Found::Inbox);
    }
    // Some programs say that a file is theirs before they make a table.
    let is_marked =
        number(connection, "application_id")? != 0 || number(connection, "user_version")? != 0;
    let is_empty: bool = connection.query_row(SELECT_IS_EMPTY, [], |row| row.get(0))?;
    Ok(if is_empty && !is_marked { Found::Nothing } else { Found::SomethingElse })
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, pragma, |row| row.get(0))
}

/// Makes the tables.
pub(crate) fn create(connection: &Connection) -> Result<(), Failure> {
    connection.execute_batch(TABLES)?;
    connection.execute(INSERT_VERSION, [VERSION, OLDEST])?;
    Ok(())
}

/// Writes a row, so that the commit is one.
pub(crate) fn count_opening(connection: &Connection) -> Result<(), Failure> {
    connection.execute(COUNT_OPENING, [])?;
    Ok(())
}

/// Whether this version can work with the tables: asked in each transaction, since a later version may
/// have changed them meanwhile.
pub(crate) fn check(connection: &Connection) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached(SELECT_VERSION)?;
    let versions = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let (version, oldest): (i64, i64) = versions.ok_or_else(|| {
        Failure::new(StoreErrorKind::Corrupt, "it is damaged: the schema's version is missing")
    })?;
    if oldest <= VERSION {
        return Ok(());
    }
    let text = format!(
        "its schema is of version {version}, which needs a program that knows version {oldest}; this \
         one knows {VERSION}"
    );
    Err(Failure::new(StoreErrorKind::SchemaTooNew, text).sparing_connection())
}

/// How SQLite would go about a statement, in a new inbox.
#[cfg(test)]
pub(crate) fn plan(statement: &str) -> String {
    let connection = Connection::open_in_memory().unwrap();
    create(&connection).unwrap();
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
    let mut rows = explain.raw_query();
    let mut plan = String::new();
    while let Some(row) = rows.next().unwrap() {
        plan += &row.get::<_, String>("detail").unwrap();
        plan += "\n";
    }
    plan
}
