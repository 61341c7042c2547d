//! Keeping what was delivered, each body of a key once.

use rusqlite::{OptionalExtension, named_params, params};
use trtc_call_inbox::store::{ComparedBodies, Put};
use trtc_call_inbox::{ItemId, NewItem, State};

use crate::engine::Turn;
use crate::error::Failure;

const SELECT_KEY: &str = "SELECT id, compared FROM trtc_call_keys WHERE key = ?1";

const INSERT_KEY: &str = "
    INSERT INTO trtc_call_keys (key, sdk_app_id, compared, deliveries, last_at, items)
    VALUES (:key, :sdk_app_id, :compared, 1, :now, 1)";

const COUNT_DELIVERY: &str = "
    UPDATE trtc_call_keys SET deliveries = deliveries + 1, last_at = :now WHERE id = :key_id";

const COUNT_DISPUTED: &str = "
    UPDATE trtc_call_keys SET items = items + 1, compared = :compared WHERE id = :key_id";

const SELECT_SAME_BODY: &str = "SELECT 1 FROM trtc_call_items WHERE key_id = ?1 AND sha256 = ?2";

const INSERT_ITEM: &str = "
    INSERT INTO trtc_call_items (key_id, sha256, sdk_app_id, command, call_id, source, signature,
                                 received_at, state, due_at, body)
    VALUES (:key_id, :sha256, :sdk_app_id, :command, :call_id, :source, :signature,
            :now, :state, :now, :body)";

const STOP_ITEMS_OF_KEY: &str = "
    UPDATE trtc_call_items
    SET state = 'disputed', owner = NULL, token = NULL, leased_until = NULL, lease_term = NULL
    WHERE key_id = ?1 AND state IN ('waiting', 'leased', 'dead')";

const SELECT_DONE_OF_KEY: &str = "
    SELECT EXISTS (SELECT 1 FROM trtc_call_items WHERE key_id = ?1 AND state = 'done')
        OR EXISTS (SELECT 1 FROM trtc_call_keys WHERE id = ?1 AND pruned_handled IS NOT NULL)";

/// Keeps one item.
pub(crate) fn put(turn: &Turn<'_>, new: &NewItem) -> Result<Put, Failure> {
    let mut select = turn.transaction.prepare_cached(SELECT_KEY)?;
    let known = select.query_row([&new.key], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((key_id, compared)) = known else {
        let key_id = insert_key(turn, new)?;
        return Ok(Put::Stored(insert_item(turn, key_id, new, State::Waiting)?));
    };
    count_delivery(turn, key_id)?;
    let compared: String = compared;
    let mut bodies = ComparedBodies::from_json(&compared);
    if bodies.have(&new.compared) || has_same_body(turn, key_id, new)? {
        return Ok(Put::Duplicate);
    }
    bodies.add(new.compared.clone());
    dispute(turn, key_id, new, &bodies)
}

fn insert_key(turn: &Turn<'_>, new: &NewItem) -> Result<i64, Failure> {
    let mut insert = turn.transaction.prepare_cached(INSERT_KEY)?;
    Ok(insert.insert(named_params! {
        ":key": new.key,
        ":sdk_app_id": new.sdk_app_id.get().cast_signed(),
        ":compared": ComparedBodies::first(new.compared.clone()).to_json(),
        ":now": turn.now,
    })?)
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
    key_id: i64,
    new: &NewItem,
    state: State,
) -> Result<ItemId, Failure> {
    let mut insert = turn.transaction.prepare_cached(INSERT_ITEM)?;
    let id = insert.insert(named_params! {
        ":key_id": key_id,
        ":sha256": new.sha256,
        ":sdk_app_id": new.sdk_app_id.get().cast_signed(),
        ":command": new.command.as_ref().map(|command| command.as_str()),
        ":call_id": new.call_id,
        ":source": new.source.as_str(),
        ":signature": new.signature.as_str(),
        ":now": turn.now,
        ":state": state.as_str(),
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
    transaction
        .prepare_cached(COUNT_DISPUTED)?
        .execute(named_params! { ":key_id": key_id, ":compared": bodies.to_json() })?;
    let item = insert_item(turn, key_id, new, State::Disputed)?;
    let mut done = transaction.prepare_cached(SELECT_DONE_OF_KEY)?;
    let after_done = done.query_row([key_id], |row| row.get(0))?;
    Ok(Put::Disputed { item, after_done })
}
