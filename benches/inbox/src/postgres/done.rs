//! Leases and puts beside what is done already, and kept for its days.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};
use trtc_call_inbox::store::{LeaseRequest, Outcome, Settlement};
use trtc_call_inbox::{DoneAs, Inbox};
use trtc_call_inbox_postgres::PostgresInbox;

use super::scale::Scale;
use super::server::Server;
use super::stores::{Store, Who};
use crate::Result;
use crate::callbacks::Callbacks;
use crate::puts::{histogram, micros, put_for};

/// How many items are leased and settled at a time.
pub(crate) const LEASED: usize = 50;

const DATABASE: &str = "done";

/// How many are filled in by a statement.
const STEP: u64 = 500_000;

/// Longer than a round takes.
const TERM: Duration = Duration::from_secs(30);

/// Microseconds.
pub(crate) struct Beside {
    /// Of a round of lease and settle.
    pub(crate) round: Histogram<u64>,
    /// Of a put.
    pub(crate) put: Histogram<u64>,
}

/// In an empty inbox, and in one where all these are done.
pub(crate) async fn measure(
    scale: &Scale,
    callbacks: &Callbacks,
    server: &Server,
) -> Result<[Beside; 2]> {
    let url = server.create(DATABASE).await?;
    let pool = PgPoolOptions::new().max_connections(1).connect(&url).await?;
    let inbox = Inbox::from(PostgresInbox::connect(&url).await?);
    let empty = beside(scale, callbacks, &inbox).await?;
    fill(&pool, scale.done).await?;
    let full = beside(scale, callbacks, &inbox).await?;
    Ok([empty, full])
}

async fn beside(scale: &Scale, callbacks: &Callbacks, inbox: &Inbox) -> Result<Beside> {
    let store = Store::Ours(inbox.clone());
    let put = put_for(scale.turn, &store, callbacks, 1).await.micros;
    // What was put there is done too, before the first round that counts.
    while round(inbox).await? > 0 {}
    let mut times = histogram();
    for _ in 0..scale.leases {
        store.fill(callbacks, LEASED as u64).await?;
        let start = Instant::now();
        if round(inbox).await? != LEASED {
            return Err("not all that waits is leased".into());
        }
        times.record(micros(start.elapsed()))?;
    }
    Ok(Beside { round: times, put })
}

/// Leases and settles; says how many.
async fn round(inbox: &Inbox) -> Result<usize> {
    let request = LeaseRequest::new(1, LEASED, TERM, 5);
    let leased = inbox.store().lease(request).await?.items;
    let done = leased
        .iter()
        .map(|item| Settlement { lease: item.lease, outcome: Outcome::Done(DoneAs::Handled) });
    let held = inbox.store().settle(done.collect()).await?;
    Ok(held.iter().filter(|was_held| **was_held).count())
}

/// As many as that, like the last one that was put, and done within the last 7 days.
async fn fill(pool: &PgPool, count: u64) -> Result<()> {
    let [of_items, of_keys] = Who::Ours.tables() else { return Err("two tables".into()) };
    let last: i64 =
        sqlx::query_scalar("SELECT last_value FROM trtc_call.item_numbers").fetch_one(pool).await?;
    let (mut from, end) = (u64::try_from(last)? + 1, u64::try_from(last)? + count);
    while from <= end {
        let to = end.min(from + STEP - 1);
        // By digests in order, or every page of their index is written again and again.
        let keys = format!(
            "INSERT INTO {of_keys} (digest, key, sdk_app_id, compared, first_item, last_at)
             SELECT sha256(n::text::bytea) AS digest, k.key || n, k.sdk_app_id, k.compared, n,
                    now() - interval '7 days' * (({end} - n) / {count}.0)
             FROM generate_series({from}, {to}) AS n,
                  (SELECT * FROM {of_keys} WHERE first_item = {last}) AS k
             ORDER BY digest"
        );
        let items = format!(
            "INSERT INTO {of_items} (id, digest, sha256, sdk_app_id, command, call_id, source, signature,
                                     received_at, state, due_at, attempts, first_attempt_at, done_as,
                                     done_at, body)
             SELECT n, sha256(n::text::bytea), sha256, sdk_app_id, command, md5(n::text) || '-end', source,
                    signature, at, 'done', at, 1, at, 'handled', at, body
             FROM (SELECT i.*, n, now() - interval '7 days' * (({end} - n) / {count}.0) AS at
                   FROM generate_series({from}, {to}) AS n, {of_items} AS i WHERE i.id = {last}) AS these"
        );
        for statement in [keys, items] {
            sqlx::query(AssertSqlSafe(statement)).execute(pool).await?;
        }
        from = to + 1;
    }
    let number = format!("SELECT setval('trtc_call.item_numbers', {end})");
    sqlx::query(AssertSqlSafe(number)).execute(pool).await?;
    sqlx::query("VACUUM ANALYZE").execute(pool).await?;
    Ok(())
}
