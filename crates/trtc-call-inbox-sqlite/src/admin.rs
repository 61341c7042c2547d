//! What people do with items: replay, discard, resolve, erase; and pruning, and the check of health.

use rusqlite::{Connection, OptionalExtension, named_params};
use trtc_call_inbox::store::{Pruned, Resolved, Retention};
use trtc_call_inbox::{Confirmation, DoneAs, ItemId};

use crate::engine::Turn;
use crate::error::Failure;
use crate::put::SELECT_LAST;
use crate::schema::of_key;
use crate::time;

/// Makes an item wait as if it were new.
macro_rules! renewed {
    () => {
        "state = 'waiting', due_at = :now, delay = 0, attempts = 0, first_attempt_at = NULL,
         lost_leases = 0, last_error = NULL, missing_since = NULL, token = NULL"
    };
}

pub(crate) use renewed;

const REPLAY: &str = concat!(
    "UPDATE trtc_call_items SET ",
    renewed!(),
    ", confirmation = NULL WHERE id = :id AND state IN ('dead', 'waiting', 'confirming')"
);

const DISCARD: &str = "
    UPDATE trtc_call_items SET state = 'done', done_as = :done_as, done_at = :now, token = NULL
    WHERE id = :id AND state IN ('waiting', 'confirming', 'dead', 'disputed')";

/// An item of a dispute that is open, or was decided and may be decided anew, or one without its record;
/// and whether it could be worked.
const SELECT_DISPUTE: &str = "
    SELECT key_id, body IS NOT NULL AND state <> 'leased' FROM trtc_call_items AS item
    WHERE id = ?1 AND (
        state = 'confirming' OR (state = 'dead' AND confirmation IS NOT NULL)
        OR EXISTS (
            SELECT 1 FROM trtc_call_items AS other
            WHERE (other.id = item.key_id
                   OR (other.key_id = item.key_id AND other.key_id <> other.id))
              AND (other.state = 'disputed' OR (item.state = 'done' AND other.id <> item.id))
        )
    )";

const SELECT_HANDLED_LAST: &str = concat!(
    "SELECT coalesce(
        (SELECT id FROM trtc_call_items WHERE ",
    of_key!(":key_id"),
    " AND done_as = :handled ORDER BY done_at DESC, id DESC LIMIT 1),
        (SELECT pruned_handled FROM trtc_call_keys WHERE id = :key_id)
    )"
);

const REJECT_RIVALS: &str = concat!(
    "UPDATE trtc_call_items
     SET state = 'done', done_as = :done_as, done_at = :now,
         owner = NULL, token = NULL, leased_until = NULL, lease_term = NULL
     WHERE ",
    of_key!(":key_id"),
    " AND id <> :id AND state <> 'done'"
);

const LET_WAIT: &str = concat!(
    "UPDATE trtc_call_items SET ",
    renewed!(),
    ", confirmation = :confirmation, done_as = NULL, done_at = NULL, replaces = :replaces
     WHERE id = :id"
);

const ERASE: &str = "
    UPDATE trtc_call_items SET body = NULL, record = NULL, last_error = NULL
    WHERE id = ?1 AND state = 'done'";

const SELECT_OLD_ITEMS: &str = "
    SELECT id, key_id, done_as FROM trtc_call_items
    WHERE state = 'done' AND done_at < ?1 ORDER BY done_at LIMIT ?2";

const KEEP_LAST: &str = "UPDATE trtc_call_schema SET last_item = ?1 WHERE last_item < ?1";

const DELETE_ITEM: &str = "DELETE FROM trtc_call_items WHERE id = ?1";

const COUNT_DELETED: &str = "
    UPDATE trtc_call_keys
    SET items = items - 1, pruned_handled = coalesce(:handled, pruned_handled) WHERE id = :key_id";

const DELETE_OLD_KEYS: &str = "
    DELETE FROM trtc_call_keys WHERE id IN (
        SELECT id FROM trtc_call_keys WHERE items = 0 AND last_at < ?1 ORDER BY last_at LIMIT ?2
    )";

const PROBE: &str = "
    INSERT INTO trtc_call_keys (key, sdk_app_id, compared, deliveries, last_at, items)
    VALUES ('trtc_call_health', 0, '', 0, 0, 0)";

/// A part of a transaction that is rolled back.
const SAVE: &str = "SAVEPOINT trtc_call_health";
const UNDO: &str = "ROLLBACK TO trtc_call_health; RELEASE trtc_call_health";

/// Makes items that are dead, or wait, also for their record, due at once. Says of each whether it was one
/// of those.
pub(crate) fn replay(turn: &Turn<'_>, items: &[ItemId]) -> Result<Vec<bool>, Failure> {
    let mut replay = turn.transaction.prepare_cached(REPLAY)?;
    let replayed = items.iter().map(|item| {
        Ok(replay.execute(named_params! { ":id": item.get(), ":now": turn.now })? == 1)
    });
    replayed.collect()
}

/// Puts items away. Says of each whether it waited, also for its record, was dead or disputed.
pub(crate) fn discard(turn: &Turn<'_>, items: &[ItemId]) -> Result<Vec<bool>, Failure> {
    let mut discard = turn.transaction.prepare_cached(DISCARD)?;
    let discarded = items.iter().map(|item| {
        let changed = discard.execute(named_params! {
            ":id": item.get(),
            ":done_as": DoneAs::Discarded.as_str(),
            ":now": turn.now,
        })?;
        Ok(changed == 1)
    });
    discarded.collect()
}

/// Decides a dispute.
pub(crate) fn resolve(turn: &Turn<'_>, item: ItemId) -> Result<Resolved, Failure> {
    let transaction = turn.transaction;
    let dispute: Option<(i64, bool)> = transaction
        .prepare_cached(SELECT_DISPUTE)?
        .query_row([item.get()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((key_id, can_be_worked)) = dispute else { return Ok(Resolved::NotDisputed) };
    let handled = handled_last(transaction, key_id)?;
    if handled != Some(item) && !can_be_worked {
        return Ok(Resolved::NotDisputed);
    }
    transaction.prepare_cached(REJECT_RIVALS)?.execute(named_params! {
        ":key_id": key_id,
        ":id": item.get(),
        ":done_as": DoneAs::Rejected.as_str(),
        ":now": turn.now,
    })?;
    if handled == Some(item) {
        return Ok(Resolved::Stays);
    }
    transaction.prepare_cached(LET_WAIT)?.execute(named_params! {
        ":id": item.get(),
        ":now": turn.now,
        ":confirmation": Confirmation::Resolved.as_str(),
        ":replaces": handled.map(ItemId::get),
    })?;
    Ok(handled.map_or(Resolved::Waits, Resolved::Corrects))
}

/// The item of a key that stands: the one that was handled last, also if it is gone by now.
fn handled_last(connection: &Connection, key_id: i64) -> Result<Option<ItemId>, Failure> {
    let mut select = connection.prepare_cached(SELECT_HANDLED_LAST)?;
    let handled: Option<i64> = select.query_row(
        named_params! { ":key_id": key_id, ":handled": DoneAs::Handled.as_str() },
        |row| row.get(0),
    )?;
    Ok(handled.map(ItemId::new))
}

/// Removes bodies, records and errors from the tables; the log still has them. Says of each whether it was
/// done.
pub(crate) fn erase(turn: &Turn<'_>, items: &[ItemId]) -> Result<Vec<bool>, Failure> {
    let mut erase = turn.transaction.prepare_cached(ERASE)?;
    items.iter().map(|item| Ok(erase.execute([item.get()])? == 1)).collect()
}

/// Removes some of what is older than it has to be kept.
pub(crate) fn prune(
    turn: &Turn<'_>,
    retention: Retention,
    limit: usize,
) -> Result<Pruned, Failure> {
    let transaction = turn.transaction;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let before = |age| turn.now.saturating_sub(time::span(age));
    let old: Vec<(i64, i64, String)> = transaction
        .prepare_cached(SELECT_OLD_ITEMS)?
        .query_map([before(retention.done), limit], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<_, _>>()?;
    let last: i64 = transaction.prepare_cached(SELECT_LAST)?.query_row([], |row| row.get(0))?;
    transaction.prepare_cached(KEEP_LAST)?.execute([last])?;
    let mut items = 0_u64;
    for (id, key_id, done_as) in old {
        transaction.prepare_cached(DELETE_ITEM)?.execute([id])?;
        let handled = (done_as == DoneAs::Handled.as_str()).then_some(id);
        let mut count = transaction.prepare_cached(COUNT_DELETED)?;
        count.execute(named_params! { ":key_id": key_id, ":handled": handled })?;
        items = items.saturating_add(1);
    }
    let mut delete_keys = transaction.prepare_cached(DELETE_OLD_KEYS)?;
    let keys = delete_keys.execute([before(retention.keys), limit])?;
    Ok(Pruned::new(items, u64::try_from(keys).unwrap_or(u64::MAX)))
}

/// Stores something, has the file system take it, and rolls it back.
pub(crate) fn probe(turn: &Turn<'_>) -> Result<(), Failure> {
    turn.transaction.execute_batch(SAVE)?;
    turn.transaction.prepare_cached(PROBE)?.execute([])?;
    turn.transaction.cache_flush()?;
    turn.transaction.execute_batch(UNDO)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::plan;

    #[test]
    fn what_is_old_is_found_by_an_index() {
        for (statement, index) in [
            (SELECT_OLD_ITEMS, "trtc_call_items_done (done_at<?)"),
            (DELETE_OLD_KEYS, "trtc_call_keys_bare (last_at<?)"),
        ] {
            let plan = plan(statement);
            assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{statement}: {plan}");
        }
    }
}
