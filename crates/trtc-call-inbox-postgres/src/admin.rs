//! What people do with items: replay, discard, resolve, erase; and pruning, and the check of health.

use std::collections::HashSet;

use tokio_postgres::types::Type;
use trtc_call_inbox::ItemId;
use trtc_call_inbox::store::{Pruned, Resolved, Retention};

use crate::clock::Clock;
use crate::connect::{Argument, Connection};
use crate::error::Failure;
use crate::row::word;
use crate::schema::{self, VERSION};
use crate::time::Interval;

const REPLAY: &str = "SELECT replayed, at FROM trtc_call.replay($1, $2)";
const DISCARD: &str = "SELECT discarded, at FROM trtc_call.discard($1, $2)";
const ERASE: &str = "SELECT erased, at FROM trtc_call.erase($1, $2)";
const RESOLVE: &str = "SELECT word, corrects, at FROM trtc_call.resolve($1, $2)";
const PRUNE: &str = "SELECT items, keys, at FROM trtc_call.prune($1, $2, $3, $4)";

const PROBE: &str = "
    INSERT INTO trtc_call.keys (digest, key, sdk_app_id, compared, first_item, last_at)
    VALUES ($1, '', 0, '', 0, trtc_call.now())";

/// Makes items that are dead or wait, also for their record, due at once. Says of each whether it was one of
/// those.
pub(crate) async fn replay(
    connection: &Connection,
    clock: &Clock,
    items: &[ItemId],
) -> Result<Vec<bool>, Failure> {
    let replayed = change(connection, clock, REPLAY, items).await?;
    Ok(items.iter().map(|item| replayed.contains(item)).collect())
}

/// Puts items away. Says of each whether it waited, also for its record, was dead or disputed.
pub(crate) async fn discard(
    connection: &Connection,
    clock: &Clock,
    items: &[ItemId],
) -> Result<Vec<bool>, Failure> {
    let mut discarded = change(connection, clock, DISCARD, items).await?;
    Ok(items.iter().map(|item| discarded.remove(item)).collect())
}

/// Removes bodies, records and errors. Says of each whether it was done.
pub(crate) async fn erase(
    connection: &Connection,
    clock: &Clock,
    items: &[ItemId],
) -> Result<Vec<bool>, Failure> {
    let erased = change(connection, clock, ERASE, items).await?;
    Ok(items.iter().map(|item| erased.contains(item)).collect())
}

/// Changes those of the items that it can be done to.
async fn change(
    connection: &Connection,
    clock: &Clock,
    statement: &str,
    items: &[ItemId],
) -> Result<HashSet<ItemId>, Failure> {
    let ids: Vec<i64> = items.iter().map(|item| item.get()).collect();
    let arguments: [Argument<'_>; 2] = [(&VERSION, Type::INT4), (&ids, Type::INT8_ARRAY)];
    let changed = connection.row_at(clock, statement, &arguments).await?;
    Ok(changed.try_get::<_, Vec<i64>>(0)?.into_iter().map(ItemId::new).collect())
}

/// Decides a dispute, or that a record is not needed.
pub(crate) async fn resolve(
    connection: &Connection,
    clock: &Clock,
    item: ItemId,
) -> Result<Resolved, Failure> {
    let arguments: [Argument<'_>; 2] = [(&VERSION, Type::INT4), (&item.get(), Type::INT8)];
    let resolved = connection.row_at(clock, RESOLVE, &arguments).await?;
    let corrects = resolved.try_get::<_, Option<i64>>(1)?.map(ItemId::new);
    word(resolved.try_get(0)?, |word| match word {
        "waits" => Some(Resolved::Waits),
        "corrects" => corrects.map(Resolved::Corrects),
        "stays" => Some(Resolved::Stays),
        "not disputed" => Some(Resolved::NotDisputed),
        _ => None,
    })
}

/// Removes some of what is older than it has to be kept.
pub(crate) async fn prune(
    connection: &Connection,
    clock: &Clock,
    retention: Retention,
    limit: usize,
) -> Result<Pruned, Failure> {
    let limit = i32::try_from(limit).unwrap_or(i32::MAX);
    let arguments: [Argument<'_>; 4] = [
        (&VERSION, Type::INT4),
        (&Interval::of(retention.done), Type::INTERVAL),
        (&Interval::of(retention.keys), Type::INTERVAL),
        (&limit, Type::INT4),
    ];
    let pruned = connection.row_at(clock, PRUNE, &arguments).await?;
    let count = |removed: i64| u64::try_from(removed).unwrap_or_default();
    Ok(Pruned::new(count(pruned.try_get(0)?), count(pruned.try_get(1)?)))
}

/// Stores something, in a transaction that is rolled back.
pub(crate) async fn probe(connection: &Connection) -> Result<(), Failure> {
    // Of its own, so that no two wait for each other.
    let digest = fastrand::u128(..).to_be_bytes();
    schema::check(connection).await?;
    connection.rows(PROBE, &[(&&digest[..], Type::BYTEA)]).await?;
    Ok(())
}
