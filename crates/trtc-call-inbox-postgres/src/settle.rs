//! Holding on to leases, and ending them.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_postgres::types::Type;
use trtc_call_inbox::store::{Lease, Outcome, Settlement};

use crate::clock::Clock;
use crate::connect::{Argument, Connection};
use crate::error::Failure;
use crate::schema::VERSION;
use crate::text::escape;
use crate::time::Interval;

const RENEW: &str = "SELECT held, at FROM trtc_call.renew($1, $2, $3, $4)";

const SETTLE: &str = "SELECT held, at FROM trtc_call.settle($1, $2, $3, $4, $5, $6, $7, $8)";

/// How long a transaction of the user's that still has the item is waited for: a handler that fails leaves
/// one that is about to be rolled back.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often it is looked whether that is over.
const PAUSE: Duration = Duration::from_millis(20);

/// Makes leases longer. Says of each whether it is still held.
pub(crate) async fn renew(
    connection: &Connection,
    clock: &Clock,
    leases: &[Lease],
    term: Duration,
) -> Result<Vec<bool>, Failure> {
    let ids: Vec<i64> = leases.iter().map(|lease| lease.item.get()).collect();
    let tokens: Vec<i64> = leases.iter().map(|lease| lease.token).collect();
    let arguments: [Argument<'_>; 4] = [
        (&VERSION, Type::INT4),
        (&ids, Type::INT8_ARRAY),
        (&tokens, Type::INT8_ARRAY),
        (&Interval::of(term), Type::INTERVAL),
    ];
    let renewed = connection.row_at(clock, RENEW, &arguments).await?;
    Ok(renewed.try_get::<_, Option<Vec<bool>>>(0)?.unwrap_or_default())
}

/// Ends leases. Says of each whether it was still held.
pub(crate) async fn settle(
    connection: &Connection,
    clock: &Clock,
    settlements: &[Settlement],
) -> Result<Vec<bool>, Failure> {
    // A lease is ended once.
    let mut seen = HashSet::new();
    let mut asked: Vec<(usize, &Settlement)> = settlements
        .iter()
        .enumerate()
        .filter(|(_, settlement)| seen.insert(settlement.lease))
        .collect();
    let mut held = vec![false; settlements.len()];
    let start = Instant::now();
    while !asked.is_empty() {
        let ended = end(connection, clock, &asked).await?;
        let mut busy = Vec::new();
        for ((place, settlement), was_held) in asked.into_iter().zip(ended) {
            match (was_held, held.get_mut(place)) {
                (Some(was_held), Some(held)) => *held = was_held,
                _ => busy.push((place, settlement)),
            }
        }
        if start.elapsed() >= PATIENCE {
            break;
        }
        asked = busy;
        if !asked.is_empty() {
            sleep(PAUSE).await;
        }
    }
    Ok(held)
}

/// Ends what nobody holds; `None` for the others.
async fn end(
    connection: &Connection,
    clock: &Clock,
    asked: &[(usize, &Settlement)],
) -> Result<Vec<Option<bool>>, Failure> {
    let mut columns = Columns::default();
    for (_, settlement) in asked {
        columns.add(settlement);
    }
    let Columns { ids, tokens, outcomes, done_as, afters, uncounted, errors } = columns;
    let arguments: [Argument<'_>; 8] = [
        (&VERSION, Type::INT4),
        (&ids, Type::INT8_ARRAY),
        (&tokens, Type::INT8_ARRAY),
        (&outcomes, Type::TEXT_ARRAY),
        (&done_as, Type::TEXT_ARRAY),
        (&afters, Type::INTERVAL_ARRAY),
        (&uncounted, Type::INT4_ARRAY),
        (&errors, Type::TEXT_ARRAY),
    ];
    let ended = connection.row_at(clock, SETTLE, &arguments).await?;
    Ok(ended.try_get::<_, Option<Vec<Option<bool>>>>(0)?.unwrap_or_default())
}

/// Settlements as the statement takes them.
#[derive(Default)]
struct Columns {
    ids: Vec<i64>,
    tokens: Vec<i64>,
    outcomes: Vec<&'static str>,
    done_as: Vec<Option<&'static str>>,
    afters: Vec<Interval>,
    uncounted: Vec<i32>,
    errors: Vec<Option<String>>,
}

impl Columns {
    fn add(&mut self, settlement: &Settlement) {
        let at_once = Duration::ZERO;
        let (outcome, done_as, after, is_counted, error) = match &settlement.outcome {
            Outcome::Done(done_as) => ("done", Some(done_as.as_str()), at_once, true, None),
            Outcome::Retry { after, counted, error } => {
                ("retry", None, *after, *counted, Some(error))
            }
            Outcome::Dead { error } => ("dead", None, at_once, true, Some(error)),
            Outcome::AskRecord | Outcome::Undecidable { .. } => todo!(),
            Outcome::GiveBack => ("back", None, at_once, false, None),
        };
        self.ids.push(settlement.lease.item.get());
        self.tokens.push(settlement.lease.token);
        self.outcomes.push(outcome);
        self.done_as.push(done_as);
        self.afters.push(Interval::of(after));
        self.uncounted.push(i32::from(!is_counted));
        self.errors.push(error.map(|error| escape(error).into_owned()));
    }
}
