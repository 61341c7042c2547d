//! What the vendor's records decide.

use rusqlite::{Connection, OptionalExtension, named_params, params};
use trtc_call_inbox::store::{ComparedBodies, KnownItem, KnownKey, PutRecord, Ruling, Scope};
use trtc_call_inbox::{DoneAs, ItemId, NewItem};

use crate::admin::renewed;
use crate::engine::Turn;
use crate::error::Failure;
use crate::put::{self, SET_COMPARED};
use crate::row::{self, columns, items_with_keys};
use crate::schema::of_key;

const SELECT_KEY: &str = "SELECT id, compared, pruned_handled FROM trtc_call_keys WHERE key = ?1";

/// The items of a key; with their bodies, those that a handler got or may get.
macro_rules! select_items {
    ($body:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            $body,
            " FROM ",
            items_with_keys!(),
            " WHERE ",
            of_key!("?1"),
            " ORDER BY trtc_call_items.id"
        )
    };
}

const SELECT_ITEMS: &str = select_items!(", NULL, NULL");

const SELECT_ITEMS_WITH_BODIES: &str = select_items!(
    ", CASE WHEN state <> 'done' OR done_as = 'handled' THEN record END,
       CASE WHEN state <> 'done' OR done_as = 'handled' THEN body END"
);

const REJECT: &str = "
    UPDATE trtc_call_items SET state = 'done', done_as = :done_as, done_at = :now, token = NULL
    WHERE id = :id";

const LET_WORK: &str = concat!(
    "UPDATE trtc_call_items SET ",
    renewed!(),
    ", confirmation = NULL, record = :record, replaces = :replaces WHERE id = :id"
);

/// What becomes of records of which none changes anything; `None` if one does. For the many that are seen
/// again and again: this only reads.
pub(crate) fn leave(
    connection: &Connection,
    records: &[NewItem],
    scope: Scope,
) -> Result<Option<Vec<PutRecord>>, Failure> {
    let left = records.iter().map(|record| match rule(connection, record, scope)? {
        Some((_, Ruling::Leave(put))) => Ok(Some(put)),
        _ => Ok(None),
    });
    left.collect()
}

/// Keeps what records say.
pub(crate) fn put(
    turn: &Turn<'_>,
    records: &[NewItem],
    scope: Scope,
) -> Result<Vec<PutRecord>, Failure> {
    records.iter().map(|record| put_one(turn, record, scope)).collect()
}

fn put_one(turn: &Turn<'_>, record: &NewItem, scope: Scope) -> Result<PutRecord, Failure> {
    let Some((key_id, ruling)) = rule(turn.transaction, record, scope)? else {
        return Ok(PutRecord::Stored(put::insert(turn, record)?));
    };
    let (work, rejected) = match ruling {
        Ruling::Leave(put) => return Ok(put),
        Ruling::Stands { reject } => (None, reject),
        Ruling::Work { item, replaces, reject } => (Some((item, replaces)), reject),
    };
    decide(turn, key_id, record)?;
    reject(turn, &rejected)?;
    let Some((chosen, replaces)) = work else { return Ok(PutRecord::Known) };
    let item = match chosen {
        Some(item) => let_work(turn, item, record, replaces)?,
        None => put::insert_correction(turn, key_id, record, replaces)?,
    };
    Ok(match replaces {
        Some(replaced) => PutRecord::Corrects { item, replaced },
        None => PutRecord::Confirmed(item),
    })
}

/// What is to be done for a record; `None` if its key is not known. Items are read only where the key does
/// not tell, and bodies only where those that are known say different things.
fn rule(
    connection: &Connection,
    record: &NewItem,
    scope: Scope,
) -> Result<Option<(i64, Ruling)>, Failure> {
    let mut select = connection.prepare_cached(SELECT_KEY)?;
    let key: Option<(i64, String, Option<i64>)> = select
        .query_row([&record.key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((key_id, compared, pruned_handled)) = key else { return Ok(None) };
    let bodies = ComparedBodies::from_json(&compared);
    if KnownKey::is_decided_by(&bodies, &record.compared) {
        return Ok(Some((key_id, Ruling::Leave(PutRecord::Known))));
    }
    let select = if bodies.all_agree_with(&record.compared) {
        SELECT_ITEMS
    } else {
        SELECT_ITEMS_WITH_BODIES
    };
    let items: Vec<KnownItem> = connection
        .prepare_cached(select)?
        .query_and_then([key_id], |row| Ok::<_, Failure>(KnownItem::of(&row::item(row)?)))?
        .collect::<Result<_, _>>()?;
    let known = KnownKey { bodies, items, pruned_handled: pruned_handled.map(ItemId::new) };
    Ok(Some((key_id, known.rule(&record.compared, scope))))
}

/// Has the record stand for all that is known of the key.
fn decide(turn: &Turn<'_>, key_id: i64, record: &NewItem) -> Result<(), Failure> {
    let mut bodies = ComparedBodies::default();
    bodies.decide(record.compared.clone());
    turn.transaction.prepare_cached(SET_COMPARED)?.execute(params![key_id, bodies.to_json()])?;
    Ok(())
}

fn reject(turn: &Turn<'_>, items: &[ItemId]) -> Result<(), Failure> {
    let mut reject = turn.transaction.prepare_cached(REJECT)?;
    for item in items {
        reject.execute(named_params! {
            ":id": item.get(),
            ":done_as": DoneAs::Rejected.as_str(),
            ":now": turn.now,
        })?;
    }
    Ok(())
}

/// Has an item wait with the record, as if it were new.
fn let_work(
    turn: &Turn<'_>,
    item: ItemId,
    record: &NewItem,
    replaces: Option<ItemId>,
) -> Result<ItemId, Failure> {
    turn.transaction.prepare_cached(LET_WORK)?.execute(named_params! {
        ":id": item.get(),
        ":now": turn.now,
        ":record": &record.body[..],
        ":replaces": replaces.map(ItemId::get),
    })?;
    Ok(item)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::plan;

    #[test]
    fn the_items_of_a_key_are_looked_up() {
        for statement in [SELECT_ITEMS, SELECT_ITEMS_WITH_BODIES] {
            let plan = plan(statement);
            let is_looked_up = plan.contains("INTEGER PRIMARY KEY (rowid=?)")
                && plan.contains("trtc_call_items_rival (key_id=?)");
            assert!(is_looked_up && !plan.contains("SCAN"), "{statement}: {plan}");
        }
        assert!(!plan(SELECT_KEY).contains("SCAN"), "{}", plan(SELECT_KEY));
    }
}
