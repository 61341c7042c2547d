//! Working off what waits.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tempfile::tempdir_in;
use tokio::sync::Notify;
use trtc_call_inbox::{Inbox, Job, JobError, WorkerBuilder};
use trtc_call_inbox_sqlite::{CompleteWith, SqliteInbox};
use trtc_call_webhook::{Billing, CallEnded};

use crate::callbacks::Callbacks;
use crate::scale::Scale;
use crate::stores::Store;
use crate::{Result, size};

/// Longer than any job takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Jobs a second, in each turn.
pub(crate) struct Rates {
    /// Of a handler that does nothing.
    pub(crate) plain: Vec<f64>,
    /// Of one that bills in the transaction of the completion.
    pub(crate) billing: Vec<f64>,
}

pub(crate) async fn measure(scale: &Scale, callbacks: &Callbacks, folder: &Path) -> Result<Rates> {
    let mut rates = Rates { plain: Vec::new(), billing: Vec::new() };
    for _ in 0..scale.rounds {
        for is_billing in [false, true] {
            let folder = tempdir_in(folder)?;
            let path = folder.path().join("inbox");
            let sqlite = SqliteInbox::open(&path)?;
            create_bills(&sqlite).await?;
            let inbox = Inbox::from(sqlite);
            size::fill(&Store::Inbox(inbox.clone()), callbacks, scale.jobs).await?;
            let count = Arc::new(Count::default());
            let worker = if is_billing { billing(&inbox, &count) } else { plain(&inbox, &count) };
            let seconds = count.run(worker, scale.jobs).await.as_secs_f64();
            let rate = if is_billing { &mut rates.billing } else { &mut rates.plain };
            rate.push(scale.jobs as f64 / seconds);
            if is_billing && bills(&path)? != scale.jobs {
                return Err("not every job is billed once".into());
            }
        }
    }
    Ok(rates)
}

/// Jobs whose handler is through.
#[derive(Debug, Default)]
pub(crate) struct Count {
    jobs: AtomicU64,
    more: Notify,
}

impl Count {
    pub(crate) fn add(&self) {
        self.jobs.fetch_add(1, Ordering::Relaxed);
        self.more.notify_one();
    }

    pub(crate) async fn reaches(&self, jobs: u64) {
        while self.jobs.load(Ordering::Relaxed) < jobs {
            self.more.notified().await;
        }
    }

    /// Until so many are done, and their completions stored.
    pub(crate) async fn run(&self, worker: WorkerBuilder, jobs: u64) -> Duration {
        let start = Instant::now();
        let worker = worker.start();
        self.reaches(jobs).await;
        worker.stop(PATIENCE).await;
        start.elapsed()
    }
}

pub(crate) fn plain(inbox: &Inbox, count: &Arc<Count>) -> WorkerBuilder {
    let count = Arc::clone(count);
    inbox.worker().on(move |_: Job<CallEnded>| {
        count.add();
        async { Ok::<_, JobError>(()) }
    })
}

/// Has each call billed in the transaction of its completion.
pub(crate) fn billing(inbox: &Inbox, count: &Arc<Count>) -> WorkerBuilder {
    let count = Arc::clone(count);
    inbox.worker().on(move |job: Job<CallEnded>| {
        let count = Arc::clone(&count);
        async move {
            let seconds = match job.billing() {
                Billing::Connected(time) => time.as_secs(),
                _ => 0,
            };
            let call_id = job.call_id.clone();
            let bill = (call_id, i64::try_from(seconds).unwrap_or(i64::MAX));
            let statements = move |transaction: &rusqlite::Transaction<'_>| {
                let mut insert = transaction.prepare_cached("INSERT INTO bills VALUES (?1, ?2)")?;
                insert.execute((&bill.0, bill.1))
            };
            job.complete_with(statements).await?;
            count.add();
            Ok::<_, JobError>(())
        }
    })
}

/// A table of the user's, in the same file.
pub(crate) async fn create_bills(sqlite: &SqliteInbox) -> Result<()> {
    let create = |transaction: &rusqlite::Transaction<'_>| {
        transaction.execute_batch(
            "CREATE TABLE IF NOT EXISTS bills (call_id TEXT PRIMARY KEY, seconds INTEGER NOT NULL)
             STRICT, WITHOUT ROWID",
        )
    };
    sqlite.write(create).await.map_err(|error| error.to_string().into())
}

/// How many bills there are.
pub(crate) fn bills(path: &Path) -> Result<u64> {
    let count = Connection::open(path)?
        .query_row("SELECT count(*) FROM bills", (), |row| row.get::<_, i64>(0))?;
    Ok(u64::try_from(count)?)
}

/// How a backlog was worked off, in a process of its own.
pub(crate) struct WorkedOff {
    pub(crate) per_second: f64,
    /// The most memory that the process had, in KiB: after a hundredth of the jobs, and at the end.
    pub(crate) peak: [u64; 2],
}

/// Works off what waits, in a process of its own.
pub(crate) fn work_off(inbox: &Path, jobs: u64) -> Result<WorkedOff> {
    let child = Command::new(env::current_exe()?)
        .arg("work-off")
        .arg(inbox)
        .arg(jobs.to_string())
        .output()?;
    let text = String::from_utf8_lossy(&child.stdout);
    let figures: Vec<u64> = text.split_whitespace().filter_map(|it| it.parse().ok()).collect();
    let &[millis, first, last] = &*figures else {
        return Err(String::from_utf8_lossy(&child.stderr).into());
    };
    let per_second = jobs as f64 / millis as f64 * 1e3;
    Ok(WorkedOff { per_second, peak: [first, last] })
}

/// Bills what waits, and prints milliseconds and KiB.
pub(crate) async fn work_off_here(path: &Path, jobs: u64) -> Result<()> {
    let sqlite = SqliteInbox::open(path)?;
    create_bills(&sqlite).await?;
    let inbox = Inbox::from(sqlite);
    let count = Arc::new(Count::default());
    let worker = billing(&inbox, &count);
    let at_first = async {
        count.reaches(jobs / 100).await;
        peak()
    };
    let (time, first) = tokio::join!(count.run(worker, jobs), at_first);
    println!("{} {} {}", time.as_millis(), first?, peak()?);
    Ok(())
}

/// The most memory that this process had so far, in KiB.
fn peak() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.ok_or("no VmHWM")?.trim().trim_end_matches(" kB");
    Ok(peak.parse()?)
}
