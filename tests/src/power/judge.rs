//! Whether an inbox holds what its ledger says.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use trtc_call_inbox::store::{Put, Store};
use trtc_call_inbox::{Filter, Inbox, Job, JobError, State};
use trtc_call_inbox_sqlite::SqliteInbox;
use trtc_call_inbox_sqlite::rusqlite::{self, Connection};
use trtc_call_webhook::CallEnded;

use super::work::{BILLS, FILE, Ledger, bill, item, options};

/// What is wrong with an inbox after a power cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It does not open, or cannot be used.
    Refused(String),
    /// `integrity_check` finds something.
    Corrupt(Vec<String>),
    /// A callback is gone that was acknowledged, or not as it was.
    Lost(u32),
    /// A bill is gone that was acknowledged.
    Unbilled(u32),
    /// The bills and the state of an item do not go together.
    Half(u32, State, usize),
    /// A redelivery is not known.
    Forgotten(u32),
    /// Once all is worked, a call is not billed exactly once.
    NotOnce(u32, State, usize),
}

impl Wrong {
    /// Whether something acknowledged is gone, in a file that is whole.
    #[must_use]
    pub const fn is_loss(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Unbilled(_) | Self::Forgotten(_))
    }
}

impl<E: fmt::Display> From<E> for Wrong {
    fn from(error: E) -> Self {
        Self::Refused(error.to_string())
    }
}

/// A day on which every lease of the run has ended.
const DAY: u32 = 5;

/// All that is wrong with the inbox in a folder. Uses it as a program does that goes on after the cut.
///
/// # Panics
///
/// If there can be no runtime.
#[must_use]
pub fn judge(folder: &Path, ledger: &Ledger) -> Vec<Wrong> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let judged = runtime.expect("a runtime").block_on(try_judge(folder, ledger));
    judged.unwrap_or_else(|wrong| vec![wrong])
}

async fn try_judge(folder: &Path, ledger: &Ledger) -> Result<Vec<Wrong>, Wrong> {
    let file = folder.join(FILE);
    let options = if ledger.is_opened { options(DAY).must_exist() } else { options(DAY) };
    let store = options.open(&file)?;
    let errors = store.integrity().await?;
    if !errors.is_empty() {
        return Err(Wrong::Corrupt(errors));
    }
    store.write(|sql| sql.execute_batch(BILLS)).await?;

    let mut wrong = Vec::new();
    let found = found(&store, &file).await?;
    for (call, Found { state, is_whole, bills }) in &found {
        if !is_whole {
            wrong.push(Wrong::Lost(*call));
        }
        if *bills != usize::from(*state == State::Done) {
            wrong.push(Wrong::Half(*call, *state, *bills));
        }
    }
    let lost = ledger.stored.iter().filter(|call| !found.contains_key(call));
    wrong.extend(lost.map(|call| Wrong::Lost(*call)));
    let is_billed = |call: &u32| found.get(call).is_some_and(|found| found.bills > 0);
    let unbilled = ledger.billed.iter().filter(|call| !is_billed(call));
    wrong.extend(unbilled.map(|call| Wrong::Unbilled(*call)));

    // It goes on: the vendor sends all again, and a worker works what is left.
    let again = ledger.stored.iter().map(|call| item(*call)).collect();
    let puts = store.put(again).await?;
    let is_new = |put: &Put| *put != Put::Duplicate;
    let forgotten = ledger.stored.iter().zip(&puts).filter(|(_, put)| is_new(put));
    wrong.extend(forgotten.map(|(call, _)| Wrong::Forgotten(*call)));
    let inbox = Inbox::of(Arc::new(store.clone()));
    let handler = |job: Job<CallEnded>| async move { bill(&job).await };
    inbox.worker().on::<CallEnded, _, _, JobError>(handler).run_due().await?;
    for (call, Found { state, bills, .. }) in self::found(&store, &file).await? {
        if state != State::Done || bills != 1 {
            wrong.push(Wrong::NotOnce(call, state, bills));
        }
    }
    Ok(wrong)
}

/// What is there of a call.
struct Found {
    state: State,
    is_whole: bool,
    bills: usize,
}

async fn found(store: &SqliteInbox, file: &Path) -> Result<BTreeMap<u32, Found>, Wrong> {
    let bills = bills(file)?;
    let items = store.list(Filter::all(), usize::MAX, true).await?;
    let mut found = BTreeMap::new();
    for kept in items {
        let call: u32 = kept.call_id.as_deref().unwrap_or_default().parse()?;
        let is_whole = kept.body.is_some_and(|body| body == item(call).body);
        let bills = bills.get(&call).copied().unwrap_or_default();
        if found.insert(call, Found { state: kept.state, is_whole, bills }).is_some() {
            return Err(Wrong::Refused(format!("call {call} has two items")));
        }
    }
    match bills.keys().find(|call| !found.contains_key(call)) {
        Some(call) => Err(Wrong::Refused(format!("call {call} has a bill and no item"))),
        None => Ok(found),
    }
}

/// How many bills each call has.
fn bills(file: &Path) -> Result<BTreeMap<u32, usize>, Wrong> {
    let connection = Connection::open(file)?;
    let mut statement = connection.prepare("SELECT call_id FROM bills")?;
    let calls = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut bills = BTreeMap::new();
    for call in calls.collect::<rusqlite::Result<Vec<_>>>()? {
        *bills.entry(call.parse()?).or_default() += 1;
    }
    Ok(bills)
}
