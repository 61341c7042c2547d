//! Statements of users, in one transaction with the completion of a job.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rusqlite::Transaction;
use tokio::sync::oneshot;
use trtc_call_inbox::store::{Lease, StoreError, StoreErrorKind};
use trtc_call_inbox::{DoneAs, Job, JobError};

use crate::engine::{Engine, PATIENCE, Turn};
use crate::error::{Failure, closed, lease_lost};
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
        let value = inbox.run_statements(Some(self.lease()), statements).await?;
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

    /// Runs them once.
    fn run(&mut self, transaction: &Transaction<'_>) -> Result<(), JobError>;

    /// Tells the caller what came of the last run.
    fn answer(self: Box<Self>, outcome: Result<(), JobError>);
}

/// A user's closure, with whom to tell.
pub(crate) struct Call<F, T> {
    lease: Option<Lease>,
    statements: F,
    value: Option<T>,
    reply: oneshot::Sender<Result<T, JobError>>,
}

impl<F, T> Call<F, T> {
    pub(crate) fn new(
        lease: Option<Lease>,
        statements: F,
        reply: oneshot::Sender<Result<T, JobError>>,
    ) -> Self {
        Self { lease, statements, value: None, reply }
    }
}

impl<F, T, E> Statements for Call<F, T>
where
    F: FnMut(&Transaction<'_>) -> Result<T, E> + Send,
    T: Send,
    E: Into<JobError>,
{
    fn lease(&self) -> Option<Lease> {
        self.lease
    }

    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }

    fn run(&mut self, transaction: &Transaction<'_>) -> Result<(), JobError> {
        self.value = Some((self.statements)(transaction).map_err(Into::into)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), JobError>) {
        let Self { value, reply, .. } = *self;
        let outcome = outcome.and_then(|()| value.ok_or_else(|| closed().into()));
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
                Ok(Fate::Undone(error)) => call.answer(Err(error)),
                Ok(Fate::EndedAll(error)) => {
                    call.answer(Err(error));
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
        Ok(()) => calls.into_iter().for_each(|call| call.answer(Ok(()))),
        // A constraint that is checked at the commit tells nobody whose statements broke it.
        Err(failure) if is_ended || (failure.is_constraint() && calls.len() > 1) => return calls,
        Err(failure) => {
            for call in calls {
                call.answer(Err(failure.clone().at(&engine.place().path).into()));
            }
        }
    }
    Vec::new()
}

/// What became of a call's statements.
enum Fate {
    /// They stand, if the transaction is committed.
    Stands,
    /// They are undone, and the transaction goes on.
    Undone(JobError),
    /// They have ended the transaction, and undone what others did in it.
    EndedAll(JobError),
}

fn attempt(turn: &Turn<'_>, call: &mut dyn Statements) -> Result<Fate, Failure> {
    let transaction = turn.transaction;
    transaction.execute_batch(SAVE)?;
    if let Some(lease) = call.lease()
        && !settle::complete(transaction, lease, DoneAs::Handled, turn.now)?
    {
        transaction.execute_batch(UNDO)?;
        return Ok(Fate::Undone(lease_lost().into()));
    }
    let outcome = run(transaction, call);
    if transaction.is_autocommit() {
        let error = outcome.err().map(|error| format!(": {error}")).unwrap_or_default();
        let text = format!("the statements ended the transaction, and none of them counts{error}");
        return Ok(Fate::EndedAll(text.into()));
    }
    match outcome {
        Ok(()) => {
            transaction.execute_batch(KEEP)?;
            Ok(Fate::Stands)
        }
        Err(error) => {
            transaction.execute_batch(UNDO)?;
            Ok(Fate::Undone(error))
        }
    }
}

fn run(transaction: &Transaction<'_>, call: &mut dyn Statements) -> Result<(), JobError> {
    let start = Instant::now();
    // Whatever a panic leaves half done is in the savepoint, or in a closure that does not run again.
    let outcome = guard::run(|| catch_unwind(AssertUnwindSafe(|| call.run(transaction))));
    let took = start.elapsed();
    if took > SLOW {
        log::slow_statements(took);
    }
    outcome.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Err(format!("the statements panicked: {}", text.unwrap_or("without a word")).into())
    })
}

fn ended() -> Failure {
    let text = "the statements of a job ended the transaction";
    Failure::new(StoreErrorKind::Other, text).sparing_connection()
}

#[cfg(test)]
mod tests;
