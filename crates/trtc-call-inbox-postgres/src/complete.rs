//! Completing a job in a transaction of the user's.

use tokio_postgres::Transaction;
use tokio_postgres::types::Type;
use trtc_call_inbox::{Job, JobError};

use crate::connect::Argument;
use crate::error::Failure;

const COMPLETE: &str = "SELECT trtc_call.complete($1, $2)";

/// Completing a job in one transaction with statements of one's own.
pub trait CompleteIn {
    /// Completes the job in this transaction, which has to be in the inbox's database: once it is
    /// committed, the job is done and so is all else that stands in the transaction; if it is not, neither
    /// is.
    ///
    /// Commit it before the handler returns `Ok`; a handler that does not is tried again. Nothing else waits
    /// for a transaction that takes long, but [`stop`](trtc_call_inbox::Worker::stop) and
    /// whoever decides a dispute of this call.
    ///
    /// Any other client of PostgreSQL calls the function: `SELECT trtc_call.complete(id, token)` with what
    /// [`Job::lease`] gives, and the job is told by [`Job::completes_in_transaction`].
    ///
    /// # Errors
    ///
    /// If the lease is lost: somebody else has the job by now, or it is disputed. Or the database's.
    /// PostgreSQL has then ended the transaction, and takes back what is in it, even if it is committed.
    fn complete_in(
        &self,
        transaction: &Transaction<'_>,
    ) -> impl Future<Output = Result<(), JobError>> + Send;
}

impl<E: Sync> CompleteIn for Job<E> {
    async fn complete_in(&self, transaction: &Transaction<'_>) -> Result<(), JobError> {
        self.completes_in_transaction();
        let lease = self.lease();
        let arguments: [Argument<'_>; 2] =
            [(&lease.item.get(), Type::INT8), (&lease.token, Type::INT8)];
        match transaction.query_typed(COMPLETE, &arguments).await {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::from(error).at("PostgreSQL").into()),
        }
    }
}
