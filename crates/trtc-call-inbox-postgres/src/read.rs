//! Reading: it holds nobody up.

use std::collections::BTreeMap;
use std::time::SystemTime;

use tokio_postgres::types::{ToSql, Type};
use trtc_call_inbox::trtc_call_webhook::SdkAppId;
use trtc_call_inbox::{AppStats, Filter, Item, State, Stats};

use crate::connect::{Argument, Connection};
use crate::error::Failure;
use crate::row::{self, columns, items_with_keys};
use crate::schema::{BEGIN_WORK, VERSION};
use crate::text::escape;
use crate::time::{self, between};

/// How many items of each app are in each state, and when the first of them is due. Each part walks an
/// index of just these.
const COUNT: &str = "
    SELECT sdk_app_id, 'waiting', count(*), min(due_at) FROM trtc_call.items
    WHERE state = 'waiting' GROUP BY sdk_app_id
    UNION ALL SELECT sdk_app_id, 'leased', count(*), NULL FROM trtc_call.items
    WHERE state = 'leased' GROUP BY sdk_app_id
    UNION ALL SELECT sdk_app_id, 'done', count(*), NULL FROM trtc_call.items
    WHERE state = 'done' GROUP BY sdk_app_id
    UNION ALL SELECT sdk_app_id, state, count(*), NULL FROM trtc_call.items
    WHERE state IN ('confirming', 'dead', 'disputed') GROUP BY sdk_app_id, state";

/// Reads in one transaction. Gives what the server's clock said as it began.
pub(crate) async fn begin(connection: &Connection) -> Result<SystemTime, Failure> {
    Ok(connection.row(BEGIN_WORK, &[(&VERSION, Type::INT4)]).await?.try_get(0)?)
}

/// Items by their numbers.
pub(crate) async fn list(
    connection: &Connection,
    filter: &Filter,
    limit: usize,
    with_bodies: bool,
) -> Result<Vec<Item>, Failure> {
    let app = filter.sdk_app_id.map(|app| app.get().cast_signed());
    let state = filter.state.map(State::as_str);
    let call_id = filter.call_id.as_deref().map(escape);
    let call_id = call_id.as_deref();
    let since = filter.since.map(time::of_column);
    let after = filter.after.map(|after| after.get());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let bodies = if with_bodies { "i.body, i.record" } else { "NULL::bytea, NULL::bytea" };
    let text = ["SELECT ", columns!(), ", ", bodies, " FROM ", items_with_keys!(), " WHERE true"];
    let mut select = Select { text: text.concat(), arguments: Vec::new() };
    if let Some(app) = &app {
        select.add("AND i.sdk_app_id =", app, Type::INT8);
    }
    if let Some(state) = state {
        // A word of ours, in the text: as an argument it would lead to no index of a state.
        select.text.push_str(&format!(" AND i.state = '{state}'"));
    }
    if let Some(call_id) = &call_id {
        select.add("AND i.call_id =", call_id, Type::TEXT);
    }
    if let Some(since) = &since {
        select.add("AND i.received_at >=", since, Type::TIMESTAMPTZ);
    }
    if let Some(after) = &after {
        select.add("AND i.id >", after, Type::INT8);
    }
    select.add("ORDER BY i.id LIMIT", &limit, Type::INT8);
    connection.rows(&select.text, &select.arguments).await?.iter().map(row::item).collect()
}

/// A statement that grows.
struct Select<'a> {
    text: String,
    arguments: Vec<Argument<'a>>,
}

impl<'a> Select<'a> {
    /// Adds a text with an argument behind it.
    fn add(&mut self, text: &str, value: &'a (dyn ToSql + Sync), of: Type) {
        self.arguments.push((value, of));
        self.text.push_str(&format!(" {text} ${}", self.arguments.len()));
    }
}

/// How many items there are.
pub(crate) async fn stats(
    connection: &Connection,
    only: Option<SdkAppId>,
    now: SystemTime,
) -> Result<Stats, Failure> {
    let mut apps: BTreeMap<SdkAppId, AppStats> = BTreeMap::new();
    for row in connection.rows(COUNT, &[]).await? {
        let app = row::app(row.try_get(0)?);
        if only.is_some_and(|only| only != app) {
            continue;
        }
        let state = row::word(row.try_get(1)?, State::from_word)?;
        let items: i64 = row.try_get(2)?;
        let stats = apps.entry(app).or_insert_with(|| AppStats::new(app));
        stats.add(state, u64::try_from(items).unwrap_or_default());
        let due_at: Option<SystemTime> = row.try_get(3)?;
        let lag = due_at.map(|due_at| between(due_at, now)).unwrap_or_default();
        stats.lag = stats.lag.max(lag);
    }
    Ok(Stats::new(apps.into_values().collect()))
}
