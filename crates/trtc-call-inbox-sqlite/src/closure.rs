//! Statements of users, in one transaction with the completion of a job.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rusqlite::Transaction;
use tokio::sync::oneshot;
use trtc_call_inbox::store::{Lease, StoreError, StoreErrorKind};
use trtc_call_inbox::{DoneAs, Job, JobError};

use crate::engine::{Engine, PATIENCE, Turn};
use crate::error::{Failure, closed};
use crate::inbox::SqliteInbox;
use crate::{busy, guard, log, settle};

/// From when on statements are reported as slow.
const SLOW: Duration = Duration::from_millis(100);

/// What each call's statements stand in, so that they can be undone alone.
const SAVE: &str = "SAVEPOINT trtc_call_statements";
const KEEP: &str = "RELEASE trtc_call_statements";
const UNDO: &str = "ROLLBACK TO trtc_call_statements; RELEASE trtc_call_statements";

/// Completing a job in one transaction with statements of one's own.
pub trait CompleteWith {
    /// Runs the statements, and completes the job, in one transaction: either both are on the disk when
    /// this returns `Ok`, or neither ever is.
    ///
    /// They run on the thread that also stores callbacks, and nothing is stored meanwhile: SQL only, no
    /// waiting. What takes more than 100 ms is logged, and a statement that still runs after 500 ms is
    /// interrupted. Transactions, savepoints, `ATTACH`, `PRAGMA`, and changes to the inbox's own tables
    /// are refused. Foreign keys are enforced.
    ///
    /// They may run more than once, if those of somebody else end the transaction that they share, and
    /// only the last run counts: nothing in them may act outside of the database. A panic is an error.
    ///
    /// If this is dropped before it returns, it may have done its work, or not; both together in any
    /// case.
    ///
    /// # Errors
    ///
    /// The statements' own error, or that the lease is lost, or the store's. Nothing is changed then.
    fn complete_with<T, E, F>(
        &self,
        statements: F,
    ) -> impl Future<Output = Result<T, JobError>> + Send
    where
        F: FnMut(&Transaction<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Into<JobError>;
}

impl<Event: Sync> CompleteWith for Job<Event> {
    async fn complete_with<T, E, F>(&self, statements: F) -> Result<T, JobError>
    where
        F: FnMut(&Transaction<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Into<JobError>,
    {
        let store: &dyn Any = self.store();
        let Some(inbox) = store.downcast_ref::<SqliteInbox>() else {
            let text = "the job is not from a SqliteInbox: it cannot be completed in one";
            return Err(StoreError::new(StoreErrorKind::Other, text).into());
        };
        let mut statements = statements;
        let run = move |transaction: &Transaction<'_>| -> Result<T, JobError> {
            statements(transaction).map_err(Into::into)
        };
        let value = inbox.run_statements(Some(self.lease()), run).await?;
        self.mark_completed();
        Ok(value)
    }
}

/// The statements of one call.
pub(crate) trait Statements: Send {
    /// The job that they complete.
    fn lease(&self) -> Option<Lease>;

    /// Whether somebody still waits for them.
    fn is_wanted(&self) -> bool;

    /// Runs them once, and keeps what came of it. Says what went wrong.
    fn run(&mut self, transaction: &Transaction<'_>) -> Result<(), String>;

    /// Tells the caller what came of the last run, unless something else has failed.
    fn answer(self: Box<Self>, failure: Option<StoreError>);
}

/// A user's closure, with whom to tell.
pub(crate) struct Call<F, T, E> {
    lease: Option<Lease>,
    statements: F,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Call<F, T, E> {
    pub(crate) fn new(
        lease: Option<Lease>,
        statements: F,
        reply: oneshot::Sender<Result<T, E>>,
    ) -> Self {
        Self { lease, statements, outcome: None, reply }
    }
}

impl<F, T, E> Statements for Call<F, T, E>
where
    F: FnMut(&Transaction<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + fmt::Display + Send,
{
    fn lease(&self) -> Option<Lease> {
        self.lease
    }

    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }

    fn run(&mut self, transaction: &Transaction<'_>) -> Result<(), String> {
        let outcome = self.outcome.insert((self.statements)(transaction));
        outcome.as_ref().map(|_| ()).map_err(ToString::to_string)
    }

    fn answer(self: Box<Self>, failure: Option<StoreError>) {
        let Self { outcome, reply, .. } = *self;
        let outcome = match failure {
            Some(failure) => Err(failure.into()),
            None => outcome.unwrap_or_else(|| Err(closed().into())),
        };
        // Nobody has to wait for it any more.
        let _ = reply.send(outcome);
    }
}

/// Runs calls in one transaction, as long as `next` gives some. Returns those that have to run again,
/// each alone, since another one's statements have ended the transaction.
pub(crate) fn run_together(
    engine: &mut Engine,
    mut next: impl FnMut() -> Option<Box<dyn Statements>>,
) -> Vec<Box<dyn Statements>> {
    // Those that stand in the transaction; before it has begun, the first one.
    let mut calls: Vec<Box<dyn Statements>> = next().into_iter().collect();
    let mut is_ended = false;
    let outcome = engine.transaction(busy::after(PATIENCE), |turn| {
        let mut running = calls.pop();
        while let Some(mut call) = running {
            match attempt(turn, &mut *call) {
                Ok(Fate::Stands) => calls.push(call),
                Ok(Fate::Undone(failure)) => call.answer(failure),
                Ok(Fate::EndedAll(failure)) => {
                    call.answer(Some(failure));
                    is_ended = true;
                    return Err(ended());
                }
                Err(failure) => {
                    calls.push(call);
                    return Err(failure);
                }
            }
            running = next();
        }
        Ok(())
    });
    match outcome {
        Ok(()) => calls.into_iter().for_each(|call| call.answer(None)),
        // A constraint that is checked at the commit tells nobody whose statements broke it.
        Err(failure) if is_ended || (failure.is_constraint() && calls.len() > 1) => return calls,
        Err(failure) => {
            for call in calls {
                call.answer(Some(failure.clone().at(&engine.place().path)));
            }
        }
    }
    Vec::new()
}

/// What became of a call's statements.
enum Fate {
    /// They stand, if the transaction is committed.
    Stands,
    /// They are undone, by their own error or another one, and the transaction goes on.
    Undone(Option<StoreError>),
    /// They have ended the transaction, and undone what others did in it.
    EndedAll(StoreError),
}

fn attempt(turn: &Turn<'_>, call: &mut dyn Statements) -> Result<Fate, Failure> {
    let transaction = turn.transaction;
    transaction.execute_batch(SAVE)?;
    if let Some(lease) = call.lease()
        && !settle::complete(transaction, lease, DoneAs::Handled, turn.now)?
    {
        transaction.execute_batch(UNDO)?;
        return Ok(Fate::Undone(Some(StoreError::lease_lost())));
    }
    let outcome = run(transaction, call);
    if transaction.is_autocommit() {
        let error = outcome.err().map(|error| format!(": {}", error.text())).unwrap_or_default();
        let text = format!("the statements ended the transaction, and none of them counts{error}");
        return Ok(Fate::EndedAll(StoreError::new(StoreErrorKind::Other, text)));
    }
    match outcome {
        Ok(()) => {
            transaction.execute_batch(KEEP)?;
            Ok(Fate::Stands)
        }
        Err(error) => {
            transaction.execute_batch(UNDO)?;
            Ok(Fate::Undone(error.panic()))
        }
    }
}

/// What went wrong with statements.
enum Wrong {
    /// They returned an error, which the call keeps.
    Error(String),
    Panic(String),
}

impl Wrong {
    fn text(&self) -> &str {
        let (Self::Error(text) | Self::Panic(text)) = self;
        text
    }

    /// What the call does not know.
    fn panic(self) -> Option<StoreError> {
        match self {
            Self::Error(_) => None,
            Self::Panic(text) => Some(StoreError::new(StoreErrorKind::Other, text)),
        }
    }
}

fn run(transaction: &Transaction<'_>, call: &mut dyn Statements) -> Result<(), Wrong> {
    let start = Instant::now();
    // Whatever a panic leaves half done is in the savepoint, or in a closure that does not run again.
    let outcome = guard::run(|| catch_unwind(AssertUnwindSafe(|| call.run(transaction))));
    let took = start.elapsed();
    if took > SLOW {
        log::slow_statements(took);
    }
    match outcome {
        Ok(outcome) => outcome.map_err(Wrong::Error),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().copied();
            let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            let text = text.unwrap_or("without a word");
            Err(Wrong::Panic(format!("the statements panicked: {text}")))
        }
    }
}

fn ended() -> Failure {
    let text = "the statements of a job ended the transaction";
    Failure::new(StoreErrorKind::Other, text).sparing_connection()
}

#[cfg(test)]
mod tests;
