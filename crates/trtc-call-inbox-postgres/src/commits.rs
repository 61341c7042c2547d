//! The puts of a process: those that wait share the next commit, and no commit is cancelled.
//!
//! A wait for a synchronous standby that is cancelled ends as a success, on one disk only. So each batch
//! runs in a task of its own until the server has said what became of it, whoever still waits for that. While
//! commits hang, a few more are begun, in case it is a matter of one connection; then FAIL is the answer at
//! once.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;
use trtc_call_inbox::NewItem;
use trtc_call_inbox::store::{Put, StoreError};

use crate::clock::Clock;
use crate::error::{Failure, closed};
use crate::log;
use crate::pool::Pool;
use crate::put::put;

/// How many batches are under way as long as all goes well: one is in the server while the next one is
/// gathered.
const LANES: usize = 2;

/// From when on a batch is not taken for one that goes well, and another one is begun beside it.
const SLOW: Duration = Duration::from_millis(20);

/// From when on its commit is taken to hang.
const HANGS: Duration = Duration::from_secs(1);

/// How many batches may be under way in the end.
pub(crate) const MAX_LANES: usize = 8;

/// For how long nobody shares a commit after a shared one failed by one of its items.
const ALONE: Duration = Duration::from_secs(2);

/// How much waits before whoever brings more has to wait himself.
const QUEUE: usize = 4096;

/// The most items and bytes of one batch.
const ITEMS: usize = 512;
const BYTES: usize = 8 << 20;

/// The way to the commits. They end with what is under way when this is dropped.
pub(crate) struct Commits {
    queue: Sender<Waiting>,
    hanging: Arc<Semaphore>,
}

/// Items that are put together.
struct Waiting {
    items: Vec<NewItem>,
    reply: oneshot::Sender<Result<Vec<Put>, StoreError>>,
}

impl Waiting {
    fn bytes(&self) -> usize {
        self.items.iter().map(|item| item.body.len()).fold(0, usize::saturating_add)
    }
}

/// What each batch has.
struct Lanes {
    pool: Arc<Pool>,
    clock: Arc<Clock>,
    place: String,
    /// Has a permit for each batch whose commit does not hang.
    hanging: Arc<Semaphore>,
    begins_to_hang: Notify,
    /// When a shared commit failed last by one of its items: its neighbours are not to fail again.
    failed: Mutex<Option<Instant>>,
}

impl Commits {
    pub(crate) fn new(pool: Arc<Pool>, clock: Arc<Clock>, place: String) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let hanging = Arc::new(Semaphore::new(MAX_LANES));
        let lanes = Lanes {
            pool,
            clock,
            place,
            hanging: Arc::clone(&hanging),
            begins_to_hang: Notify::new(),
            failed: Mutex::default(),
        };
        tokio::spawn(Arc::new(lanes).run(waiting));
        Self { queue, hanging }
    }

    /// Puts items.
    pub(crate) async fn put(&self, items: Vec<NewItem>) -> Result<Vec<Put>, StoreError> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let (reply, answer) = oneshot::channel();
        self.queue.send(Waiting { items, reply }).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Whether some commit has been hanging for a second or more.
    pub(crate) fn hang(&self) -> bool {
        self.hanging.available_permits() < MAX_LANES
    }
}

impl Lanes {
    async fn run(self: Arc<Self>, mut queue: Receiver<Waiting>) {
        let good = Arc::new(Semaphore::new(LANES));
        let all = Arc::new(Semaphore::new(MAX_LANES));
        while let Some(first) = queue.recv().await {
            let Ok(good) = Arc::clone(&good).acquire_owned().await else { return };
            let batch = if self.are_alone() { vec![first] } else { gather(first, &mut queue) };
            match self.lane(&all).await {
                Some(lane) => {
                    tokio::spawn(Arc::clone(&self).commit(batch, good, lane));
                }
                None => self.refuse(batch),
            }
        }
    }

    /// A lane, as soon as one is free; `None` while all of them hang.
    async fn lane(&self, all: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        let mut lane = pin!(Arc::clone(all).acquire_owned());
        loop {
            let begins_to_hang = self.begins_to_hang.notified();
            tokio::select! {
                biased;
                lane = &mut lane => return lane.ok(),
                () = std::future::ready(()), if self.hanging.available_permits() == 0 => return None,
                () = begins_to_hang => {}
            }
        }
    }

    /// Runs a batch to its end.
    async fn commit(
        self: Arc<Self>,
        batch: Vec<Waiting>,
        good: OwnedSemaphorePermit,
        lane: OwnedSemaphorePermit,
    ) {
        let mut put = Box::pin(self.put(&batch));
        let mut outcome = timeout(SLOW, &mut put).await.ok();
        drop(good);
        if outcome.is_none() {
            outcome = timeout(HANGS, &mut put).await.ok();
        }
        let outcome = match outcome {
            Some(outcome) => outcome,
            None => {
                let hanging = self.hanging.try_acquire();
                self.begins_to_hang.notify_one();
                let outcome = (&mut put).await;
                drop(hanging);
                outcome
            }
        };
        drop(put);
        drop(lane);
        match outcome {
            Ok(puts) => {
                let mut puts = puts.into_iter();
                for Waiting { items, reply } in batch {
                    // Who is gone is answered by the redelivery: it is known.
                    let _ = reply.send(Ok(puts.by_ref().take(items.len()).collect()));
                }
            }
            Err(failure) if batch.len() > 1 && failure.is_of_an_item() => {
                *self.failed() = Some(Instant::now());
                self.fail(batch, &failure.tried_again());
            }
            Err(failure) => self.fail(batch, &failure),
        }
    }

    fn are_alone(&self) -> bool {
        self.failed().is_some_and(|failed| failed.elapsed() < ALONE)
    }

    fn failed(&self) -> MutexGuard<'_, Option<Instant>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn put(&self, batch: &[Waiting]) -> Result<Vec<Put>, Failure> {
        let items: Vec<&NewItem> = batch.iter().flat_map(|waiting| &waiting.items).collect();
        let lent = self.pool.lend().await?;
        let outcome = put(&lent.connection, &self.clock, &items).await;
        lent.end(outcome)
    }

    fn refuse(&self, batch: Vec<Waiting>) {
        log::commits_hang(&self.place);
        self.fail(batch, &hang());
    }

    fn fail(&self, batch: Vec<Waiting>, failure: &Failure) {
        for waiting in batch {
            let _ = waiting.reply.send(Err(failure.clone().at(&self.place)));
        }
    }
}

/// All that waits, as far as it goes into one batch. Who has gone is left out.
fn gather(first: Waiting, queue: &mut Receiver<Waiting>) -> Vec<Waiting> {
    let (mut items, mut bytes) = (first.items.len(), first.bytes());
    let mut batch = vec![first];
    while items < ITEMS
        && bytes < BYTES
        && let Ok(next) = queue.try_recv()
    {
        if !next.reply.is_closed() {
            items = items.saturating_add(next.items.len());
            bytes = bytes.saturating_add(next.bytes());
            batch.push(next);
        }
    }
    batch
}

/// Commits do not come to an end.
pub(crate) fn hang() -> Failure {
    Failure::timed_out("commits hang: is a synchronous standby gone?")
}
