//! The thread that writes, and the queues before it.
//!
//! Puts go first, and all that wait share a transaction. What the worker and people do, and what users'
//! statements do, goes in between: each kind in transactions of its own, so that a put shares none with
//! either.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rusqlite::Transaction;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::oneshot;
use trtc_call_inbox::NewItem;
use trtc_call_inbox::store::{Lease, Put, StoreError, StoreErrorKind};

use crate::busy;
use crate::closure::{self, Call, Statements};
use crate::engine::{Engine, PATIENCE, Turn};
use crate::error::{Failure, closed};
use crate::put;

/// How much waits before whoever brings more has to wait himself.
const QUEUE: usize = 1024;

/// The most items, operations and calls in one transaction.
const PUTS: usize = 512;
const OPERATIONS: usize = 16;
const CALLS: usize = 64;

/// How long calls are added to a transaction.
const SLICE: Duration = Duration::from_millis(20);

/// How often, and for how long, emptying the log is tried while somebody reads in it.
const RETRY: Duration = Duration::from_millis(10);
const RETRIES_FOR: Duration = Duration::from_secs(1);

/// The way to the thread. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Writer {
    queues: Option<Queues>,
    thread: Thread,
}

#[derive(Debug)]
struct Queues {
    puts: Sender<Puts>,
    others: Sender<Other>,
}

/// Items that are put together.
#[derive(Debug)]
struct Puts {
    items: Vec<NewItem>,
    since: Instant,
    reply: oneshot::Sender<Result<Vec<Put>, StoreError>>,
}

/// What is done between puts.
enum Other {
    Operation(Box<dyn Operation>),
    Call(Box<dyn Statements>),
    TruncateLog(TruncateLog),
}

/// What a store does in a transaction.
trait Operation: Send {
    fn is_wanted(&self) -> bool;
    fn run(&mut self, turn: &mut Turn<'_>) -> Result<(), Failure>;
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

struct Task<F, T> {
    work: F,
    value: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

struct TruncateLog {
    deadline: Instant,
    reply: oneshot::Sender<Result<(), StoreError>>,
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(engine: Engine) -> io::Result<Self> {
        let (puts, waiting_puts) = mpsc::channel(QUEUE);
        let (others, waiting_others) = mpsc::channel(QUEUE);
        let work = Work {
            engine,
            puts: waiting_puts,
            others: waiting_others,
            next: None,
            again: VecDeque::new(),
            truncations: Vec::new(),
        };
        let thread = thread::Builder::new().name("trtc-call-inbox".to_owned());
        let thread = thread.spawn(move || work.run())?.thread().clone();
        Ok(Self { queues: Some(Queues { puts, others }), thread })
    }

    /// Puts items.
    pub(crate) async fn put(&self, items: Vec<NewItem>) -> Result<Vec<Put>, StoreError> {
        let (reply, answer) = oneshot::channel();
        let puts = Puts { items, since: Instant::now(), reply };
        let queues = self.queues.as_ref().ok_or_else(closed)?;
        queues.puts.send(puts).await.map_err(|_| closed())?;
        self.thread.unpark();
        answer.await.map_err(|_| closed())?
    }

    /// Has something done in a transaction.
    pub(crate) async fn operate<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Turn<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Other::Operation(Box::new(Task { work, value: None, reply }))).await?;
        answer.await.map_err(|_| closed())?
    }

    /// Has a user's statements run.
    pub(crate) async fn call<T, E, F>(&self, lease: Option<Lease>, statements: F) -> Result<T, E>
    where
        F: FnMut(&Transaction<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + fmt::Display + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.send(Other::Call(Box::new(Call::new(lease, statements, reply)))).await?;
        answer.await.map_err(|_| closed())?
    }

    /// Leaves nothing in SQLite's log.
    pub(crate) async fn truncate_log(&self) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        let deadline = busy::after(RETRIES_FOR);
        self.send(Other::TruncateLog(TruncateLog { deadline, reply })).await?;
        answer.await.map_err(|_| closed())?
    }

    async fn send(&self, other: Other) -> Result<(), StoreError> {
        let queues = self.queues.as_ref().ok_or_else(closed)?;
        queues.others.send(other).await.map_err(|_| closed())?;
        self.thread.unpark();
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queues = None;
        self.thread.unpark();
    }
}

impl<F, T> Operation for Task<F, T>
where
    F: FnMut(&mut Turn<'_>) -> Result<T, Failure> + Send,
    T: Send,
{
    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }

    fn run(&mut self, turn: &mut Turn<'_>) -> Result<(), Failure> {
        self.value = Some((self.work)(turn)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self { value, reply, .. } = *self;
        let outcome = outcome.and_then(|()| value.ok_or_else(closed));
        // Nobody has to wait for it any more.
        let _ = reply.send(outcome);
    }
}

/// What the thread has.
struct Work {
    engine: Engine,
    puts: Receiver<Puts>,
    others: Receiver<Other>,
    /// What was taken out of the queue and does not go with what was before it.
    next: Option<Other>,
    /// Calls whose transaction was ended by another one's statements.
    again: VecDeque<Box<dyn Statements>>,
    truncations: Vec<TruncateLog>,
}

impl Work {
    /// Works until nobody can send any more. Nothing may end the thread before: also what a user's
    /// statements hold can panic, when it is dropped here.
    fn run(mut self) {
        while catch_unwind(AssertUnwindSafe(|| self.work())).is_err() {
            self.engine.recover_from_panic();
        }
    }

    fn work(&mut self) {
        loop {
            let has_put = self.put();
            let has_done_other = self.do_other();
            self.truncate_log();
            self.engine.checkpoint_if_due();
            if has_put || has_done_other {
                continue;
            }
            if self.puts.is_closed() && self.others.is_closed() && self.truncations.is_empty() {
                return;
            }
            // Whoever sends something, or drops the handle, unparks afterwards: nothing is missed.
            if self.truncations.is_empty() {
                thread::park();
            } else {
                thread::park_timeout(RETRY);
            }
        }
    }

    /// Stores what waits, in one transaction. Says whether something did.
    fn put(&mut self) -> bool {
        let Some(first) = next_puts(&mut self.puts) else { return false };
        let deadline = first.since.checked_add(PATIENCE).unwrap_or(first.since);
        let mut batch = vec![first];
        let outcome = self.engine.transaction(deadline, |turn| {
            let mut items = batch.iter().map(|puts| puts.items.len()).sum::<usize>();
            while items < PUTS
                && let Some(puts) = next_puts(&mut self.puts)
            {
                items = items.saturating_add(puts.items.len());
                batch.push(puts);
            }
            let put_all =
                |puts: &Puts| puts.items.iter().map(|item| put::put(turn, item)).collect();
            batch.iter().map(put_all).collect::<Result<Vec<Vec<Put>>, _>>()
        });
        match outcome {
            Ok(outcomes) => {
                for (puts, outcome) in batch.into_iter().zip(outcomes) {
                    // Who is gone is answered by the redelivery: it is known.
                    let _ = puts.reply.send(Ok(outcome));
                }
            }
            Err(failure) => {
                let path = &self.engine.place().path;
                for puts in batch {
                    let _ = puts.reply.send(Err(failure.clone().at(path)));
                }
            }
        }
        true
    }

    /// Does the next of what is no put, with what can share its transaction.
    fn do_other(&mut self) -> bool {
        if let Some(call) = self.again.pop_front() {
            let mut alone = Some(call);
            closure::run_together(&mut self.engine, || alone.take());
            return true;
        }
        match self.next_other() {
            Some(Other::Operation(first)) => self.operate(first),
            Some(Other::Call(first)) => self.call(first),
            Some(Other::TruncateLog(truncation)) => self.truncations.push(truncation),
            None => return false,
        }
        true
    }

    fn operate(&mut self, first: Box<dyn Operation>) {
        let mut operations = vec![first];
        while operations.len() < OPERATIONS {
            match self.next_other() {
                Some(Other::Operation(operation)) => operations.push(operation),
                other => {
                    self.next = other;
                    break;
                }
            }
        }
        operations.retain(|operation| operation.is_wanted());
        let outcome = self.engine.transaction(busy::after(PATIENCE), |turn| {
            operations.iter_mut().try_for_each(|operation| operation.run(turn))
        });
        let path = &self.engine.place().path;
        for operation in operations {
            operation.answer(outcome.clone().map_err(|failure| failure.at(path)));
        }
    }

    fn call(&mut self, first: Box<dyn Statements>) {
        let Self { engine, puts, others, next, again, .. } = self;
        let mut first = Some(first);
        let (start, mut calls) = (Instant::now(), 0_usize);
        let ended = closure::run_together(engine, || {
            if let Some(first) = first.take() {
                return Some(first);
            }
            calls = calls.saturating_add(1);
            if calls >= CALLS || start.elapsed() >= SLICE || !puts.is_empty() {
                return None;
            }
            match next_other(next, others) {
                Some(Other::Call(call)) => Some(call),
                other => {
                    *next = other;
                    None
                }
            }
        });
        again.extend(ended);
    }

    /// Empties the log for those who wait for it, unless somebody still uses it.
    fn truncate_log(&mut self) {
        if self.truncations.is_empty() {
            return;
        }
        let outcome = self.engine.truncate_log();
        let path = &self.engine.place().path;
        let now = Instant::now();
        let waiting = self.truncations.drain(..).filter_map(|truncation| {
            let outcome = match &outcome {
                Ok(false) if now < truncation.deadline => return Some(truncation),
                Ok(false) => Err(still_read().at(path)),
                Ok(true) => Ok(()),
                Err(failure) => Err(failure.clone().at(path)),
            };
            let _ = truncation.reply.send(outcome);
            None
        });
        self.truncations = waiting.collect();
    }

    fn next_other(&mut self) -> Option<Other> {
        next_other(&mut self.next, &mut self.others)
    }
}

fn still_read() -> Failure {
    let text = "somebody reads in its log, which still has what was erased: try again";
    Failure::new(StoreErrorKind::Unavailable, text)
}

/// The next puts whose caller still waits.
fn next_puts(puts: &mut Receiver<Puts>) -> Option<Puts> {
    std::iter::from_fn(|| puts.try_recv().ok()).find(|puts| !puts.reply.is_closed())
}

/// The next of the others whose caller still waits.
fn next_other(next: &mut Option<Other>, others: &mut Receiver<Other>) -> Option<Other> {
    next.take().or_else(|| std::iter::from_fn(|| others.try_recv().ok()).find(Other::is_wanted))
}

impl Other {
    fn is_wanted(&self) -> bool {
        match self {
            Self::Operation(operation) => operation.is_wanted(),
            Self::Call(call) => call.is_wanted(),
            Self::TruncateLog(truncation) => !truncation.reply.is_closed(),
        }
    }
}
