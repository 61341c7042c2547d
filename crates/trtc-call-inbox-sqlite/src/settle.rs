//! Holding on to leases, and ending them. Each statement changes nothing without the lease's token.

use std::time::Duration;

use rusqlite::{Connection, named_params};
use trtc_call_inbox::DoneAs;
use trtc_call_inbox::store::{Lease, Outcome, Settlement};

use crate::engine::Turn;
use crate::error::Failure;
use crate::time;

const RENEW: &str = "
    UPDATE trtc_call_items SET leased_until = :now + :term, lease_term = :term
    WHERE id = :id AND token = :token AND state = 'leased'";

/// A statement that ends a lease.
macro_rules! end_lease {
    ($set:literal) => {
        concat!(
            "UPDATE trtc_call_items SET ",
            $set,
            ", owner = NULL, token = NULL, leased_until = NULL, lease_term = NULL
             WHERE id = :id AND token = :token AND state = 'leased'"
        )
    };
}

const COMPLETE: &str =
    end_lease!("state = 'done', done_as = :done_as, done_at = :now, lost_leases = 0");

const RETRY: &str = end_lease!(
    "state = 'waiting', due_at = :now + :after, delay = :after, last_error = :error, lost_leases = 0,
     attempts = max(attempts - :uncounted, 0),
     first_attempt_at = CASE WHEN attempts > :uncounted THEN first_attempt_at END"
);

const KILL: &str = end_lease!("state = 'dead', last_error = :error, lost_leases = 0");

const GIVE_BACK: &str = end_lease!(
    "state = 'waiting', due_at = min(due_at, :now), delay = 0,
     attempts = max(attempts - 1, 0),
     first_attempt_at = CASE WHEN attempts > 1 THEN first_attempt_at END"
);

/// Makes leases longer. Says of each whether it is still held.
pub(crate) fn renew(
    turn: &Turn<'_>,
    leases: &[Lease],
    term: Duration,
) -> Result<Vec<bool>, Failure> {
    let mut renew = turn.transaction.prepare_cached(RENEW)?;
    let renewed = leases.iter().map(|lease| {
        let changed = renew.execute(named_params! {
            ":id": lease.item.get(),
            ":token": lease.token,
            ":now": turn.now,
            ":term": time::span(term),
        })?;
        Ok(changed == 1)
    });
    renewed.collect()
}

/// Ends leases. Says of each whether it was still held.
pub(crate) fn settle(turn: &Turn<'_>, settlements: &[Settlement]) -> Result<Vec<bool>, Failure> {
    settlements.iter().map(|Settlement { lease, outcome }| end(turn, *lease, outcome)).collect()
}

fn end(turn: &Turn<'_>, lease: Lease, outcome: &Outcome) -> Result<bool, Failure> {
    let (id, token, now) = (lease.item.get(), lease.token, turn.now);
    let changed = match outcome {
        Outcome::Done(done_as) => return complete(turn.transaction, lease, *done_as, now),
        Outcome::Retry { after, counted, error } => {
            turn.transaction.prepare_cached(RETRY)?.execute(named_params! {
                ":id": id,
                ":token": token,
                ":now": now,
                ":after": time::span(*after),
                ":uncounted": !counted,
                ":error": error,
            })?
        }
        Outcome::Dead { error } => turn
            .transaction
            .prepare_cached(KILL)?
            .execute(named_params! { ":id": id, ":token": token, ":error": error })?,
        Outcome::AskRecord | Outcome::Undecidable { .. } => todo!(),
        Outcome::GiveBack => turn
            .transaction
            .prepare_cached(GIVE_BACK)?
            .execute(named_params! { ":id": id, ":token": token, ":now": now })?,
    };
    Ok(changed == 1)
}

/// Makes an item done. Says whether the lease was still held.
pub(crate) fn complete(
    connection: &Connection,
    lease: Lease,
    done_as: DoneAs,
    now: i64,
) -> Result<bool, Failure> {
    let changed = connection.prepare_cached(COMPLETE)?.execute(named_params! {
        ":id": lease.item.get(),
        ":token": lease.token,
        ":done_as": done_as.as_str(),
        ":now": now,
    })?;
    Ok(changed == 1)
}
