//! Handing items out, and taking back what nobody has a hand on any more.

use std::time::Duration;

use rusqlite::named_params;
use trtc_call_inbox::ItemId;
use trtc_call_inbox::store::{
    CLOCK_TOLERANCE, Lease, LeaseRequest, Leased, LeasedItem, StoreErrorKind,
};

use crate::engine::Turn;
use crate::error::Failure;
use crate::{row, time};

/// The most leases of others that are taken back at a time, and the most due times that are looked at.
const RESCUED_AT_A_TIME: i64 = 512;
const HEALED_AT_A_TIME: usize = 2_000;

const SELECT_LOST: &str = "
    SELECT id, lost_leases FROM trtc_call_items
    WHERE state = 'leased' AND owner <> :owner
      AND (leased_until <= :now OR leased_until > :now + lease_term + :tolerance)
    LIMIT :limit";

const RESCUE: &str = "
    UPDATE trtc_call_items
    SET state = 'waiting', due_at = :now, delay = 0, lost_leases = :lost,
        owner = NULL, token = NULL, leased_until = NULL, lease_term = NULL
    WHERE id = :id";

const GIVE_UP: &str = "
    UPDATE trtc_call_items
    SET state = 'dead', lost_leases = :lost, last_error = :error,
        owner = NULL, token = NULL, leased_until = NULL, lease_term = NULL
    WHERE id = :id";

/// The statements that pick items, for those that are healthy and those whose last lease was lost.
macro_rules! pick {
    ($lost_leases:literal) => {
        concat!(
            "SELECT id FROM trtc_call_items
             WHERE state = 'waiting' AND lost_leases ",
            $lost_leases,
            " AND due_at <= :now ORDER BY due_at, id LIMIT :limit"
        )
    };
    ($lost_leases:literal, ordered_by_call) => {
        concat!(
            "SELECT id FROM trtc_call_items AS item
             WHERE state = 'waiting' AND lost_leases ",
            $lost_leases,
            " AND due_at <= :now
              AND NOT EXISTS (
                SELECT 1 FROM trtc_call_items AS earlier
                WHERE earlier.call_id = item.call_id AND earlier.sdk_app_id = item.sdk_app_id
                  AND earlier.state IN ('waiting', 'confirming', 'leased')
                  AND earlier.id < item.id
              )
             ORDER BY due_at, id LIMIT :limit"
        )
    };
}

const PICK_HEALTHY: &str = pick!("= 0");
const PICK_SUSPECTS: &str = pick!("> 0");
const PICK_HEALTHY_BY_CALL: &str = pick!("= 0", ordered_by_call);
const PICK_SUSPECTS_BY_CALL: &str = pick!("> 0", ordered_by_call);

const HAND_OUT: &str = "
    UPDATE trtc_call_items
    SET state = 'leased', attempts = attempts + 1,
        first_attempt_at = coalesce(first_attempt_at, :now),
        owner = :owner, token = random(), leased_until = :now + :term, lease_term = :term
    WHERE id = :id
    RETURNING token, first_attempt_at";

const SELECT_NEXT_DUE: &str = "
    SELECT min(
        coalesce(
            (SELECT min(due_at) FROM trtc_call_items
             WHERE state = 'waiting' AND lost_leases = 0 AND due_at > :now), :never),
        coalesce(
            (SELECT min(due_at) FROM trtc_call_items
             WHERE state = 'waiting' AND lost_leases > 0 AND due_at > :now), :never)
    )";

const SELECT_NOT_DUE: &str = "
    SELECT id, due_at, delay FROM trtc_call_items
    WHERE state = 'waiting' AND lost_leases = 0 AND (due_at, id) > (:due_at, :id)
    ORDER BY due_at, id LIMIT :limit";

const SELECT_SUSPECTS_NOT_DUE: &str = "
    SELECT id, due_at, delay FROM trtc_call_items
    WHERE state = 'waiting' AND lost_leases > 0 AND (due_at, id) > (:due_at, :id)
    ORDER BY due_at, id LIMIT :limit";

const MAKE_DUE: &str =
    "UPDATE trtc_call_items SET due_at = :now, delay = 0 WHERE id = :id AND state = 'waiting'";

/// Rescues, and hands out.
pub(crate) fn lease(turn: &mut Turn<'_>, request: &LeaseRequest) -> Result<Leased, Failure> {
    let mut leased = Leased::default();
    leased.died = rescue(turn, request)?;
    let is_healed = heal(turn)?;
    leased.suspects_due = !pick(turn, true, request.ordered_by_call, 1)?.is_empty();
    for id in pick(turn, request.suspects, request.ordered_by_call, request.limit)? {
        leased.items.push(hand_out(turn, request, id)?);
    }
    leased.next_due = match next_due(turn)? {
        due_at if !is_healed => due_at.map(|_| Duration::ZERO),
        due_at => due_at.map(|due_at| time::between(turn.now, due_at)),
    };
    Ok(leased)
}

fn rescue(turn: &Turn<'_>, request: &LeaseRequest) -> Result<Vec<ItemId>, Failure> {
    let transaction = turn.transaction;
    let lost: Vec<(i64, u32)> = transaction
        .prepare_cached(SELECT_LOST)?
        .query_map(
            named_params! {
                ":owner": request.owner,
                ":now": turn.now,
                ":tolerance": time::span(CLOCK_TOLERANCE),
                ":limit": RESCUED_AT_A_TIME,
            },
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?
        .collect::<Result<_, _>>()?;
    let mut died = Vec::new();
    for (id, lost) in lost {
        let lost = lost.saturating_add(1);
        if lost < request.max_lost_leases {
            let mut rescue = transaction.prepare_cached(RESCUE)?;
            rescue.execute(named_params! { ":id": id, ":now": turn.now, ":lost": lost })?;
        } else {
            let error = format!("its lease ended {lost} times without a word");
            let mut give_up = transaction.prepare_cached(GIVE_UP)?;
            give_up.execute(named_params! { ":id": id, ":lost": lost, ":error": error })?;
            died.push(ItemId::new(id));
        }
    }
    Ok(died)
}

fn pick(
    turn: &Turn<'_>,
    suspects: bool,
    ordered_by_call: bool,
    limit: usize,
) -> Result<Vec<i64>, Failure> {
    let pick = match (suspects, ordered_by_call) {
        (false, false) => PICK_HEALTHY,
        (true, false) => PICK_SUSPECTS,
        (false, true) => PICK_HEALTHY_BY_CALL,
        (true, true) => PICK_SUSPECTS_BY_CALL,
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut pick = turn.transaction.prepare_cached(pick)?;
    let picked = pick
        .query_map(named_params! { ":now": turn.now, ":limit": limit }, |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(picked)
}

fn hand_out(turn: &Turn<'_>, request: &LeaseRequest, id: i64) -> Result<LeasedItem, Failure> {
    let mut hand_out = turn.transaction.prepare_cached(HAND_OUT)?;
    let (token, first_attempt_at) = hand_out.query_row(
        named_params! {
            ":id": id,
            ":now": turn.now,
            ":owner": request.owner,
            ":term": time::span(request.term),
        },
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let id = ItemId::new(id);
    let item = row::get(turn.transaction, id)?.ok_or_else(|| {
        Failure::new(StoreErrorKind::Corrupt, "it is damaged: an item has no key")
    })?;
    let since = time::between(first_attempt_at, turn.now);
    Ok(LeasedItem::new(Lease { item: id, token }, item, since))
}

fn next_due(turn: &Turn<'_>) -> Result<Option<i64>, Failure> {
    let mut select = turn.transaction.prepare_cached(SELECT_NEXT_DUE)?;
    let due_at: i64 = select
        .query_row(named_params! { ":now": turn.now, ":never": i64::MAX }, |row| row.get(0))?;
    Ok((due_at != i64::MAX).then_some(due_at))
}

/// Looking for items that were put off by a clock that was ahead: due further from now than they were
/// put off for.
///
/// Only a clock that is set back makes such, so it is done after that was seen, and once at the start.
#[derive(Debug)]
pub(crate) struct Healing {
    /// The latest time that was seen.
    latest: i64,
    /// What was looked at last; `None` once all was.
    at: Option<Position>,
}

/// A place among the items that are not due.
#[derive(Clone, Copy, Debug)]
struct Position {
    is_among_suspects: bool,
    due_at: i64,
    id: i64,
}

impl Default for Healing {
    fn default() -> Self {
        Self { latest: i64::MAX, at: None }
    }
}

impl Healing {
    /// Has everything looked at once more.
    pub(crate) fn begin(&mut self) {
        *self = Self::default();
    }

    /// Sees whether the clock was set back, whatever is done at that time.
    pub(crate) fn look_at_clock(&mut self, now: i64) {
        if now < self.latest {
            self.at = Some(Position { is_among_suspects: false, due_at: now, id: i64::MAX });
        }
        self.latest = now;
    }
}

/// Makes due what was put off by a clock that was ahead, a part of it at a time. Says whether it is
/// through.
fn heal(turn: &mut Turn<'_>) -> Result<bool, Failure> {
    let mut limit = HEALED_AT_A_TIME;
    while let Some(position) = turn.healing.at {
        if limit == 0 {
            return Ok(false);
        }
        let (looked_at, last) = heal_from(turn, position, limit)?;
        turn.healing.at = if looked_at == limit {
            Some(last)
        } else if position.is_among_suspects {
            None
        } else {
            Some(Position { is_among_suspects: true, due_at: turn.now, id: i64::MAX })
        };
        limit = limit.saturating_sub(looked_at);
    }
    Ok(true)
}

/// Looks at the items behind a place. Says how many there were, and where it ended.
fn heal_from(
    turn: &Turn<'_>,
    mut position: Position,
    limit: usize,
) -> Result<(usize, Position), Failure> {
    let select = if position.is_among_suspects { SELECT_SUSPECTS_NOT_DUE } else { SELECT_NOT_DUE };
    let not_due: Vec<(i64, i64, i64)> = turn
        .transaction
        .prepare_cached(select)?
        .query_map(
            named_params! {
                ":due_at": position.due_at,
                ":id": position.id,
                ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
            },
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?
        .collect::<Result<_, _>>()?;
    for (id, due_at, delay) in &not_due {
        (position.due_at, position.id) = (*due_at, *id);
        if *due_at > turn.now.saturating_add(*delay) {
            let mut make_due = turn.transaction.prepare_cached(MAKE_DUE)?;
            make_due.execute(named_params! { ":id": id, ":now": turn.now })?;
        }
    }
    Ok((not_due.len(), position))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::plan;

    #[test]
    fn items_are_picked_in_the_order_of_an_index() {
        for (statement, index) in [
            (PICK_HEALTHY, "trtc_call_items_due (due_at<?)"),
            (PICK_SUSPECTS, "trtc_call_items_suspect (due_at<?)"),
            (PICK_HEALTHY_BY_CALL, "trtc_call_items_due (due_at<?)"),
            (PICK_SUSPECTS_BY_CALL, "trtc_call_items_suspect (due_at<?)"),
            (SELECT_NOT_DUE, "trtc_call_items_due ("),
            (SELECT_SUSPECTS_NOT_DUE, "trtc_call_items_suspect ("),
        ] {
            let plan = plan(statement);
            assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{statement}: {plan}");
        }
    }

    #[test]
    fn an_earlier_item_of_a_call_is_looked_up() {
        for statement in [PICK_HEALTHY_BY_CALL, PICK_SUSPECTS_BY_CALL] {
            let plan = plan(statement);
            let index = "trtc_call_items_call (call_id=? AND sdk_app_id=? AND rowid<?)";
            assert!(plan.contains(index), "{plan}");
        }
    }

    #[test]
    fn lost_leases_and_the_next_due_item_are_found_without_the_table() {
        let lost = plan(SELECT_LOST);
        assert!(lost.contains("INDEX trtc_call_items_leased"), "{lost}");
        let next = plan(SELECT_NEXT_DUE);
        for index in ["trtc_call_items_due (due_at>?)", "trtc_call_items_suspect (due_at>?)"] {
            assert!(next.contains(index), "{next}");
        }
    }
}
