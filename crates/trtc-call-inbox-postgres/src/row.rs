//! Items, as rows have them.

use std::time::SystemTime;

use bytes::Bytes;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use trtc_call_inbox::store::StoreErrorKind;
use trtc_call_inbox::trtc_call_webhook::{Command, SdkAppId};
use trtc_call_inbox::{Confirmation, DoneAs, Item, ItemId, SignatureFound, Source, State};

use crate::connect::Connection;
use crate::error::Failure;
use crate::text::unescape;

/// The columns that [`item`] reads, in its order, but for the body and the record behind them.
macro_rules! columns {
    () => {
        "i.id, k.key, i.sdk_app_id, i.command, i.call_id, i.source, i.signature, i.sha256,
         i.received_at, i.state, i.due_at, i.attempts, i.lost_leases, i.last_error, i.done_as, i.done_at,
         i.replaces, i.confirmation"
    };
}

/// What they are read from.
macro_rules! items_with_keys {
    () => {
        "trtc_call.items AS i JOIN trtc_call.keys AS k ON k.digest = i.digest"
    };
}

pub(crate) use {columns, items_with_keys};

const SELECT_ITEM: &str = concat!(
    "SELECT ",
    columns!(),
    ", i.body, i.record FROM ",
    items_with_keys!(),
    " WHERE i.id = $1"
);

/// One item with its body.
pub(crate) async fn get(connection: &Connection, id: ItemId) -> Result<Option<Item>, Failure> {
    let rows = connection.rows(SELECT_ITEM, &[(&id.get(), Type::INT8)]).await?;
    rows.first().map(item).transpose()
}

/// Reads an item; its body and its record are the columns behind [`columns`], or null.
pub(crate) fn item(row: &Row) -> Result<Item, Failure> {
    let id = ItemId::new(row.try_get(0)?);
    let mut item = Item::blank(id, unescape(row.try_get(1)?), app(row.try_get(2)?));
    item.command = row.try_get::<_, Option<_>>(3)?.map(unescape).map(Command::from);
    item.call_id = row.try_get::<_, Option<_>>(4)?.map(unescape);
    item.source = word(row.try_get(5)?, Source::from_word)?;
    item.signature = word(row.try_get(6)?, SignatureFound::from_word)?;
    item.sha256 = <[u8; 32]>::try_from(row.try_get::<_, &[u8]>(7)?)
        .map_err(|_| Failure::new(StoreErrorKind::Corrupt, "it is damaged: an item has no hash"))?;
    item.received_at = row.try_get(8)?;
    item.state = word(row.try_get(9)?, State::from_word)?;
    item.due_at = row.try_get(10)?;
    item.attempts = count(row.try_get(11)?);
    item.lost_leases = count(row.try_get(12)?);
    item.last_error = row.try_get::<_, Option<_>>(13)?.map(unescape);
    item.done = done(row.try_get(14)?, row.try_get(15)?)?;
    item.replaces = row.try_get::<_, Option<i64>>(16)?.map(ItemId::new);
    item.confirmation = confirmation(row.try_get(17)?)?;
    item.body = bytes(row.try_get(18)?);
    item.record = bytes(row.try_get(19)?);
    Ok(item)
}

/// An app, as a column has it: whole numbers of SQL have a sign.
pub(crate) fn app(column: i64) -> SdkAppId {
    SdkAppId::new(column.cast_unsigned())
}

pub(crate) fn count(column: i32) -> u32 {
    u32::try_from(column).unwrap_or_default()
}

pub(crate) fn bytes(column: Option<&[u8]>) -> Option<Bytes> {
    column.map(Bytes::copy_from_slice)
}

pub(crate) fn done(
    done_as: Option<&str>,
    done_at: Option<SystemTime>,
) -> Result<Option<(DoneAs, SystemTime)>, Failure> {
    let (Some(done_as), Some(done_at)) = (done_as, done_at) else { return Ok(None) };
    Ok(Some((word(done_as, DoneAs::from_word)?, done_at)))
}

pub(crate) fn confirmation(column: Option<&str>) -> Result<Option<Confirmation>, Failure> {
    column.map(|column| word(column, Confirmation::from_word)).transpose()
}

pub(crate) fn word<T>(word: &str, known: impl Fn(&str) -> Option<T>) -> Result<T, Failure> {
    known(word).ok_or_else(|| {
        let text = format!("an item has a word that this version does not know: {word:?}");
        Failure::new(StoreErrorKind::Other, text).sparing_connection()
    })
}
