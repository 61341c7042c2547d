//! Bytes for each callback: on the disk, and in the write-ahead log.

use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

use super::jobs::{self, Runner};
use super::scale::Scale;
use super::server::Server;
use super::stores::{Store, Who};
use crate::Result;
use crate::callbacks::Callbacks;
use crate::stores::Put;

/// So many at a time have written each page once, and are then looked at.
const LOGGED: u64 = 1_000;

/// Bytes for each callback.
pub(crate) struct Bytes {
    /// Of each of its tables with its indexes.
    pub(crate) disk: Vec<f64>,
    /// Of the log, when it is put.
    pub(crate) put: f64,
    /// Of the log, until it is done.
    pub(crate) life: Option<f64>,
}

pub(crate) async fn measure(
    scale: &Scale,
    callbacks: &Callbacks,
    server: &Server,
) -> Result<Vec<(Who, Bytes)>> {
    let mut bytes = Vec::new();
    for who in [Who::Ours, Who::ByHand, Who::Apalis, Who::Graphile] {
        let url = server.url(who.database());
        let pool = PgPoolOptions::new().max_connections(1).connect(&url).await?;
        let mut store = Store::open(who, &url, 1).await?;
        who.empty(&pool).await?;
        store.fill(callbacks, scale.weighed).await?;
        let sizes = sizes(who, &pool).await?;
        let disk = sizes.iter().map(|size| *size as f64 / scale.weighed as f64).collect();

        who.empty(&pool).await?;
        put(&mut store, callbacks).await?;
        let before = logged(&pool).await?;
        put(&mut store, callbacks).await?;
        let after_puts = logged(&pool).await?;
        let life = match Runner::of(who) {
            None => None,
            Some(runner) => {
                // Those that came before are done too.
                jobs::work_off(runner, &url, &pool, 2 * LOGGED).await?;
                let work = (logged(&pool).await? - after_puts) / (2 * LOGGED) as f64;
                Some((after_puts - before) / LOGGED as f64 + work)
            }
        };
        bytes.push((who, Bytes { disk, put: (after_puts - before) / LOGGED as f64, life }));
    }
    Ok(bytes)
}

/// One after the other.
async fn put(store: &mut Store, callbacks: &Callbacks) -> Result<()> {
    for _ in 0..LOGGED {
        store.put(callbacks.next()).await?;
    }
    Ok(())
}

async fn sizes(who: Who, pool: &PgPool) -> Result<Vec<i64>> {
    let mut sizes = Vec::new();
    for table in who.tables() {
        let size = format!("SELECT pg_total_relation_size('{table}')");
        sizes.push(sqlx::query_scalar(AssertSqlSafe(size)).fetch_one(pool).await?);
    }
    Ok(sizes)
}

/// How much was ever logged.
async fn logged(pool: &PgPool) -> Result<f64> {
    let bytes = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint";
    Ok(sqlx::query_scalar::<_, i64>(bytes).fetch_one(pool).await? as f64)
}
