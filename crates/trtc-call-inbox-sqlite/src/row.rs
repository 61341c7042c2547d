//! Items, as rows have them.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row};
use trtc_call_inbox::store::StoreErrorKind;
use trtc_call_inbox::trtc_call_webhook::{Command, SdkAppId};
use trtc_call_inbox::{Confirmation, DoneAs, Item, ItemId, SignatureFound, Source, State};

use crate::error::Failure;
use crate::time;

/// The columns that [`item`] reads, in its order, but for the record and the body behind them.
macro_rules! columns {
    () => {
        "trtc_call_items.id, trtc_call_keys.key, trtc_call_items.sdk_app_id, command, call_id, source,
         signature, sha256, received_at, state, due_at, attempts, lost_leases, last_error, done_as,
         done_at, replaces, confirmation"
    };
}

/// What they are read from: a key for each item, never the items of each key.
macro_rules! items_with_keys {
    () => {
        "trtc_call_items CROSS JOIN trtc_call_keys ON trtc_call_keys.id = trtc_call_items.key_id"
    };
}

pub(crate) use {columns, items_with_keys};

const SELECT_ITEM: &str = concat!(
    "SELECT ",
    columns!(),
    ", record, body FROM ",
    items_with_keys!(),
    " WHERE trtc_call_items.id = ?1"
);

/// One item with its record and its body.
pub(crate) fn get(connection: &Connection, id: ItemId) -> Result<Option<Item>, Failure> {
    let mut select = connection.prepare_cached(SELECT_ITEM)?;
    select.query_row([id.get()], |row| Ok(item(row))).optional()?.transpose()
}

/// Reads an item; its record and its body are the columns behind [`columns`], or null.
pub(crate) fn item(row: &Row<'_>) -> Result<Item, Failure> {
    let id = ItemId::new(row.get(0)?);
    let mut item = Item::blank(id, row.get(1)?, app(row.get(2)?));
    item.command = row.get::<_, Option<String>>(3)?.map(Command::from);
    item.call_id = row.get(4)?;
    item.source = word(&row.get::<_, String>(5)?, Source::from_word)?;
    item.signature = word(&row.get::<_, String>(6)?, SignatureFound::from_word)?;
    item.sha256 = row.get(7)?;
    item.received_at = time::time(row.get(8)?);
    item.state = word(&row.get::<_, String>(9)?, State::from_word)?;
    item.due_at = time::time(row.get(10)?);
    item.attempts = row.get(11)?;
    item.lost_leases = row.get(12)?;
    item.last_error = row.get(13)?;
    let done_as: Option<String> = row.get(14)?;
    let done_at: Option<i64> = row.get(15)?;
    item.done = match (done_as, done_at) {
        (Some(done_as), Some(done_at)) => {
            Some((word(&done_as, DoneAs::from_word)?, time::time(done_at)))
        }
        _ => None,
    };
    item.replaces = row.get::<_, Option<i64>>(16)?.map(ItemId::new);
    let confirmation: Option<String> = row.get(17)?;
    item.confirmation =
        confirmation.map(|known| word(&known, Confirmation::from_word)).transpose()?;
    item.record = row.get::<_, Option<Vec<u8>>>(18)?.map(Bytes::from);
    item.body = row.get::<_, Option<Vec<u8>>>(19)?.map(Bytes::from);
    Ok(item)
}

/// An app from a column: SQLite's whole numbers have a sign.
pub(crate) fn app(column: i64) -> SdkAppId {
    SdkAppId::new(column.cast_unsigned())
}

/// An app for a column.
pub(crate) fn column(app: SdkAppId) -> i64 {
    app.get().cast_signed()
}

fn word<T>(word: &str, known: impl Fn(&str) -> Option<T>) -> Result<T, Failure> {
    known(word).ok_or_else(|| {
        let text = format!("an item has a word that this version does not know: {word:?}");
        Failure::new(StoreErrorKind::Other, text).sparing_connection()
    })
}
