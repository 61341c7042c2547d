//! Who is compared: each stores a callback in PostgreSQL, and says so once it is committed.

use std::time::Duration;

use apalis_core::backend::TaskSink;
use apalis_core::task::builder::TaskBuilder;
use apalis_postgres::{Config, PostgresStorage};
use clap::ValueEnum;
use graphile_worker::{
    IntoTaskHandlerResult, JobKeyMode, JobSpec, TaskHandler, WorkerContext, WorkerOptions,
    WorkerUtils,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};
use trtc_call_inbox::{Acceptance, Inbox, NewItem};
use trtc_call_inbox_postgres::PostgresInbox;
use trtc_call_webhook::{Delivery, Undecoded};

use super::jobs::Count;
use crate::Result;
use crate::callbacks::Callbacks;
use crate::size::BATCH;
use crate::stores::Put;

/// What a queue is called.
pub(crate) const QUEUE: &str = "callbacks";

/// As many connections as wait, but no more.
const CONNECTIONS: usize = 64;

/// Who is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Who {
    Ours,
    ByHand,
    ByHandUntested,
    Apalis,
    Graphile,
}

impl Who {
    pub(crate) const ALL: [Self; 5] =
        [Self::Ours, Self::ByHand, Self::ByHandUntested, Self::Apalis, Self::Graphile];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::ByHand => "by hand",
            Self::ByHandUntested => "by hand, not tested",
            Self::Apalis => "apalis",
            Self::Graphile => "graphile_worker",
        }
    }

    /// The database that it has for itself.
    pub(crate) const fn database(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::ByHand => "by_hand",
            Self::ByHandUntested => "by_hand_untested",
            Self::Apalis => "apalis",
            Self::Graphile => "graphile",
        }
    }

    /// The tables that callbacks are in.
    pub(crate) const fn tables(self) -> &'static [&'static str] {
        match self {
            Self::Ours => &["trtc_call.items", "trtc_call.keys"],
            Self::ByHand | Self::ByHandUntested => &["callbacks"],
            Self::Apalis => &["apalis.jobs"],
            Self::Graphile => &["graphile_worker._private_jobs"],
        }
    }

    /// Makes its tables.
    pub(crate) async fn set_up(self, url: &str) -> Result<()> {
        let pool = PgPool::connect(url).await?;
        match self {
            Self::Ours => {
                PostgresInbox::connect(url).await?;
            }
            Self::ByHand | Self::ByHandUntested => {
                let create = "CREATE TABLE callbacks (
                    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                    key text NOT NULL UNIQUE,
                    body bytea NOT NULL,
                    received_at timestamptz NOT NULL DEFAULT now()
                )";
                sqlx::query(create).execute(&pool).await?;
            }
            Self::Apalis => PostgresStorage::setup(&pool).await?,
            Self::Graphile => {
                WorkerOptions::default().pg_pool(pool.clone()).init().await?;
            }
        }
        pool.close().await;
        Ok(())
    }

    /// Removes all callbacks.
    pub(crate) async fn empty(self, pool: &PgPool) -> Result<()> {
        let truncate = format!("TRUNCATE {} CASCADE", self.tables().join(", "));
        sqlx::query(AssertSqlSafe(truncate)).execute(pool).await?;
        Ok(())
    }
}

/// An open store; clones are the same one.
#[derive(Clone)]
pub(crate) enum Store {
    Ours(Inbox),
    ByHand(PgPool),
    Apalis(PostgresStorage<Box<RawValue>>),
    Graphile(WorkerUtils),
}

impl Store {
    /// Opens what is set up, for so many who wait.
    pub(crate) async fn open(who: Who, url: &str, waiting: usize) -> Result<Self> {
        let connections = u32::try_from(waiting.min(CONNECTIONS))?;
        let options = PgPoolOptions::new()
            .min_connections(connections)
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(60));
        Ok(match who {
            Who::Ours => Self::Ours(PostgresInbox::connect(url).await?.into()),
            Who::ByHand => Self::ByHand(options.connect(url).await?),
            Who::ByHandUntested => {
                Self::ByHand(options.test_before_acquire(false).connect(url).await?)
            }
            Who::Apalis => Self::Apalis(apalis(&options.connect(url).await?, Config::default())),
            Who::Graphile => {
                Self::Graphile(WorkerUtils::new(options.connect(url).await?, "graphile_worker"))
            }
        })
    }

    /// Puts so many callbacks, many in a transaction.
    pub(crate) async fn fill(&self, callbacks: &Callbacks, count: u64) -> Result<()> {
        let mut left = usize::try_from(count)?;
        while left > 0 {
            let batch = left.min(BATCH);
            let batch: Vec<_> = (0..batch).map(|_| callbacks.next()).collect();
            left -= batch.len();
            match self {
                Self::Ours(inbox) => {
                    inbox.store().put(batch.iter().map(NewItem::of).collect()).await?;
                }
                Self::ByHand(pool) => {
                    let mut transaction = pool.begin().await?;
                    for callback in &batch {
                        insert(&mut *transaction, callback).await?;
                    }
                    transaction.commit().await?;
                }
                Self::Apalis(storage) => {
                    let tasks = batch.iter().map(|callback| {
                        TaskBuilder::new(callback.body().to_vec())
                            .idempotency_key(callback.idempotency_key().as_str())
                            .build()
                    });
                    let mut connection = storage.pool().acquire().await?;
                    let tasks = tasks.collect();
                    apalis_postgres::queries::push_tasks(&mut *connection, QUEUE, tasks).await?;
                }
                Self::Graphile(utils) => {
                    let jobs = batch.iter().map(|callback| {
                        // A batch knows no other mode.
                        let mode = JobKeyMode::Replace;
                        Ok((OnCallback::parse(callback)?, specification(callback, mode)))
                    });
                    let jobs: Vec<(OnCallback, JobSpec)> = jobs.collect::<Result<_>>()?;
                    let jobs: Vec<_> = jobs.iter().map(|(job, of)| (job.clone(), of)).collect();
                    utils.add_jobs(&jobs).await?;
                }
            }
        }
        Ok(())
    }
}

impl Put for Store {
    async fn put(&mut self, callback: Delivery<Undecoded>) -> Result<()> {
        match self {
            Self::Ours(inbox) => match inbox.accept(&callback).await {
                Acceptance::Stored => Ok(()),
                other => Err(format!("{other:?}").into()),
            },
            Self::ByHand(pool) => Ok(insert(&*pool, &callback).await?),
            Self::Apalis(storage) => {
                let body = String::from_utf8(callback.body().to_vec())?;
                let task = TaskBuilder::new(RawValue::from_string(body)?)
                    .idempotency_key(callback.idempotency_key().as_str())
                    .build();
                Ok(storage.push_task(task).await?)
            }
            Self::Graphile(utils) => {
                let specification = specification(&callback, JobKeyMode::UnsafeDedupe);
                utils.add_job(OnCallback::parse(&callback)?, specification).await?;
                Ok(())
            }
        }
    }
}

/// One statement is a transaction of its own, unless it is in one.
async fn insert(
    executor: impl sqlx::PgExecutor<'_>,
    callback: &Delivery<Undecoded>,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO callbacks (key, body) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(callback.idempotency_key().as_str())
        .bind(&callback.body()[..])
        .execute(executor)
        .await?;
    Ok(())
}

/// Its storage for our queue.
pub(crate) fn apalis<T>(pool: &PgPool, config: Config) -> PostgresStorage<T> {
    PostgresStorage::new(pool).with_config(config.queue(QUEUE))
}

/// A callback as a job of `graphile_worker`.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct OnCallback(Value);

impl OnCallback {
    fn parse(callback: &Delivery<Undecoded>) -> Result<Self> {
        Ok(Self(serde_json::from_slice(callback.body())?))
    }
}

impl TaskHandler for OnCallback {
    const IDENTIFIER: &'static str = QUEUE;

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        if let Some(count) = context.get_ext::<Count>() {
            count.add();
        }
        Ok::<(), String>(())
    }
}

fn specification(callback: &Delivery<Undecoded>, mode: JobKeyMode) -> JobSpec {
    JobSpec::builder().job_key(callback.idempotency_key().as_str()).job_key_mode(mode).build()
}
