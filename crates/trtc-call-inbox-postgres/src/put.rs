//! Keeping what was delivered, each body of a key once.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use tokio_postgres::types::Type;
use trtc_call_inbox::store::{ComparedBodies, FIRST_ASKED, Put};
use trtc_call_inbox::{ItemId, NewItem};

use crate::clock::Clock;
use crate::connect::{Argument, Connection, WRITE};
use crate::error::{Failure, TO_BE_COMPARED};
use crate::schema::VERSION;
use crate::text::escape;
use crate::time::Interval;

const PUT: &str = "
    SELECT numbers, at
    FROM trtc_call.put($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

const PUT_ONE: &str = "
    SELECT item, known, has_body, at
    FROM trtc_call.put_one($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

const DISPUTE: &str = "
    SELECT after_done
    FROM trtc_call.dispute($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

const NEXT_NUMBERS: &str = "SELECT trtc_call.next_numbers($1)";

/// An item as the statements take it.
pub(crate) struct Row<'a> {
    pub(crate) new: &'a NewItem,
    key: Cow<'a, str>,
    compared: String,
    pub(crate) digest: Vec<u8>,
    sdk_app_id: i64,
    command: Option<Cow<'a, str>>,
    call_id: Option<Cow<'a, str>>,
    source: &'static str,
    signature: &'static str,
    sha256: &'a [u8],
    body: &'a [u8],
}

impl<'a> Row<'a> {
    pub(crate) fn of(new: &'a NewItem) -> Self {
        Self {
            new,
            key: escape(&new.key),
            compared: ComparedBodies::first(new.compared.clone()).to_json(),
            digest: Sha256::digest(&new.key).to_vec(),
            sdk_app_id: new.sdk_app_id.get().cast_signed(),
            command: new.command.as_ref().map(|command| escape(command.as_str())),
            call_id: new.call_id.as_deref().map(escape),
            source: new.source.as_str(),
            signature: new.signature.as_str(),
            sha256: &new.sha256,
            body: &new.body,
        }
    }

    /// What stands last among the arguments of each statement that keeps one item.
    pub(crate) fn arguments(&self) -> [Argument<'_>; 9] {
        [
            (&self.digest, Type::BYTEA),
            (&self.sdk_app_id, Type::INT8),
            (&self.command, Type::TEXT),
            (&self.call_id, Type::TEXT),
            (&self.source, Type::TEXT),
            (&self.signature, Type::TEXT),
            (&self.new.has_record, Type::BOOL),
            (&self.sha256, Type::BYTEA),
            (&self.body, Type::BYTEA),
        ]
    }
}

/// Keeps items in one transaction, and says of each what it was.
pub(crate) async fn put(
    connection: &Connection,
    clock: &Clock,
    items: &[&NewItem],
) -> Result<Vec<Put>, Failure> {
    let rows: Vec<Row<'_>> = items.iter().map(|new| Row::of(new)).collect();
    if let [row] = &rows[..] {
        // Without a dispute one statement does, and it is a transaction.
        if let Some(put) = put_or_compare(connection, clock, None, row).await?.put {
            return Ok(vec![put]);
        }
    } else if let Some(firsts) = firsts(&rows) {
        let firsts: Vec<(usize, &Row<'_>)> =
            firsts.iter().filter_map(|place| Some((*place, rows.get(*place)?))).collect();
        match put_at_once(connection, clock, firsts.iter().map(|(_, row)| *row), None).await {
            Err(failure) if failure.is(TO_BE_COMPARED) => {}
            Err(failure) => return Err(failure),
            Ok((numbers, _)) => {
                let mut puts = vec![Put::Duplicate; rows.len()];
                for ((place, _), number) in firsts.into_iter().zip(numbers) {
                    if let (Some(put), Some(number)) = (puts.get_mut(place), number) {
                        *put = Put::Stored(number);
                    }
                }
                return Ok(puts);
            }
        }
    }
    let put = put_one_by_one(connection, clock, &rows);
    connection.transaction(WRITE, put).await
}

/// The place of the first item of each key; `None` if items of one key have to be compared with each other.
fn firsts(rows: &[Row<'_>]) -> Option<Vec<usize>> {
    let mut known: HashMap<&[u8], &Row<'_>> = HashMap::new();
    let mut firsts = Vec::with_capacity(rows.len());
    for (place, row) in rows.iter().enumerate() {
        match known.entry(&row.digest[..]) {
            Entry::Vacant(vacant) => {
                vacant.insert(row);
                firsts.push(place);
            }
            Entry::Occupied(first) => {
                let first = first.get();
                if first.sha256 != row.sha256 && first.compared != row.compared {
                    return None;
                }
            }
        }
    }
    Some(firsts)
}

/// Keeps items of different keys by one statement: all there is to do but for disputes, and for records
/// of known keys, which are locked. Gives the number of each that is new, and what time it is.
pub(crate) async fn put_at_once<'a>(
    connection: &Connection,
    clock: &Clock,
    rows: impl Iterator<Item = &'a Row<'a>> + Clone,
    numbers_of_records: Option<&[i64]>,
) -> Result<(Vec<Option<ItemId>>, SystemTime), Failure> {
    let each = || rows.clone();
    let digests: Vec<&[u8]> = each().map(|row| &row.digest[..]).collect();
    let keys: Vec<&str> = each().map(|row| &*row.key).collect();
    let sdk_app_ids: Vec<i64> = each().map(|row| row.sdk_app_id).collect();
    let compared: Vec<&str> = each().map(|row| &*row.compared).collect();
    let commands: Vec<Option<&str>> = each().map(|row| row.command.as_deref()).collect();
    let call_ids: Vec<Option<&str>> = each().map(|row| row.call_id.as_deref()).collect();
    let sources: Vec<&str> = each().map(|row| row.source).collect();
    let signatures: Vec<&str> = each().map(|row| row.signature).collect();
    let has_records: Vec<bool> = each().map(|row| row.new.has_record).collect();
    let sha256s: Vec<&[u8]> = each().map(|row| row.sha256).collect();
    let bodies: Vec<&[u8]> = each().map(|row| row.body).collect();
    let arguments: [Argument<'_>; 13] = [
        (&VERSION, Type::INT4),
        (&numbers_of_records, Type::INT8_ARRAY),
        (&digests, Type::BYTEA_ARRAY),
        (&keys, Type::TEXT_ARRAY),
        (&sdk_app_ids, Type::INT8_ARRAY),
        (&compared, Type::TEXT_ARRAY),
        (&commands, Type::TEXT_ARRAY),
        (&call_ids, Type::TEXT_ARRAY),
        (&sources, Type::TEXT_ARRAY),
        (&signatures, Type::TEXT_ARRAY),
        (&has_records, Type::BOOL_ARRAY),
        (&sha256s, Type::BYTEA_ARRAY),
        (&bodies, Type::BYTEA_ARRAY),
    ];
    let put = connection.row_at(clock, PUT, &arguments).await?;
    let numbers: Vec<Option<i64>> = put.try_get(0)?;
    Ok((numbers.into_iter().map(|number| number.map(ItemId::new)).collect(), put.try_get(1)?))
}

/// Keeps items one after the other, in the order of their keys' digests, and compares those that have to
/// be.
async fn put_one_by_one(
    connection: &Connection,
    clock: &Clock,
    rows: &[Row<'_>],
) -> Result<Vec<Put>, Failure> {
    let numbers = next_numbers(connection, rows.len()).await?;
    let mut sorted: Vec<(usize, (&Row<'_>, i64))> = rows.iter().zip(numbers).enumerate().collect();
    sorted.sort_by_key(|(_, (row, _))| &row.digest);
    let mut puts = vec![Put::Duplicate; rows.len()];
    for (place, (row, number)) in sorted {
        let Compared { put, bodies, at } =
            put_or_compare(connection, clock, Some(number), row).await?;
        let put = match put {
            Some(put) => put,
            None => dispute(connection, at, number, row, bodies).await?,
        };
        if let Some(place) = puts.get_mut(place) {
            *place = put;
        }
    }
    Ok(puts)
}

/// Numbers for so many items, in the order of their arrival.
pub(crate) async fn next_numbers(
    connection: &Connection,
    items: usize,
) -> Result<Vec<i64>, Failure> {
    let items = i32::try_from(items).unwrap_or(i32::MAX);
    let numbers = connection.row(NEXT_NUMBERS, &[(&items, Type::INT4)]).await?;
    Ok(numbers.try_get(0)?)
}

/// What comes of an item whose key may be known.
struct Compared {
    /// `None` if it would be billed differently.
    put: Option<Put>,
    /// The bodies of the key.
    bodies: ComparedBodies,
    at: SystemTime,
}

/// Keeps an item, unless its key is known. It is locked then.
async fn put_or_compare(
    connection: &Connection,
    clock: &Clock,
    number: Option<i64>,
    row: &Row<'_>,
) -> Result<Compared, Failure> {
    let own: [Argument<'_>; 4] = [
        (&VERSION, Type::INT4),
        (&number, Type::INT8),
        (&row.key, Type::TEXT),
        (&row.compared, Type::TEXT),
    ];
    let arguments = [&own[..], &row.arguments()].concat();
    let put = connection.row_at(clock, PUT_ONE, &arguments).await?;
    let at = put.try_get(3)?;
    let known: Option<&str> = put.try_get(1)?;
    let Some(known) = known else {
        let put = Some(Put::Stored(ItemId::new(put.try_get(0)?)));
        return Ok(Compared { put, bodies: ComparedBodies::default(), at });
    };
    let bodies = ComparedBodies::from_json(known);
    // What is known stays known: this holds also where the key is not locked any more.
    let is_known = put.try_get(2)? || bodies.have(&row.new.compared);
    Ok(Compared { put: is_known.then_some(Put::Duplicate), bodies, at })
}

/// Keeps an item as disputed. Its key is locked.
async fn dispute(
    connection: &Connection,
    at: SystemTime,
    number: i64,
    row: &Row<'_>,
    mut bodies: ComparedBodies,
) -> Result<Put, Failure> {
    bodies.add(row.new.compared.clone());
    let compared = bodies.to_json();
    let own: [Argument<'_>; 4] = [
        (&at, Type::TIMESTAMPTZ),
        (&Interval::of(FIRST_ASKED), Type::INTERVAL),
        (&number, Type::INT8),
        (&compared, Type::TEXT),
    ];
    let arguments = [&own[..], &row.arguments()].concat();
    let disputed = connection.row(DISPUTE, &arguments).await?;
    Ok(Put::Disputed { item: ItemId::new(number), after_done: disputed.try_get(0)? })
}
