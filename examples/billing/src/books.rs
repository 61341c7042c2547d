//! Where callbacks and bills are: in one database, so that a bill and the word that its job is done are
//! one transaction.

use std::fmt::Display;

use trtc_call_inbox::{Inbox, Job, JobError};
use trtc_call_inbox_postgres::tokio_postgres::types::{ToSql, Type};
use trtc_call_inbox_postgres::{CompleteIn, PostgresInbox, tokio_postgres};
use trtc_call_inbox_sqlite::rusqlite::{self, Transaction, params};
use trtc_call_inbox_sqlite::{CompleteWith, SqliteInbox};
use trtc_call_webhook_axum::CallEnded;

use crate::bill::{Bill, TABLE, WRITE};

/// The database, by what `INBOX` names.
#[derive(Clone)]
pub(crate) enum Books {
    Sqlite(SqliteInbox),
    Postgres(PostgresInbox),
}

impl Books {
    /// Opens a file or connects to a server, and makes the table of bills if it is not there.
    pub(crate) async fn open(inbox: &str) -> Result<Self, String> {
        let cannot = |what: &str, error: &dyn Display| format!("cannot {what} INBOX: {error}");
        if inbox.starts_with("postgres://") || inbox.starts_with("postgresql://") {
            let store = PostgresInbox::connect(inbox).await;
            let store = store.map_err(|error| cannot("connect to", &error))?;
            let mut client = store.client().await.map_err(|error| cannot("connect to", &error))?;
            make_table(&mut client).await.map_err(|error| cannot("use", &error))?;
            drop(client);
            return Ok(Self::Postgres(store));
        }
        if inbox.contains("://") {
            // Not printed: a URL may have a password in it.
            return Err("INBOX must be the path of a file, or postgres://URL".to_owned());
        }
        let store = SqliteInbox::open(inbox).map_err(|error| cannot("open", &error))?;
        let made = store.write(|transaction| transaction.execute(TABLE, [])).await;
        made.map_err(|error| cannot("use", &error))?;
        Ok(Self::Sqlite(store))
    }

    pub(crate) fn inbox(&self) -> Inbox {
        match self {
            Self::Sqlite(store) => store.clone().into(),
            Self::Postgres(store) => store.clone().into(),
        }
    }

    /// Writes a bill and completes its job: both are there, or neither.
    pub(crate) async fn write(&self, job: &Job<CallEnded>, bill: Bill) -> Result<(), JobError> {
        match self {
            Self::Sqlite(_) => {
                job.complete_with(move |transaction| insert_in_file(transaction, &bill)).await?;
            }
            Self::Postgres(store) => {
                let mut client = store.client().await?;
                let transaction = client.transaction().await?;
                job.complete_in(&transaction).await?;
                insert(&transaction, &bill).await?;
                transaction.commit().await?;
            }
        }
        Ok(())
    }
}

fn insert_in_file(transaction: &Transaction<'_>, bill: &Bill) -> rusqlite::Result<usize> {
    let Bill { sdk_app_id, call_id, caller, result, seconds, times } = bill;
    // The file may be a new one, in place of one that was removed.
    transaction.execute(TABLE, [])?;
    let mut write = transaction.prepare_cached(WRITE)?;
    write.execute(params![sdk_app_id, call_id, caller, result, seconds, times])
}

async fn make_table(client: &mut tokio_postgres::Client) -> Result<(), tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    // One server after the other, since two that make one table at once get in each other's way.
    transaction.batch_execute("SELECT pg_advisory_xact_lock(1400000001)").await?;
    transaction.batch_execute(TABLE).await?;
    transaction.commit().await
}

async fn insert(
    transaction: &tokio_postgres::Transaction<'_>,
    bill: &Bill,
) -> Result<u64, tokio_postgres::Error> {
    let Bill { sdk_app_id, call_id, caller, result, seconds, times } = bill;
    // Without a name in the server, so that a pooler may be in between.
    let arguments: [(&(dyn ToSql + Sync), Type); 6] = [
        (sdk_app_id, Type::INT8),
        (call_id, Type::TEXT),
        (caller, Type::TEXT),
        (result, Type::TEXT),
        (seconds, Type::INT8),
        (times, Type::INT8),
    ];
    transaction.execute_typed(WRITE, &arguments).await
}
