//! Handing out what the vendor is to be asked about, and keeping what came of it.

use std::time::Duration;

use rusqlite::{OptionalExtension, named_params};
use trtc_call_inbox::ItemId;
use trtc_call_inbox::store::{Answer, AskRequest, Asked, AskedItem, Budget, LONGEST_DELAY, Lease};

use crate::engine::Turn;
use crate::error::Failure;
use crate::{lead, row, time};

/// A statement over the items that somebody is to ask about, of an app and due in a span of time: those of
/// two indexes, merged.
macro_rules! select_asked {
    ($limit:literal) => {
        concat!(
            "SELECT id, due_at FROM trtc_call_items
             WHERE state = 'confirming'
               AND sdk_app_id = :app AND due_at > :after AND due_at <= :until
             UNION ALL
             SELECT id, due_at FROM trtc_call_items
             WHERE state = 'disputed' AND has_record = 1 AND confirmation IS NULL
               AND sdk_app_id = :app AND due_at > :after AND due_at <= :until
             ORDER BY due_at, id LIMIT ",
            $limit
        )
    };
}

const PICK: &str = select_asked!(":limit");

const SELECT_NEXT_DUE: &str = select_asked!("1");

const HAND_OUT: &str = "
    UPDATE trtc_call_items SET token = random(), due_at = :now + :term WHERE id = :id
    RETURNING token, call_id, received_at, missing_since";

/// A statement that keeps an answer.
macro_rules! keep_answer {
    ($set:literal) => {
        concat!(
            "UPDATE trtc_call_items SET ",
            $set,
            ", last_error = :error, token = NULL
             WHERE id = :id AND token = :token AND state IN ('confirming', 'disputed')"
        )
    };
}

const ASK_AGAIN: &str = keep_answer!(
    "due_at = :now + :after,
     missing_since = CASE WHEN :is_missing THEN min(coalesce(missing_since, :now), :now)
                          ELSE missing_since END"
);

const GIVE_UP: &str = keep_answer!(
    "confirmation = :confirmation,
     state = CASE state WHEN 'confirming' THEN 'dead' ELSE state END"
);

/// Hands out what is due, as much as the budget has.
pub(crate) fn ask(turn: &Turn<'_>, request: &AskRequest) -> Result<Asked, Failure> {
    let app = request.sdk_app_id;
    let spent_until = lead::spent_until(turn, app)?.map(time::time);
    let budget = Budget::new(request.per_second, spent_until, time::time(turn.now));
    let limit = request.limit.min(budget.available());
    // One more tells whether these are all.
    let mut due = pick(turn, request, limit.saturating_add(1))?;
    let is_all = due.len() <= limit;
    due.truncate(limit);
    let next = if is_all { next_due(turn, request)? } else { Some(budget.next_after(due.len())) };
    let items = due.iter().map(|id| hand_out(turn, *id, request.term));
    let items = items.collect::<Result<Vec<_>, _>>()?;
    if !items.is_empty() {
        lead::keep_spent_until(turn, app, time::millis(budget.spend(items.len())))?;
    }
    Ok(Asked::new(items, next))
}

fn pick(turn: &Turn<'_>, request: &AskRequest, limit: usize) -> Result<Vec<i64>, Failure> {
    let mut pick = turn.transaction.prepare_cached(PICK)?;
    let mut picked = Vec::new();
    // What is due further ahead than it can be was put off by a clock that was set back since.
    for (after, until) in [(i64::MIN, turn.now), (latest(turn), i64::MAX)] {
        let limit = limit.saturating_sub(picked.len());
        let params = named_params! {
            ":app": row::column(request.sdk_app_id),
            ":after": after,
            ":until": until,
            ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
        };
        for id in pick.query_map(params, |row| row.get(0))? {
            picked.push(id?);
        }
    }
    Ok(picked)
}

fn next_due(turn: &Turn<'_>, request: &AskRequest) -> Result<Option<Duration>, Failure> {
    let mut select = turn.transaction.prepare_cached(SELECT_NEXT_DUE)?;
    let params = named_params! {
        ":app": row::column(request.sdk_app_id),
        ":after": turn.now,
        ":until": latest(turn),
    };
    let next = select.query_row(params, |row| row.get(1)).optional()?;
    Ok(next.map(|due_at| time::between(turn.now, due_at)))
}

/// When an item is due that was put off for the longest time now.
fn latest(turn: &Turn<'_>) -> i64 {
    turn.now.saturating_add(time::span(LONGEST_DELAY))
}

fn hand_out(turn: &Turn<'_>, id: i64, term: Duration) -> Result<AskedItem, Failure> {
    let mut hand_out = turn.transaction.prepare_cached(HAND_OUT)?;
    let params = named_params! {
        ":id": id,
        ":now": turn.now,
        ":term": time::span(term.min(LONGEST_DELAY)),
    };
    let item = hand_out.query_row(params, |row| {
        let received_at: i64 = row.get(2)?;
        let missing_since: Option<i64> = row.get(3)?;
        Ok(AskedItem::new(
            Lease { item: ItemId::new(id), token: row.get(0)? },
            row.get::<_, Option<String>>(1)?.unwrap_or_default(),
            time::time(received_at),
            time::between(received_at, turn.now),
            missing_since.map(|since| time::between(since, turn.now)),
        ))
    })?;
    Ok(item)
}

/// Keeps answers. Says of each whether the item was still to be asked about.
pub(crate) fn answer(turn: &Turn<'_>, answers: &[(Lease, Answer)]) -> Result<Vec<bool>, Failure> {
    answers.iter().map(|(lease, answer)| answer_one(turn, *lease, answer)).collect()
}

fn answer_one(turn: &Turn<'_>, lease: Lease, answer: &Answer) -> Result<bool, Failure> {
    let (id, token) = (lease.item.get(), lease.token);
    let changed = match answer {
        Answer::Missing { after, error } | Answer::Later { after, error } => {
            turn.transaction.prepare_cached(ASK_AGAIN)?.execute(named_params! {
                ":id": id,
                ":token": token,
                ":now": turn.now,
                ":after": time::span((*after).min(LONGEST_DELAY)),
                ":is_missing": matches!(answer, Answer::Missing { .. }),
                ":error": error,
            })?
        }
        Answer::GiveUp { why, error } => {
            turn.transaction.prepare_cached(GIVE_UP)?.execute(named_params! {
                ":id": id,
                ":token": token,
                ":confirmation": why.as_str(),
                ":error": error,
            })?
        }
    };
    Ok(changed == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::plan;

    /// A million items wait for their record when the vendor is down.
    #[test]
    fn what_is_asked_about_is_found_in_the_order_of_its_indexes() {
        for statement in [PICK, SELECT_NEXT_DUE] {
            let plan = plan(statement);
            for index in ["trtc_call_items_confirming", "trtc_call_items_asked"] {
                let search = format!("INDEX {index} (sdk_app_id=? AND due_at>? AND due_at<?)");
                assert!(plan.contains(&search), "{statement}: {plan}");
            }
            assert!(!plan.contains("TEMP B-TREE"), "{statement}: {plan}");
        }
    }
}
