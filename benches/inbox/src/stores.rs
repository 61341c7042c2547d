//! Who is compared: each stores a callback, and says so once it is on the disk.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use apalis_core::backend::TaskSink;
use apalis_core::task::builder::TaskBuilder;
use apalis_sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteStorage};
use rusqlite::Connection;
use serde_json::value::RawValue;
use sqlx::sqlite::SqliteSynchronous;
use tokio::task::spawn_blocking;
use trtc_call_inbox::{Acceptance, Inbox};
use trtc_call_inbox_sqlite::SqliteInbox;
use trtc_call_webhook::{Delivery, Undecoded};

use crate::Result;

/// Who is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    Ours,
    OursUnsynced,
    ConnectionEach,
    OneConnection,
    Apalis,
    ApalisFull,
    ApalisFullOneConnection,
    File,
}

impl Who {
    pub(crate) const ALL: [Self; 8] = [
        Self::Ours,
        Self::OursUnsynced,
        Self::ConnectionEach,
        Self::OneConnection,
        Self::Apalis,
        Self::ApalisFull,
        Self::ApalisFullOneConnection,
        Self::File,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::OursUnsynced => "ours, not synced",
            Self::ConnectionEach => "a connection each",
            Self::OneConnection => "one connection",
            Self::Apalis => "apalis",
            Self::ApalisFull => "apalis FULL",
            Self::ApalisFullOneConnection => "apalis FULL, one connection",
            Self::File => "appended file",
        }
    }
}

/// What stores callbacks; clones are the same one.
pub(crate) trait Put: Clone + Send + 'static {
    /// Stores a callback; it is on the disk afterwards.
    fn put(&mut self, callback: Delivery<Undecoded>) -> impl Future<Output = Result<()>> + Send;
}

/// An open store; clones are the same one.
#[derive(Clone)]
pub(crate) enum Store {
    Inbox(Inbox),
    ConnectionEach(PathBuf),
    OneConnection(Arc<Mutex<Connection>>),
    Apalis(SqliteStorage<Box<RawValue>>),
    File(Arc<Mutex<File>>),
}

impl Store {
    /// A new one at this path.
    pub(crate) async fn create(who: Who, path: &Path) -> Result<Self> {
        Ok(match who {
            Who::Ours => Self::Inbox(SqliteInbox::open(path)?.into()),
            Who::OursUnsynced => {
                Self::Inbox(SqliteInbox::options().insecure_synchronous("OFF").open(path)?.into())
            }
            Who::ConnectionEach => {
                by_hand(path)?;
                Self::ConnectionEach(path.to_owned())
            }
            Who::OneConnection => Self::OneConnection(Arc::new(Mutex::new(by_hand(path)?))),
            Who::Apalis => Self::Apalis(apalis_as_it_ships(path).await?),
            Who::ApalisFull => Self::Apalis(apalis_full(path, SqlitePoolOptions::new()).await?),
            Who::ApalisFullOneConnection => {
                let pool = SqlitePoolOptions::new().max_connections(1);
                Self::Apalis(apalis_full(path, pool).await?)
            }
            Who::File => Self::File(Arc::new(Mutex::new(File::create_new(path)?))),
        })
    }

    /// What has to end before the next one's turn.
    pub(crate) async fn close(self) {
        if let Self::Apalis(storage) = self {
            storage.pool().close().await;
        }
    }
}

impl Put for Store {
    async fn put(&mut self, callback: Delivery<Undecoded>) -> Result<()> {
        match self {
            Self::Inbox(inbox) => match inbox.accept(&callback).await {
                Acceptance::Stored => Ok(()),
                other => Err(format!("{other:?}").into()),
            },
            Self::ConnectionEach(path) => {
                let path = path.clone();
                spawn_blocking(move || insert(&open_by_hand(&path)?, &callback)).await??;
                Ok(())
            }
            Self::OneConnection(connection) => {
                let connection = Arc::clone(connection);
                spawn_blocking(move || insert(&lock(&connection), &callback)).await??;
                Ok(())
            }
            Self::Apalis(storage) => {
                let body = String::from_utf8(callback.body().to_vec())?;
                let task = TaskBuilder::new(RawValue::from_string(body)?)
                    .idempotency_key(callback.idempotency_key().as_str())
                    .build();
                Ok(storage.push_task(task).await?)
            }
            Self::File(file) => {
                let file = Arc::clone(file);
                spawn_blocking(move || append(&mut lock(&file), callback.body())).await??;
                Ok(())
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics with it")
}

/// A file as one writes it by hand, with its table.
pub(crate) fn by_hand(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open_by_hand(path)?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS callbacks (
             id INTEGER PRIMARY KEY,
             key TEXT NOT NULL UNIQUE,
             body BLOB NOT NULL,
             received_at INTEGER NOT NULL DEFAULT (unixepoch())
         ) STRICT",
    )?;
    Ok(connection)
}

fn open_by_hand(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

/// One statement is a transaction of its own.
pub(crate) fn insert(
    connection: &Connection,
    callback: &Delivery<Undecoded>,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO callbacks (key, body) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute((callback.idempotency_key().as_str(), &callback.body()[..]))?;
    Ok(())
}

fn append(file: &mut File, body: &[u8]) -> io::Result<()> {
    let mut line = Vec::with_capacity(body.len() + 1);
    line.extend_from_slice(body);
    line.push(b'\n');
    file.write_all(&line)?;
    file.sync_data()
}

/// As its README has it. Its `setup` switches syncing off, on one connection of the pool's ten.
async fn apalis_as_it_ships(path: &Path) -> Result<SqliteStorage<Box<RawValue>>> {
    let path = path.to_str().ok_or("a path that is no text")?;
    let pool = SqlitePool::connect(&format!("sqlite://{path}?mode=rwc")).await?;
    SqliteStorage::setup(&pool).await?;
    Ok(SqliteStorage::new(&pool))
}

/// Set up by a pool of its own, so that no connection keeps what `setup` switches off.
async fn apalis_full(path: &Path, pool: SqlitePoolOptions) -> Result<SqliteStorage<Box<RawValue>>> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let first = SqlitePool::connect_with(options.clone()).await?;
    SqliteStorage::setup(&first).await?;
    first.close().await;
    let options = options.synchronous(SqliteSynchronous::Full);
    Ok(SqliteStorage::new(&pool.connect_with(options).await?))
}
