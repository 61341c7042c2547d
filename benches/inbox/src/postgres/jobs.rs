//! Working off what waits in PostgreSQL.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use apalis_core::error::BoxDynError;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_core::worker::context::WorkerContext;
use apalis_core::worker::ext::parallelize::ParallelizeExt;
use apalis_postgres::Config;
use graphile_worker::{LocalQueueConfig, WorkerOptions};
use serde_json::Value;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::time::timeout;
use trtc_call_inbox::{Inbox, Job, JobError};
use trtc_call_inbox_postgres::tokio_postgres::types::Type;
use trtc_call_inbox_postgres::{CompleteIn, PostgresInbox};
use trtc_call_webhook::{Billing, CallEnded};

use super::scale::Scale;
use super::server::Server;
use super::stores::{self, OnCallback, Store, Who};
use crate::callbacks::Callbacks;
use crate::{Result, jobs};

/// Longer than any turn takes.
const PATIENCE: Duration = Duration::from_secs(300);

/// Connections of a worker's pool.
const CONNECTIONS: u32 = 20;

/// Who works off, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Runner {
    Ours,
    OursWide,
    OursBilling,
    Apalis,
    ApalisBatches,
    Graphile,
}

impl Runner {
    pub(crate) const ALL: [Self; 6] = [
        Self::Ours,
        Self::OursWide,
        Self::OursBilling,
        Self::Apalis,
        Self::ApalisBatches,
        Self::Graphile,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::OursWide => "ours, 100 at a time",
            Self::OursBilling => "ours, `complete_in` bills",
            Self::Apalis => "apalis",
            Self::ApalisBatches => "apalis, batches of 100, not locked",
            Self::Graphile => "graphile_worker, local queue, batched completions",
        }
    }

    pub(crate) const fn is_ours(self) -> bool {
        matches!(self, Self::Ours | Self::OursWide | Self::OursBilling)
    }

    const fn who(self) -> Who {
        match self {
            Self::Ours | Self::OursWide | Self::OursBilling => Who::Ours,
            Self::Apalis | Self::ApalisBatches => Who::Apalis,
            Self::Graphile => Who::Graphile,
        }
    }

    /// The runner of a store as it comes.
    pub(crate) const fn of(who: Who) -> Option<Self> {
        match who {
            Who::Ours => Some(Self::Ours),
            Who::Apalis => Some(Self::Apalis),
            Who::Graphile => Some(Self::Graphile),
            Who::ByHand | Who::ByHandUntested => None,
        }
    }
}

/// Jobs a second, in each turn.
pub(crate) async fn measure(
    scale: &Scale,
    callbacks: &Callbacks,
    server: &Server,
) -> Result<BTreeMap<Runner, Vec<f64>>> {
    let mut rates: BTreeMap<Runner, Vec<f64>> = BTreeMap::new();
    for _ in 0..scale.rounds {
        for runner in Runner::ALL {
            let url = server.url(runner.who().database());
            let pool = PgPoolOptions::new().max_connections(1).connect(&url).await?;
            runner.who().empty(&pool).await?;
            let store = Store::open(runner.who(), &url, 1).await?;
            store.fill(callbacks, scale.jobs).await?;
            let time = work_off(runner, &url, &pool, scale.jobs).await?;
            rates.entry(runner).or_default().push(scale.jobs as f64 / time.as_secs_f64());
        }
    }
    Ok(rates)
}

/// Counts what handlers have run.
#[derive(Clone, Debug)]
pub(crate) struct Count(Arc<jobs::Count>);

impl Count {
    pub(crate) fn add(&self) {
        self.0.add();
    }
}

/// How long it takes until all jobs are done, and that is committed.
pub(crate) async fn work_off(
    runner: Runner,
    url: &str,
    pool: &PgPool,
    jobs: u64,
) -> Result<Duration> {
    timeout(PATIENCE, until_done(runner, url, pool, jobs)).await?
}

async fn until_done(runner: Runner, url: &str, pool: &PgPool, jobs: u64) -> Result<Duration> {
    let count = Count(Arc::default());
    let its = PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await?;
    let start = Instant::now();
    match runner {
        Runner::Ours | Runner::OursWide => {
            let inbox = Inbox::from(PostgresInbox::connect(url).await?);
            let worker = jobs::plain(&inbox, &count.0);
            let worker = if runner == Runner::OursWide { worker.concurrency(100) } else { worker };
            Ok(count.0.run(worker, jobs).await)
        }
        Runner::OursBilling => {
            let inbox = PostgresInbox::connect(url).await?;
            create_bills(pool).await?;
            let time = count.0.run(billing(inbox, &count), jobs).await;
            let bills: i64 =
                sqlx::query_scalar("SELECT count(*) FROM bills").fetch_one(pool).await?;
            let is_right = u64::try_from(bills)? == jobs;
            is_right.then_some(time).ok_or_else(|| "not every job is billed once".into())
        }
        Runner::Apalis | Runner::ApalisBatches => {
            let config = match runner {
                Runner::Apalis => Config::default(),
                _ => Config::default().batch_size(100).lock_tasks(false),
            };
            let context = WorkerContext::new("worker");
            let worker = WorkerBuilder::new(&context)
                .backend(stores::apalis::<Value>(&its, config))
                .parallelize(tokio::spawn);
            let counted = count.clone();
            let worker = worker.build(move |_: Value| {
                counted.add();
                async { Ok::<_, BoxDynError>(()) }
            });
            let worker = tokio::spawn(worker.run());
            count.0.reaches(jobs).await;
            // It stores what is done when it next looks for more, or when it stops.
            context.stop()?;
            worker.await??;
            let time = start.elapsed();
            none(pool, "SELECT count(*) FROM apalis.jobs WHERE status <> 'Done'").await?;
            Ok(time)
        }
        Runner::Graphile => {
            let options = WorkerOptions::default()
                .pg_pool(its)
                .define_job::<OnCallback>()
                .add_extension(count.clone())
                // As in its own benchmark: without, it takes one job for each that is added, and else
                // one for each place a second.
                .poll_interval(Duration::from_millis(10))
                .local_queue(LocalQueueConfig::default())
                .complete_job_batch_delay(Duration::from_millis(1))
                .concurrency(16);
            let worker = Arc::new(options.init().await?);
            let its = Arc::clone(&worker);
            let running = tokio::spawn(async move { its.run().await });
            count.0.reaches(jobs).await;
            worker.request_shutdown();
            running.await??;
            let time = start.elapsed();
            none(pool, "SELECT count(*) FROM graphile_worker._private_jobs").await?;
            Ok(time)
        }
    }
}

/// A table of the user's, in the same database.
async fn create_bills(pool: &PgPool) -> Result<()> {
    let create = "DROP TABLE IF EXISTS bills;
                  CREATE TABLE bills (call_id text PRIMARY KEY, seconds bigint NOT NULL)";
    sqlx::raw_sql(create).execute(pool).await?;
    Ok(())
}

/// Has each call billed in the transaction of its completion.
fn billing(inbox: PostgresInbox, count: &Count) -> trtc_call_inbox::WorkerBuilder {
    let count = count.clone();
    Inbox::from(inbox.clone()).worker().on(move |job: Job<CallEnded>| {
        let (inbox, count) = (inbox.clone(), count.clone());
        async move {
            let seconds = match job.billing() {
                Billing::Connected(time) => i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
                _ => 0,
            };
            let mut client = inbox.client().await?;
            let transaction = client.transaction().await?;
            job.complete_in(&transaction).await?;
            let bill = [(&job.call_id as _, Type::TEXT), (&seconds as _, Type::INT8)];
            transaction.query_typed("INSERT INTO bills VALUES ($1, $2)", &bill).await?;
            transaction.commit().await?;
            count.add();
            Ok::<_, JobError>(())
        }
    })
}

/// Fails unless a statement counts nothing.
async fn none(pool: &PgPool, count: &'static str) -> Result<()> {
    match sqlx::query_scalar::<_, i64>(count).fetch_one(pool).await? {
        0 => Ok(()),
        left => Err(format!("{left} jobs are not done").into()),
    }
}
