//! What workers cost that have nothing to do.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use apalis_core::backend::ext::BackendExt;
use apalis_core::error::BoxDynError;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_postgres::Config;
use clap::{Args, ValueEnum};
use graphile_worker::WorkerOptions;
use serde_json::Value;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::time::sleep;
use trtc_call_inbox::{Inbox, Job, JobError};
use trtc_call_inbox_postgres::PostgresInbox;
use trtc_call_webhook::CallEnded;

use super::scale::Scale;
use super::server::Server;
use super::stores::{self, OnCallback, Who};
use crate::Result;

/// What is over by then: connections are open, and every worker has polled.
const SETTLING: Duration = Duration::from_secs(3);

/// CPU seconds a minute.
pub(crate) struct Idle {
    pub(crate) server: f64,
    pub(crate) workers: f64,
}

/// Of no workers at all, and of each store's.
pub(crate) async fn measure(scale: &Scale, server: &Server) -> Result<Vec<(&'static str, Idle)>> {
    let mut idle = vec![("none", watch(scale, server, None).await?)];
    for who in [Who::Ours, Who::Apalis, Who::Graphile] {
        let workers = Workers::start(&server.url(who.database()), who, scale.workers)?;
        idle.push((who.name(), watch(scale, server, Some(&workers)).await?));
    }
    Ok(idle)
}

async fn watch(scale: &Scale, server: &Server, workers: Option<&Workers>) -> Result<Idle> {
    let now = || -> Result<[f64; 2]> {
        let workers = workers.map_or(Ok(0.0), |workers| cpu(workers.0.id()))?;
        Ok([cpu(server.process())?, workers])
    };
    sleep(SETTLING).await;
    let before = now()?;
    sleep(scale.idle).await;
    let after = now()?;
    let a_minute = |which: usize| (after[which] - before[which]) * 60.0 / scale.idle.as_secs_f64();
    Ok(Idle { server: a_minute(0), workers: a_minute(1) })
}

/// CPU seconds of a process, of its children, and of those of them that have ended.
fn cpu(process: u32) -> Result<f64> {
    let ticks: u64 = String::from_utf8(Command::new("getconf").arg("CLK_TCK").output()?.stdout)?
        .trim()
        .parse()?;
    let mut sum = 0;
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        // Others end meanwhile.
        let Ok(stat) = fs::read_to_string(path.join("stat")) else { continue };
        let Some((head, tail)) = stat.rsplit_once(')') else { continue };
        // From the third field on: the state, the parent, …
        let fields: Vec<&str> = tail.split_whitespace().collect();
        let number = |field: usize| fields.get(field - 3).and_then(|it| it.parse::<u64>().ok());
        let id = head.split(' ').next().and_then(|it| it.parse().ok());
        let own = number(14).unwrap_or_default() + number(15).unwrap_or_default();
        if id == Some(process) {
            sum += own + number(16).unwrap_or_default() + number(17).unwrap_or_default();
        } else if number(4) == Some(process.into()) {
            sum += own;
        }
    }
    Ok(sum as f64 / ticks as f64)
}

/// A process with workers that wait; it ends when this is dropped.
struct Workers(Child);

impl Workers {
    fn start(url: &str, who: Who, count: usize) -> Result<Self> {
        let name = who.to_possible_value().expect("none is skipped");
        let mut child = Command::new(env::current_exe()?)
            .args(["postgres", "idle", url, name.get_name(), &count.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().expect("a pipe");
        let workers = Self(child);
        match BufReader::new(output).read_line(&mut String::new())? {
            0 => Err("a process with workers has ended".into()),
            _ => Ok(workers),
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// Has workers wait for jobs, for ever.
#[derive(Args)]
pub(crate) struct Part {
    url: String,
    who: Who,
    count: usize,
}

impl Part {
    /// Prints a line once all are started. Each has a pool of its own, as if it were alone.
    pub(crate) async fn run(self) -> Result<()> {
        let mut running = Vec::new();
        for number in 0..self.count {
            match self.who {
                Who::Ours => {
                    let inbox = Inbox::from(PostgresInbox::connect(&self.url).await?);
                    let nothing = |_: Job<CallEnded>| async { Ok::<_, JobError>(()) };
                    running.push(inbox.worker().on(nothing).start());
                }
                Who::Apalis => {
                    let pool = pool(&self.url).await?;
                    let worker = WorkerBuilder::new(format!("worker-{number}"))
                        .backend(
                            stores::apalis::<Value>(&pool, Config::default())
                                .poll_with_interval(Duration::from_secs(1)),
                        )
                        .build(|_: Value| async { Ok::<_, BoxDynError>(()) });
                    tokio::spawn(worker.run());
                }
                Who::Graphile => {
                    let options = WorkerOptions::default()
                        .pg_pool(pool(&self.url).await?)
                        .define_job::<OnCallback>();
                    let worker = options.init().await?;
                    tokio::spawn(async move { worker.run().await });
                }
                Who::ByHand | Who::ByHandUntested => return Err("it has no workers".into()),
            }
        }
        println!("ready");
        std::future::pending::<()>().await;
        drop(running);
        Ok(())
    }
}

async fn pool(url: &str) -> Result<PgPool> {
    Ok(PgPoolOptions::new().max_connections(2).connect(url).await?)
}
