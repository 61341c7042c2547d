//! What is kept of an app: who reconciles it, how far that got, and how many questions were asked.

use std::time::Duration;

use rusqlite::{OptionalExtension, named_params, params};
use trtc_call_inbox::store::{CLOCK_TOLERANCE, Lead};
use trtc_call_inbox::trtc_call_webhook::SdkAppId;

use crate::engine::Turn;
use crate::error::Failure;
use crate::{row, time};

/// Whether nobody leads any more: the lease has ended, or ends later than it can.
macro_rules! is_over {
    () => {
        "(leased_until <= :now OR leased_until > :now + lease_term + :tolerance)"
    };
}

const LEAD: &str = concat!(
    "INSERT INTO trtc_call_apps (sdk_app_id, owner, leased_until, lease_term)
     VALUES (:app, :owner, :now + :term, :term)
     ON CONFLICT (sdk_app_id) DO UPDATE
     SET owner = :owner, leased_until = :now + :term, lease_term = :term
     WHERE owner IS NULL OR owner = :owner OR ",
    is_over!(),
    " RETURNING progress"
);

const KEEP_PROGRESS: &str = concat!(
    "UPDATE trtc_call_apps SET progress = :progress
     WHERE sdk_app_id = :app AND owner = :owner AND NOT ",
    is_over!()
);

const SELECT_SPENT_UNTIL: &str = "SELECT spent_until FROM trtc_call_apps WHERE sdk_app_id = ?1";

const KEEP_SPENT_UNTIL: &str = "
    INSERT INTO trtc_call_apps (sdk_app_id, spent_until) VALUES (?1, ?2)
    ON CONFLICT (sdk_app_id) DO UPDATE SET spent_until = excluded.spent_until";

/// Makes an owner the one who reconciles an app, unless another one is.
pub(crate) fn lead(
    turn: &Turn<'_>,
    app: SdkAppId,
    owner: i64,
    term: Duration,
) -> Result<Option<Lead>, Failure> {
    let mut lead = turn.transaction.prepare_cached(LEAD)?;
    let params = named_params! {
        ":app": row::column(app),
        ":owner": owner,
        ":now": turn.now,
        ":term": time::span(term),
        ":tolerance": time::span(CLOCK_TOLERANCE),
    };
    let progress = lead.query_row(params, |row| row.get(0)).optional()?;
    Ok(progress.map(|progress| Lead { progress }))
}

/// Keeps how far reconciling got. Says whether the owner still is the one who does.
pub(crate) fn keep_progress(
    turn: &Turn<'_>,
    app: SdkAppId,
    owner: i64,
    progress: &str,
) -> Result<bool, Failure> {
    let changed = turn.transaction.prepare_cached(KEEP_PROGRESS)?.execute(named_params! {
        ":app": row::column(app),
        ":owner": owner,
        ":progress": progress,
        ":now": turn.now,
        ":tolerance": time::span(CLOCK_TOLERANCE),
    })?;
    Ok(changed == 1)
}

/// Until when the budget of an app's questions is spent.
pub(crate) fn spent_until(turn: &Turn<'_>, app: SdkAppId) -> Result<Option<i64>, Failure> {
    let mut select = turn.transaction.prepare_cached(SELECT_SPENT_UNTIL)?;
    Ok(select.query_row([row::column(app)], |row| row.get(0)).optional()?.flatten())
}

pub(crate) fn keep_spent_until(turn: &Turn<'_>, app: SdkAppId, until: i64) -> Result<(), Failure> {
    turn.transaction.prepare_cached(KEEP_SPENT_UNTIL)?.execute(params![row::column(app), until])?;
    Ok(())
}
