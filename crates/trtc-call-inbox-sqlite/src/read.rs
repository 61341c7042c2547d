//! Reading, on connections of its own: it never holds up the writer.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ToSql};
use tokio::sync::Semaphore;
use trtc_call_inbox::store::{StoreError, StoreErrorKind};
use trtc_call_inbox::trtc_call_webhook::SdkAppId;
use trtc_call_inbox::{AppStats, Filter, Item, State, Stats};

use crate::error::{Failure, closed};
use crate::file::Identity;
use crate::open::open_reader;
use crate::row::{self, columns, items_with_keys};
use crate::{schema, time};

/// The most reads at a time.
const READERS: usize = 4;

/// How long a read waits for a lock. Few do: while the log is recovered, for example.
const PATIENCE: Duration = Duration::from_secs(1);

/// The items of each state, for counting: each statement walks an index of just these.
const COUNTED: &[(State, &str)] = &[
    (
        State::Waiting,
        "SELECT sdk_app_id, due_at FROM trtc_call_items
         WHERE state = 'waiting' AND lost_leases = 0",
    ),
    (
        State::Waiting,
        "SELECT sdk_app_id, due_at FROM trtc_call_items
         WHERE state = 'waiting' AND lost_leases > 0",
    ),
    (State::Confirming, "SELECT sdk_app_id, NULL FROM trtc_call_items WHERE state = 'confirming'"),
    (State::Leased, "SELECT sdk_app_id, NULL FROM trtc_call_items WHERE state = 'leased'"),
    (State::Done, "SELECT sdk_app_id, NULL FROM trtc_call_items WHERE state = 'done'"),
    (
        State::Dead,
        "SELECT sdk_app_id, NULL FROM trtc_call_items
         WHERE state IN ('dead', 'disputed') AND state = 'dead'",
    ),
    (
        State::Disputed,
        "SELECT sdk_app_id, NULL FROM trtc_call_items
         WHERE state IN ('dead', 'disputed') AND state = 'disputed'",
    ),
];

const INTEGRITY_CHECK: &str = "PRAGMA integrity_check";

/// Nobody asks for what there is no record of, or what is decided.
const WAITS_IN_VAIN: &str = "
    SELECT 'item ' || id || ' waits for a record that nobody asks for' FROM trtc_call_items
    WHERE state = 'confirming'
      AND (has_record = 0 OR confirmation IS NOT NULL OR record IS NOT NULL OR call_id IS NULL)
    LIMIT 100";

/// What the check says if nothing is wrong.
const INTACT: &str = "ok";

/// Connections that read.
#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    turns: Arc<Semaphore>,
    idle: Mutex<Vec<Reader>>,
}

#[derive(Debug)]
struct Reader {
    connection: Connection,
    identity: Identity,
}

impl Readers {
    /// Opened as they are needed.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, turns: Arc::new(Semaphore::new(READERS)), idle: Mutex::default() }
    }

    /// Reads in one transaction, on a thread that may wait.
    pub(crate) async fn read<R: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<R, Failure> + Send + 'static,
    ) -> Result<R, StoreError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| closed())?;
        let readers = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            readers.read_here(work).map_err(|failure| failure.at(&readers.path))
        });
        task.await.map_err(|error| {
            StoreError::new(StoreErrorKind::Other, "the read was broken off").with_source(error)
        })?
    }

    fn read_here<R>(
        &self,
        work: impl FnOnce(&Connection) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        let reader = self.take()?;
        let transaction = reader.connection.unchecked_transaction()?;
        schema::check(&transaction)?;
        let value = work(&transaction)?;
        drop(transaction);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        Ok(value)
    }

    fn take(&self) -> Result<Reader, Failure> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(reader) = idle.filter(|reader| reader.identity.check().is_ok()) {
            return Ok(reader);
        }
        let (connection, identity) = open_reader(&self.path, PATIENCE)?;
        Ok(Reader { connection, identity })
    }
}

/// Items by their numbers.
pub(crate) fn list(
    connection: &Connection,
    filter: &Filter,
    limit: usize,
    with_bodies: bool,
) -> Result<Vec<Item>, Failure> {
    let app = filter.sdk_app_id.map(row::column);
    let since = filter.since.map(time::millis);
    let after = filter.after.map(|after| after.get());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut params: Vec<(&str, &dyn ToSql)> = vec![(":limit", &limit)];
    let mut select =
        ["SELECT ", columns!(), if with_bodies { ", record, body" } else { ", NULL, NULL" }]
            .concat();
    select.push_str(concat!(" FROM ", items_with_keys!(), " WHERE true"));
    if let Some(app) = &app {
        select.push_str(" AND trtc_call_items.sdk_app_id = :sdk_app_id");
        params.push((":sdk_app_id", app));
    }
    if let Some(call_id) = &filter.call_id {
        select.push_str(" AND call_id = :call_id");
        params.push((":call_id", call_id));
    }
    if let Some(since) = &since {
        select.push_str(" AND received_at >= :since");
        params.push((":since", since));
    }
    if let Some(after) = &after {
        select.push_str(" AND trtc_call_items.id > :after");
        params.push((":after", after));
    }
    let state = filter.state.map(State::as_str);
    if let (Some(state), Some(_)) = (&state, &filter.call_id) {
        // A call has few items: they are looked at themselves.
        select.push_str(" AND state = :state");
        params.push((":state", state));
    } else if let Some(state) = filter.state {
        select.push_str(in_state(state));
    }
    select.push_str(" ORDER BY trtc_call_items.id LIMIT :limit");
    let mut select = connection.prepare_cached(&select)?;
    select.query_and_then(&*params, row::item)?.collect()
}

/// The condition for a state, as the indexes of the states have it; those that do not have the items in
/// their order give the set of them.
fn in_state(state: State) -> &'static str {
    match state {
        State::Waiting => {
            " AND trtc_call_items.id IN (
                SELECT id FROM trtc_call_items WHERE state = 'waiting' AND lost_leases = 0
                UNION ALL
                SELECT id FROM trtc_call_items WHERE state = 'waiting' AND lost_leases > 0
            )"
        }
        State::Confirming => {
            " AND trtc_call_items.id IN (SELECT id FROM trtc_call_items WHERE state = 'confirming')"
        }
        State::Leased => {
            " AND trtc_call_items.id IN (SELECT id FROM trtc_call_items WHERE state = 'leased')"
        }
        State::Done => " AND state = 'done'",
        State::Dead => " AND state IN ('dead', 'disputed') AND state = 'dead'",
        State::Disputed => " AND state IN ('dead', 'disputed') AND state = 'disputed'",
        // A state of a later version has no items here.
        _ => " AND false",
    }
}

/// How many items there are.
pub(crate) fn stats(
    connection: &Connection,
    only: Option<SdkAppId>,
    now: i64,
) -> Result<Stats, Failure> {
    let mut apps: BTreeMap<SdkAppId, AppStats> = BTreeMap::new();
    for (state, select) in COUNTED {
        let mut select = connection.prepare_cached(select)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let app = row::app(row.get(0)?);
            if only.is_some_and(|only| only != app) {
                continue;
            }
            let stats = apps.entry(app).or_insert_with(|| AppStats::new(app));
            stats.add(*state, 1);
            let due_at: Option<i64> = row.get(1)?;
            let lag = due_at.map(|due_at| time::between(due_at, now)).unwrap_or_default();
            stats.lag = stats.lag.max(lag);
        }
    }
    Ok(Stats::new(apps.into_values().collect()))
}

/// What is wrong with the file.
pub(crate) fn integrity(connection: &Connection) -> Result<Vec<String>, Failure> {
    let mut check = connection.prepare(INTEGRITY_CHECK)?;
    let found: Vec<String> = check.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut found: Vec<String> = found.into_iter().filter(|found| found != INTACT).collect();
    let mut waits = connection.prepare(WAITS_IN_VAIN)?;
    for waits in waits.query_map([], |row| row.get(0))? {
        found.push(waits?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::plan;

    /// Beside ten million that are done, it would take minutes otherwise.
    #[test]
    fn the_few_items_of_a_state_are_listed_without_walking_the_table() {
        for state in State::ALL.iter().copied().filter(|state| *state != State::Done) {
            let select = format!(
                "SELECT trtc_call_items.id FROM {} WHERE true{} ORDER BY trtc_call_items.id LIMIT 9",
                items_with_keys!(),
                in_state(state)
            );
            let plan = plan(&select);
            let walks = plan.lines().any(|line| line == "SCAN trtc_call_items");
            assert!(!walks && !plan.contains("TEMP B-TREE"), "{state}: {plan}");
        }
    }

    #[test]
    fn counting_reads_no_table() {
        for (_, statement) in COUNTED {
            let plan = plan(statement);
            assert!(plan.contains("COVERING INDEX trtc_call_items_"), "{statement}: {plan}");
        }
    }
}
