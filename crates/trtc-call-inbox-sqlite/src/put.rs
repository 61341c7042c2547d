//! Keeping what was delivered, each body of a key once.

use std::time::Duration;

use rusqlite::{OptionalExtension, named_params, params};
use trtc_call_inbox::store::{ComparedBodies, FIRST_ASKED, Put};
use trtc_call_inbox::{ItemId, NewItem, State};

use crate::engine::Turn;
use crate::error::Failure;
use crate::schema::of_key;
use crate::{row, time};

const SELECT_KEY: &str = "SELECT id, compared FROM trtc_call_keys WHERE key = ?1";

/// The highest number that was ever given to an item or a key.
pub(crate) const SELECT_LAST: &str = "
    SELECT max(
        last_item,
        coalesce((SELECT max(id) FROM trtc_call_items), 0),
        coalesce((SELECT max(id) FROM trtc_call_keys), 0)
    ) FROM trtc_call_schema";

const INSERT_KEY: &str = "
    INSERT INTO trtc_call_keys (id, key, sdk_app_id, compared, deliveries, last_at, items)
    VALUES (:id, :key, :sdk_app_id, :compared, 1, :now, 1)";

const COUNT_DELIVERY: &str = "
    UPDATE trtc_call_keys SET deliveries = deliveries + 1, last_at = :now WHERE id = :key_id";

const COUNT_ITEM: &str = "UPDATE trtc_call_keys SET items = items + 1 WHERE id = ?1";

pub(crate) const SET_COMPARED: &str = "UPDATE trtc_call_keys SET compared = ?2 WHERE id = ?1";

const SELECT_SAME_BODY: &str =
    concat!("SELECT 1 FROM trtc_call_items WHERE ", of_key!("?1"), " AND sha256 = ?2");

const INSERT_ITEM: &str = "
    INSERT INTO trtc_call_items (id, key_id, sha256, sdk_app_id, command, call_id, source, signature,
                                 received_at, state, due_at, delay, has_record, replaces, body)
    VALUES (:id, :key_id, :sha256, :sdk_app_id, :command, :call_id, :source, :signature,
            :now, :state, :now + :delay, :delay, :has_record, :replaces, :body)";

const STOP_ITEMS_OF_KEY: &str = concat!(
    "UPDATE trtc_call_items
     SET state = 'disputed', owner = NULL, token = NULL, leased_until = NULL, lease_term = NULL
     WHERE ",
    of_key!("?1"),
    " AND (state IN ('waiting', 'confirming', 'leased', 'dead')
           OR (state = 'disputed' AND token IS NOT NULL))"
);

const SELECT_DONE_OF_KEY: &str = concat!(
    "SELECT EXISTS (SELECT 1 FROM trtc_call_items WHERE ",
    of_key!("?1"),
    " AND state = 'done')
     OR EXISTS (SELECT 1 FROM trtc_call_keys WHERE id = ?1 AND pruned_handled IS NOT NULL)"
);

/// Keeps one item.
pub(crate) fn put(turn: &Turn<'_>, new: &NewItem) -> Result<Put, Failure> {
    let mut select = turn.transaction.prepare_cached(SELECT_KEY)?;
    let known = select.query_row([&new.key], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((key_id, compared)) = known else { return Ok(Put::Stored(insert(turn, new)?)) };
    count_delivery(turn, key_id)?;
    let compared: String = compared;
    let mut bodies = ComparedBodies::from_json(&compared);
    if bodies.have(&new.compared) || has_same_body(turn, key_id, new)? {
        return Ok(Put::Duplicate);
    }
    bodies.add(new.compared.clone());
    dispute(turn, key_id, new, &bodies)
}

/// Stores an item under a key that is not known.
pub(crate) fn insert(turn: &Turn<'_>, new: &NewItem) -> Result<ItemId, Failure> {
    let id = next_number(turn)?;
    insert_key(turn, id, new)?;
    insert_item(turn, id, id, new, &Begins::default())
}

/// Stores an item that waits under a key that is known, and corrects another one.
pub(crate) fn insert_correction(
    turn: &Turn<'_>,
    key_id: i64,
    new: &NewItem,
    replaces: Option<ItemId>,
) -> Result<ItemId, Failure> {
    turn.transaction.prepare_cached(COUNT_ITEM)?.execute([key_id])?;
    let begins = Begins { replaces, ..Begins::default() };
    insert_item(turn, next_number(turn)?, key_id, new, &begins)
}

/// How an item begins.
struct Begins {
    state: State,
    /// In how long it is due.
    delay: Duration,
    replaces: Option<ItemId>,
}

impl Default for Begins {
    fn default() -> Self {
        Self { state: State::Waiting, delay: Duration::ZERO, replaces: None }
    }
}

fn next_number(turn: &Turn<'_>) -> Result<i64, Failure> {
    let mut select = turn.transaction.prepare_cached(SELECT_LAST)?;
    let last: i64 = select.query_row([], |row| row.get(0))?;
    Ok(last.saturating_add(1))
}

fn insert_key(turn: &Turn<'_>, id: i64, new: &NewItem) -> Result<(), Failure> {
    let mut insert = turn.transaction.prepare_cached(INSERT_KEY)?;
    insert.execute(named_params! {
        ":id": id,
        ":key": new.key,
        ":sdk_app_id": row::column(new.sdk_app_id),
        ":compared": ComparedBodies::first(new.compared.clone()).to_json(),
        ":now": turn.now,
    })?;
    Ok(())
}

fn count_delivery(turn: &Turn<'_>, key_id: i64) -> Result<(), Failure> {
    let mut count = turn.transaction.prepare_cached(COUNT_DELIVERY)?;
    count.execute(named_params! { ":key_id": key_id, ":now": turn.now })?;
    Ok(())
}

fn has_same_body(turn: &Turn<'_>, key_id: i64, new: &NewItem) -> Result<bool, Failure> {
    let mut select = turn.transaction.prepare_cached(SELECT_SAME_BODY)?;
    Ok(select.exists(params![key_id, new.sha256])?)
}

fn insert_item(
    turn: &Turn<'_>,
    id: i64,
    key_id: i64,
    new: &NewItem,
    begins: &Begins,
) -> Result<ItemId, Failure> {
    let mut insert = turn.transaction.prepare_cached(INSERT_ITEM)?;
    insert.execute(named_params! {
        ":id": id,
        ":key_id": key_id,
        ":sha256": new.sha256,
        ":sdk_app_id": row::column(new.sdk_app_id),
        ":command": new.command.as_ref().map(|command| command.as_str()),
        ":call_id": new.call_id,
        ":source": new.source.as_str(),
        ":signature": new.signature.as_str(),
        ":now": turn.now,
        ":state": begins.state.as_str(),
        ":delay": time::span(begins.delay),
        ":has_record": new.has_record,
        ":replaces": begins.replaces.map(ItemId::get),
        ":body": &new.body[..],
    })?;
    Ok(ItemId::new(id))
}

fn dispute(
    turn: &Turn<'_>,
    key_id: i64,
    new: &NewItem,
    bodies: &ComparedBodies,
) -> Result<Put, Failure> {
    let transaction = turn.transaction;
    transaction.prepare_cached(STOP_ITEMS_OF_KEY)?.execute([key_id])?;
    transaction.prepare_cached(COUNT_ITEM)?.execute([key_id])?;
    transaction.prepare_cached(SET_COMPARED)?.execute(params![key_id, bodies.to_json()])?;
    let begins = Begins { state: State::Disputed, delay: FIRST_ASKED, ..Begins::default() };
    let item = insert_item(turn, next_number(turn)?, key_id, new, &begins)?;
    let mut done = transaction.prepare_cached(SELECT_DONE_OF_KEY)?;
    let after_done = done.query_row([key_id], |row| row.get(0))?;
    Ok(Put::Disputed { item, after_done })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::plan;

    #[test]
    fn the_items_of_a_key_are_looked_up() {
        for statement in [SELECT_SAME_BODY, STOP_ITEMS_OF_KEY, SELECT_DONE_OF_KEY] {
            let plan = plan(statement);
            let is_looked_up = plan.contains("INTEGER PRIMARY KEY (rowid=?)")
                && plan.contains("trtc_call_items_rival (key_id=?)");
            assert!(is_looked_up && !plan.contains("SCAN trtc_call_items"), "{statement}: {plan}");
        }
        assert!(!plan(SELECT_LAST).contains("SCAN trtc_call_keys"), "{}", plan(SELECT_LAST));
    }
}
