//! Durable acknowledgements: some tasks put one callback after the other, store by store in turn.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tempfile::tempdir_in;

use crate::Result;
use crate::callbacks::Callbacks;
use crate::scale::Scale;
use crate::stores::{Put, Store, Who};

/// How many puts wait at a time.
pub(crate) const WAITING: [usize; 4] = [1, 8, 64, 256];

/// What a store did with a number of waiting puts.
pub(crate) struct Figures {
    /// Acknowledgements a second, in each turn.
    pub(crate) per_second: Vec<f64>,
    /// Latencies of all turns in microseconds.
    pub(crate) micros: Histogram<u64>,
    /// Puts that failed.
    pub(crate) failed: u64,
}

impl Figures {
    pub(crate) fn new() -> Self {
        Self { per_second: Vec::new(), micros: histogram(), failed: 0 }
    }
}

/// Figures of each store by the number of waiting puts, and of the disk.
pub(crate) struct Puts {
    pub(crate) stores: BTreeMap<(Who, usize), Figures>,
    /// Microseconds of a write of 4 KiB and an `fdatasync`.
    pub(crate) disk: Histogram<u64>,
}

pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three digits")
}

pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

pub(crate) async fn measure(scale: &Scale, callbacks: &Callbacks, folder: &Path) -> Result<Puts> {
    let mut stores: BTreeMap<(Who, usize), Figures> = BTreeMap::new();
    let mut disk = histogram();
    for waiting in WAITING {
        for _ in 0..scale.rounds {
            sync_alone(folder, scale.turn / 4, &mut disk)?;
            for who in Who::ALL {
                let folder = tempdir_in(folder)?;
                let store = Store::create(who, &folder.path().join("callbacks")).await?;
                let turn = put_for(scale.turn, &store, callbacks, waiting).await;
                store.close().await;
                let figures = stores.entry((who, waiting)).or_insert_with(Figures::new);
                figures.per_second.push(turn.in_time as f64 / scale.turn.as_secs_f64());
                figures.micros.add(&turn.micros)?;
                figures.failed += turn.failed;
                if who == Who::Ours && turn.failed > 0 {
                    return Err(format!("{} of our puts failed", turn.failed).into());
                }
            }
        }
    }
    Ok(Puts { stores, disk })
}

/// What a turn was.
pub(crate) struct Turn {
    /// Acknowledgements before its end.
    pub(crate) in_time: u64,
    pub(crate) micros: Histogram<u64>,
    pub(crate) failed: u64,
}

/// Puts for so long, so many at a time. A put that began in time is waited for, and its latency counts.
pub(crate) async fn put_for(
    time: Duration,
    store: &impl Put,
    callbacks: &Callbacks,
    waiting: usize,
) -> Turn {
    let end = Instant::now() + time;
    let tasks: Vec<_> = (0..waiting)
        .map(|_| {
            let (mut store, callbacks) = (store.clone(), callbacks.clone());
            tokio::spawn(async move {
                let (mut in_time, mut failed, mut latencies) = (0, 0, Vec::new());
                loop {
                    let callback = callbacks.next();
                    let start = Instant::now();
                    if start >= end {
                        return (in_time, failed, latencies);
                    }
                    let put = store.put(callback).await;
                    let now = Instant::now();
                    latencies.push(micros(now - start));
                    match put {
                        Ok(()) => in_time += u64::from(now <= end),
                        Err(_) => failed += 1,
                    }
                }
            })
        })
        .collect();
    let mut turn = Turn { in_time: 0, micros: histogram(), failed: 0 };
    for task in tasks {
        let (in_time, failed, latencies) = task.await.expect("it does not panic");
        turn.in_time += in_time;
        turn.failed += failed;
        for latency in latencies {
            turn.micros.record(latency).expect("it grows");
        }
    }
    turn
}

/// The disk by itself: pages written and synced one by one into 4 MiB, round and round, as into a log.
pub(crate) fn sync_alone(
    folder: &Path,
    time: Duration,
    micros_of: &mut Histogram<u64>,
) -> Result<()> {
    const PAGE: [u8; 4096] = [7; 4096];
    let path = tempdir_in(folder)?;
    let file = File::create_new(path.path().join("log"))?;
    let end = Instant::now() + time;
    for page in (0..1024).cycle() {
        let start = Instant::now();
        if start >= end {
            break;
        }
        file.write_all_at(&PAGE, page * 4096)?;
        file.sync_data()?;
        micros_of.record(micros(start.elapsed()))?;
    }
    Ok(())
}
