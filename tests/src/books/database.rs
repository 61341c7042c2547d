//! Books in PostgreSQL.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::block_in_place;
use tokio::time::{sleep, timeout};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row};

use super::{BILLS, Bill, PATIENCE};
use crate::postgres::Database;

/// How long an answer may take until it is asked again: somebody may have the server stand still.
const ANSWER: Duration = Duration::from_secs(5);

/// How soon it is asked again.
const PAUSE: Duration = Duration::from_millis(20);

/// A database, and a connection to it that is kept as long as it works.
pub(super) struct InDatabase {
    database: Database,
    url: String,
    client: Mutex<Option<Client>>,
}

impl InDatabase {
    pub(super) fn new(database: Database, url: String) -> Self {
        Self { database, url, client: Mutex::default() }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn bills(&self) -> Vec<Bill> {
        let bill = |row: &Row| Bill {
            call_id: row.get(0),
            caller: row.get(1),
            result: row.get(2),
            seconds: row.get(3),
            times_billed: row.get(4),
        };
        // Not as the language of the database has it.
        let bills = BILLS.replace("ORDER BY call_id", "ORDER BY call_id COLLATE \"C\"");
        self.rows(&bills, &[]).iter().map(bill).collect()
    }

    pub(super) fn count_where(&self, condition: &str) -> usize {
        let query = format!("SELECT count(*) FROM trtc_call.items WHERE {condition}");
        self.rows(&query, &[])[0].get::<_, i64>(0) as usize
    }

    pub(super) fn holds(&self, body: &[u8]) -> bool {
        !self.rows("SELECT 1 FROM trtc_call.items WHERE body = $1", &[&body]).is_empty()
    }

    /// Asks until there is an answer: the server may be away, or just be starting.
    fn rows(&self, query: &str, arguments: &[&(dyn ToSql + Sync)]) -> Vec<Row> {
        let asked = async {
            let start = Instant::now();
            loop {
                let error = match timeout(ANSWER, self.try_rows(query, arguments)).await {
                    Ok(Ok(rows)) => return rows,
                    Ok(Err(error)) => format!("{error:?}"),
                    Err(_) => "no answer".to_owned(),
                };
                assert!(start.elapsed() < PATIENCE, "{query}: {error}");
                sleep(PAUSE).await;
            }
        };
        block_in_place(|| Handle::current().block_on(asked))
    }

    async fn try_rows(
        &self,
        query: &str,
        arguments: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let kept = self.client.lock().unwrap_or_else(PoisonError::into_inner).take();
        let client = match kept {
            Some(client) if !client.is_closed() => client,
            _ => self.database.try_client().await?,
        };
        let rows = client.query(query, arguments).await?;
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Some(client);
        Ok(rows)
    }
}
