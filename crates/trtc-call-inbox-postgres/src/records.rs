//! Keeping what the vendor's records say, and having them decide.

use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

use tokio_postgres::types::Type;
use trtc_call_inbox::store::{ComparedBodies, KnownItem, KnownKey, PutRecord, Ruling, Scope};
use trtc_call_inbox::trtc_call_webhook::Command;
use trtc_call_inbox::{Item, ItemId, NewItem, State};

use crate::clock::Clock;
use crate::connect::{Argument, Connection, WRITE};
use crate::error::Failure;
use crate::put::{Row, next_numbers, put_at_once};
use crate::row::{bytes, confirmation, done, word};
use crate::schema::VERSION;
use crate::text::unescape;

const KNOWN: &str = "SELECT known, compared, suffices, at FROM trtc_call.known($1, $2, $3)";

const KNOWN_ITEMS: &str = "
    SELECT compared, pruned_handled, item, state, command, done_as, done_at, confirmation, body, record
    FROM trtc_call.known_items($1, $2)";

const DECIDE: &str = "
    SELECT item
    FROM trtc_call.decide($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";

/// Keeps records, and says of each what became of it: in one transaction, but for those of which one
/// statement finds that there is nothing to be done.
pub(crate) async fn put(
    connection: &Connection,
    clock: &Clock,
    records: &[NewItem],
    scope: Scope,
) -> Result<Vec<PutRecord>, Failure> {
    let rows: Vec<Row<'_>> = records.iter().map(Row::of).collect();
    let mut puts = vec![PutRecord::Known; rows.len()];
    let open = open_keys(connection, clock, &rows, scope).await?;
    let rows = rows.iter().enumerate().filter(|(_, row)| open.contains(&row.digest[..]));
    let rows: Vec<(usize, &Row<'_>)> = rows.collect();
    if !rows.is_empty() {
        let kept = keep(connection, clock, &rows, scope);
        for (place, kept) in connection.transaction(WRITE, kept).await? {
            if let Some(put) = puts.get_mut(place) {
                *put = kept;
            }
        }
    }
    Ok(puts)
}

/// The keys of which something may be to be done: all but those that are known to say the same as their
/// records.
async fn open_keys<'a>(
    connection: &Connection,
    clock: &Clock,
    rows: &'a [Row<'_>],
    scope: Scope,
) -> Result<HashSet<&'a [u8]>, Failure> {
    let digests: Vec<&[u8]> = rows.iter().map(|row| &row.digest[..]).collect();
    let arguments: [Argument<'_>; 3] = [
        (&VERSION, Type::INT4),
        (&digests, Type::BYTEA_ARRAY),
        (&touches_known(scope), Type::BOOL),
    ];
    let found = connection.row_at(clock, KNOWN, &arguments).await?;
    let known: Option<Vec<&[u8]>> = found.try_get(0)?;
    let compared: Option<Vec<&str>> = found.try_get(1)?;
    let suffices: Option<Vec<bool>> = found.try_get(2)?;
    let bodies = compared.unwrap_or_default().into_iter().map(ComparedBodies::from_json);
    let bodies = bodies.zip(suffices.unwrap_or_default());
    let known: HashMap<&[u8], (ComparedBodies, bool)> =
        known.unwrap_or_default().into_iter().zip(bodies).collect();
    let is_open = |row: &&Row<'_>| {
        let record = &row.new.compared;
        known.get(&row.digest[..]).is_none_or(|(bodies, suffices)| {
            !(KnownKey::is_decided_by(bodies, record)
                || (*suffices && bodies.all_agree_with(record)))
        })
    };
    Ok(rows.iter().filter(is_open).map(|row| &row.digest[..]).collect())
}

fn touches_known(scope: Scope) -> bool {
    scope == Scope::All
}

/// Keeps those records that are the first of their key by one statement, as far as the key is not known, and
/// has the others decide one after the other. In a transaction that has begun.
async fn keep(
    connection: &Connection,
    clock: &Clock,
    rows: &[(usize, &Row<'_>)],
    scope: Scope,
) -> Result<Vec<(usize, PutRecord)>, Failure> {
    let numbers = next_numbers(connection, rows.len()).await?;
    let mut seen = HashSet::new();
    let firsts = rows.iter().zip(&numbers).filter(|((_, row), _)| seen.insert(&row.digest));
    let (firsts, numbers_of_firsts): (Vec<&Row<'_>>, Vec<i64>) =
        firsts.map(|((_, row), number)| (*row, *number)).unzip();
    let each = firsts.into_iter();
    let (stored, at) = put_at_once(connection, clock, each, Some(&numbers_of_firsts)).await?;
    let stored: HashSet<ItemId> = stored.into_iter().flatten().collect();
    let mut puts = Vec::with_capacity(rows.len());
    for ((place, row), number) in rows.iter().zip(numbers) {
        let item = ItemId::new(number);
        let put = if stored.contains(&item) {
            PutRecord::Stored(item)
        } else {
            compare(connection, at, number, row, scope).await?
        };
        puts.push((*place, put));
    }
    Ok(puts)
}

/// Does with a record of a known key what the ruling says. The key is locked.
async fn compare(
    connection: &Connection,
    at: SystemTime,
    number: i64,
    row: &Row<'_>,
    scope: Scope,
) -> Result<PutRecord, Failure> {
    let mut key = known_key(connection, &row.digest, scope).await?;
    let (work, reject) = match key.rule(&row.new.compared, scope) {
        Ruling::Leave(put) => return Ok(put),
        Ruling::Stands { reject } => (None, reject),
        Ruling::Work { item, replaces, reject } => (Some((item, replaces)), reject),
    };
    key.bodies.decide(row.new.compared.clone());
    let rejected: Vec<i64> = reject.iter().map(|item| item.get()).collect();
    let (chosen, replaces) = work.unwrap_or_default();
    let own: [Argument<'_>; 7] = [
        (&at, Type::TIMESTAMPTZ),
        (&number, Type::INT8),
        (&rejected, Type::INT8_ARRAY),
        (&work.is_some(), Type::BOOL),
        (&chosen.map(ItemId::get), Type::INT8),
        (&replaces.map(ItemId::get), Type::INT8),
        (&key.bodies.to_json(), Type::TEXT),
    ];
    let arguments = [&own[..], &row.arguments()].concat();
    let decided = connection.row(DECIDE, &arguments).await?;
    let item = decided.try_get::<_, Option<i64>>(0)?.map(ItemId::new);
    Ok(match (item, replaces) {
        (None, _) => PutRecord::Known,
        (Some(item), None) => PutRecord::Confirmed(item),
        (Some(item), Some(replaced)) => PutRecord::Corrects { item, replaced },
    })
}

/// What the ruling has to know of a key.
async fn known_key(
    connection: &Connection,
    digest: &[u8],
    scope: Scope,
) -> Result<KnownKey, Failure> {
    let arguments: [Argument<'_>; 2] =
        [(&digest, Type::BYTEA), (&touches_known(scope), Type::BOOL)];
    let (mut bodies, mut pruned_handled, mut items) = (ComparedBodies::default(), None, Vec::new());
    for row in &connection.rows(KNOWN_ITEMS, &arguments).await? {
        bodies = ComparedBodies::from_json(row.try_get(0)?);
        pruned_handled = row.try_get::<_, Option<i64>>(1)?.map(ItemId::new);
        if let Some(id) = row.try_get::<_, Option<i64>>(2)? {
            items.push(known_item(row, ItemId::new(id))?);
        }
    }
    Ok(KnownKey { bodies, items, pruned_handled })
}

fn known_item(row: &tokio_postgres::Row, id: ItemId) -> Result<KnownItem, Failure> {
    let mut item = Item::blank(id, String::new(), 0.into());
    item.state = word(row.try_get(3)?, State::from_word)?;
    item.command = row.try_get::<_, Option<_>>(4)?.map(unescape).map(Command::from);
    item.done = done(row.try_get(5)?, row.try_get(6)?)?;
    item.confirmation = confirmation(row.try_get(7)?)?;
    item.body = bytes(row.try_get(8)?);
    item.record = bytes(row.try_get(9)?);
    Ok(KnownItem::of(&item))
}
