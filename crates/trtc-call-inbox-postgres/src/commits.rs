//! The puts of a process: those that wait share the next commit, and no commit is cancelled.
//!
//! A wait for a synchronous standby that is cancelled ends as a success, on one disk only. So each batch
//! runs in a lane, a task of its own, until the server has said what became of it, whoever still waits for
//! that. While batches are slow, a few more lanes are opened, in case it is a matter of one connection;
//! while the commits of all of them hang, FAIL is the answer at once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;
use trtc_call_inbox::NewItem;
use trtc_call_inbox::store::{Put, StoreError};

use crate::clock::Clock;
use crate::error::{Failure, closed};
use crate::log;
use crate::pool::Pool;
use crate::put::put;

/// How many lanes there are as long as all goes well: one batch is in the server while the next one is
/// gathered.
const GOOD_LANES: usize = 2;

/// From when on a batch is not taken for one that goes well, and another lane is opened beside it.
const SLOW: Duration = Duration::from_millis(20);

/// From when on its commit is taken to hang.
const HANGS: Duration = Duration::from_secs(1);

/// How many lanes there are in the end.
pub(crate) const MAX_LANES: usize = 8;

/// For how long nobody shares a commit after a shared one failed by one of its items.
const ALONE: Duration = Duration::from_secs(2);

/// The most items and bytes of one batch.
const ITEMS: usize = 512;
const BYTES: usize = 8 << 20;

/// The way to the commits.
pub(crate) struct Commits(Arc<Shared>);

struct Shared {
    pool: Arc<Pool>,
    clock: Arc<Clock>,
    place: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Waiting>,
    /// Lanes whose batch goes well, all lanes, and those whose commit hangs.
    good: usize,
    all: usize,
    hanging: usize,
    /// When a shared commit failed last by one of its items: its neighbours are not to fail again.
    failed: Option<Instant>,
}

/// Items that are put together.
struct Waiting {
    items: Vec<NewItem>,
    reply: oneshot::Sender<Result<Vec<Put>, StoreError>>,
}

impl Commits {
    pub(crate) fn new(pool: Arc<Pool>, clock: Arc<Clock>, place: String) -> Self {
        Self(Arc::new(Shared { pool, clock, place, state: Mutex::default() }))
    }

    /// Puts items.
    pub(crate) async fn put(&self, items: Vec<NewItem>) -> Result<Vec<Put>, StoreError> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let (reply, answer) = oneshot::channel();
        self.bring(Waiting { items, reply })?;
        answer.await.map_err(|_| closed())?
    }

    fn bring(&self, waiting: Waiting) -> Result<(), StoreError> {
        let shared = &self.0;
        let mut state = shared.state();
        if state.hanging == MAX_LANES {
            drop(state);
            log::commits_hang(&shared.place);
            return Err(hang().at(&shared.place));
        }
        state.queue.push_back(waiting);
        let opened = state.open_lane();
        drop(state);
        if opened {
            Lane::start(shared);
        }
        Ok(())
    }

    /// Whether some commit has been hanging for a second or more.
    pub(crate) fn hang(&self) -> bool {
        self.0.state().hanging > 0
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn put(&self, batch: &[Waiting]) -> Result<Vec<Put>, Failure> {
        let items: Vec<&NewItem> = batch.iter().flat_map(|waiting| &waiting.items).collect();
        let lent = self.pool.lend().await?;
        let outcome = put(&lent.connection, &self.clock, &items).await;
        lent.end(outcome)
    }

    fn answer(&self, batch: Vec<Waiting>, outcome: Result<Vec<Put>, Failure>) {
        match outcome {
            Ok(puts) => {
                let mut puts = puts.into_iter();
                for Waiting { items, reply } in batch {
                    // Who is gone is answered by the redelivery: it is known.
                    let _ = reply.send(Ok(puts.by_ref().take(items.len()).collect()));
                }
            }
            Err(failure) if batch.len() > 1 && failure.is_of_an_item() => {
                self.state().failed = Some(Instant::now());
                self.fail(batch, &failure.tried_again());
            }
            Err(failure) => self.fail(batch, &failure),
        }
    }

    fn fail(&self, batch: impl IntoIterator<Item = Waiting>, failure: &Failure) {
        for waiting in batch {
            let _ = waiting.reply.send(Err(failure.clone().at(&self.place)));
        }
    }
}

impl State {
    /// Counts another lane that goes well, if there may be one.
    fn open_lane(&mut self) -> bool {
        let may = self.good < GOOD_LANES && self.all < MAX_LANES;
        if may {
            self.good = self.good.saturating_add(1);
            self.all = self.all.saturating_add(1);
        }
        may
    }

    /// All that waits, as far as it goes into one batch. Who has gone is left out.
    fn gather(&mut self) -> Vec<Waiting> {
        let is_alone = self.failed.is_some_and(|failed| failed.elapsed() < ALONE);
        let (mut items, mut bytes, mut batch) = (0_usize, 0_usize, Vec::new());
        while items < ITEMS
            && bytes < BYTES
            && (batch.is_empty() || !is_alone)
            && let Some(next) = self.queue.pop_front()
        {
            if !next.reply.is_closed() {
                items = items.saturating_add(next.items.len());
                let bodies = next.items.iter().map(|item| item.body.len());
                bytes = bodies.fold(bytes, usize::saturating_add);
                batch.push(next);
            }
        }
        batch
    }
}

/// What runs batches one after another, as long as any wait. It is counted as long as it is there.
struct Lane {
    shared: Arc<Shared>,
    is_counted: bool,
    is_good: bool,
    is_hanging: bool,
}

impl Lane {
    /// Starts one that is counted already.
    fn start(shared: &Arc<Shared>) {
        let shared = Arc::clone(shared);
        let lane = Self { shared, is_counted: true, is_good: true, is_hanging: false };
        tokio::spawn(lane.run());
    }

    async fn run(mut self) {
        while let Some(batch) = self.next() {
            let shared = Arc::clone(&self.shared);
            let outcome = self.watch(shared.put(&batch)).await;
            shared.answer(batch, outcome);
        }
    }

    /// The next batch; `None` if this lane is not wanted any more: it is over then.
    fn next(&mut self) -> Option<Vec<Waiting>> {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state();
        if !self.is_good && state.good < GOOD_LANES {
            state.good = state.good.saturating_add(1);
            self.is_good = true;
        }
        let batch = if self.is_good { state.gather() } else { Vec::new() };
        if !batch.is_empty() {
            return Some(batch);
        }
        // While nobody can bring anything: whoever does then opens another one.
        self.is_over(&mut state);
        None
    }

    fn is_over(&mut self, state: &mut State) {
        let count = |is: &mut bool| usize::from(std::mem::take(is));
        state.all = state.all.saturating_sub(count(&mut self.is_counted));
        state.good = state.good.saturating_sub(count(&mut self.is_good));
        state.hanging = state.hanging.saturating_sub(count(&mut self.is_hanging));
    }

    /// Waits for a batch to its end, and has another lane opened if that takes long.
    async fn watch<T>(&mut self, put: impl Future<Output = T>) -> T {
        let mut put = std::pin::pin!(put);
        if let Ok(outcome) = timeout(SLOW, &mut put).await {
            return outcome;
        }
        self.is_slow();
        if let Ok(outcome) = timeout(HANGS, &mut put).await {
            return outcome;
        }
        self.hangs();
        let outcome = put.await;
        self.is_hanging = false;
        let mut state = self.shared.state();
        state.hanging = state.hanging.saturating_sub(1);
        outcome
    }

    fn is_slow(&mut self) {
        let mut state = self.shared.state();
        if std::mem::take(&mut self.is_good) {
            state.good = state.good.saturating_sub(1);
        }
        let opened = !state.queue.is_empty() && state.open_lane();
        drop(state);
        if opened {
            Self::start(&self.shared);
        }
    }

    fn hangs(&mut self) {
        let mut state = self.shared.state();
        state.hanging = state.hanging.saturating_add(1);
        self.is_hanging = true;
        if state.hanging == MAX_LANES {
            let waiting = std::mem::take(&mut state.queue);
            drop(state);
            log::commits_hang(&self.shared.place);
            self.shared.fail(waiting, &hang());
        }
    }
}

impl Drop for Lane {
    /// Also after a panic.
    fn drop(&mut self) {
        let shared = Arc::clone(&self.shared);
        self.is_over(&mut shared.state());
    }
}

/// Commits do not come to an end.
pub(crate) fn hang() -> Failure {
    Failure::timed_out("commits hang: is a synchronous standby gone?")
}
