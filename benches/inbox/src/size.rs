//! Bytes on the disk for each callback that waits.

use std::fs;
use std::path::Path;

use apalis_core::task::builder::TaskBuilder;
use rusqlite::Connection;
use tempfile::tempdir_in;

use crate::Result;
use crate::callbacks::Callbacks;
use crate::scale::Scale;
use crate::stores::{self, Store, Who};

/// Puts that share a transaction, where it does not matter how long it takes.
pub(crate) const BATCH: usize = 500;

/// Bytes of the database for each callback, and those of the body alone.
pub(crate) struct Sizes {
    pub(crate) stores: Vec<(Who, f64)>,
    pub(crate) body: usize,
}

pub(crate) async fn measure(scale: &Scale, callbacks: &Callbacks, folder: &Path) -> Result<Sizes> {
    let mut sizes = Vec::new();
    for who in [Who::Ours, Who::OneConnection, Who::ApalisFull] {
        let folder = tempdir_in(folder)?;
        let path = folder.path().join("callbacks");
        let store = Store::create(who, &path).await?;
        fill(&store, callbacks, scale.weighed).await?;
        store.close().await;
        sizes.push((who, size(&path)? as f64 / scale.weighed as f64));
    }
    Ok(Sizes { stores: sizes, body: callbacks.next().body().len() })
}

/// Puts so many callbacks, many in a transaction.
pub(crate) async fn fill(store: &Store, callbacks: &Callbacks, count: u64) -> Result<()> {
    let mut left = usize::try_from(count)?;
    while left > 0 {
        let batch = left.min(BATCH);
        match store {
            Store::Inbox(inbox) => {
                inbox.store().put(callbacks.items(batch)).await?;
            }
            Store::Apalis(storage) => {
                let tasks: Vec<_> = (0..batch).map(|_| callbacks.next()).collect();
                let tasks: Vec<_> = tasks
                    .iter()
                    .map(|callback| {
                        TaskBuilder::new(callback.body().to_vec())
                            .idempotency_key(callback.idempotency_key().as_str())
                            .build()
                    })
                    .collect();
                let mut transaction = storage.pool().begin().await?;
                apalis_sqlite::queries::push_tasks(&mut *transaction, "size", &tasks).await?;
                transaction.commit().await?;
            }
            Store::OneConnection(connection) => {
                let mut connection = connection.lock().expect("nobody panics with it");
                let transaction = connection.transaction()?;
                for _ in 0..batch {
                    stores::insert(&transaction, &callbacks.next())?;
                }
                transaction.commit()?;
            }
            Store::ConnectionEach(_) | Store::File(_) => return Err("it has no batches".into()),
        }
        left -= batch;
    }
    Ok(())
}

/// Bytes of the file once all of its log is in it.
fn size(path: &Path) -> Result<u64> {
    Connection::open(path)?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?;
    Ok(fs::metadata(path)?.len())
}
