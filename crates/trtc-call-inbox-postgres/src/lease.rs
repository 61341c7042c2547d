//! Handing items out, and taking back what nobody has a hand on any more.

use std::time::SystemTime;

use tokio_postgres::Row;
use tokio_postgres::types::Type;
use trtc_call_inbox::store::{CLOCK_TOLERANCE, Lease, LeaseRequest, Leased, LeasedItem};
use trtc_call_inbox::trtc_call_webhook::Command;
use trtc_call_inbox::{Item, ItemId, SignatureFound, Source};

use crate::clock::Clock;
use crate::connect::{Argument, Connection};
use crate::error::Failure;
use crate::row::{app, bytes, confirmation, count, word};
use crate::schema::VERSION;
use crate::text::unescape;
use crate::time::{Interval, between};

const LEASE: &str = "
    SELECT item, token, key, sdk_app_id, command, call_id, source, signature, received_at, attempts,
           first_attempt_at, replaces, confirmation, body, record, at, died, suspects_due, next_due,
           is_healed
    FROM trtc_call.lease($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/// Rescues, and hands out.
pub(crate) async fn lease(
    connection: &Connection,
    clock: &Clock,
    request: &LeaseRequest,
) -> Result<Leased, Failure> {
    let (token, at_most) = (fastrand::i64(1..), i64::try_from(request.limit).unwrap_or(i64::MAX));
    let seen = clock.state(request.owner);
    let (heals, latest) = seen;
    let max_lost_leases = i32::try_from(request.max_lost_leases).unwrap_or(i32::MAX);
    let arguments: [Argument<'_>; 11] = [
        (&VERSION, Type::INT4),
        (&request.owner, Type::INT8),
        (&token, Type::INT8),
        (&at_most, Type::INT8),
        (&Interval::of(request.term), Type::INTERVAL),
        (&max_lost_leases, Type::INT4),
        (&Interval::of(CLOCK_TOLERANCE), Type::INTERVAL),
        (&request.suspects, Type::BOOL),
        (&request.ordered_by_call, Type::BOOL),
        (&heals, Type::BOOL),
        (&latest, Type::TIMESTAMPTZ),
    ];
    let rows = connection.rows(LEASE, &arguments);
    let mut leased = Leased::default();
    for row in &rows.await? {
        let at: SystemTime = row.try_get(15)?;
        if let Some(id) = row.try_get::<_, Option<i64>>(0)? {
            leased.items.push(item(row, ItemId::new(id), at)?);
            continue;
        }
        let died: Option<Vec<i64>> = row.try_get(16)?;
        leased.died = died.unwrap_or_default().into_iter().map(ItemId::new).collect();
        leased.suspects_due = row.try_get(17)?;
        let next_due: Option<SystemTime> = row.try_get(18)?;
        let is_healed = row.try_get(19)?;
        leased.next_due = next_due.map(|due| between(at, if is_healed { due } else { at }));
        clock.healed(request.owner, seen, at, is_healed);
    }
    Ok(leased)
}

fn item(row: &Row, id: ItemId, at: SystemTime) -> Result<LeasedItem, Failure> {
    let mut item = Item::blank(id, unescape(row.try_get(2)?), app(row.try_get(3)?));
    item.command = row.try_get::<_, Option<_>>(4)?.map(unescape).map(Command::from);
    item.call_id = row.try_get::<_, Option<_>>(5)?.map(unescape);
    item.source = word(row.try_get(6)?, Source::from_word)?;
    item.signature = word(row.try_get(7)?, SignatureFound::from_word)?;
    item.received_at = row.try_get(8)?;
    item.attempts = count(row.try_get(9)?);
    item.replaces = row.try_get::<_, Option<i64>>(11)?.map(ItemId::new);
    item.confirmation = confirmation(row.try_get(12)?)?;
    item.body = bytes(row.try_get(13)?);
    item.record = bytes(row.try_get(14)?);
    let lease = Lease { item: id, token: row.try_get(1)? };
    Ok(LeasedItem::new(lease, item, between(row.try_get(10)?, at)))
}
