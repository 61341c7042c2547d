//! A store in memory.

mod records;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use trtc_call_webhook::SdkAppId;

use crate::clock::Clock;
use crate::item::{Confirmation, DoneAs, Item, ItemId, NewItem, State};
use crate::query::{AppStats, Filter, Stats};
use crate::store::{
    Answer, AskRequest, Asked, CLOCK_TOLERANCE, ComparedBodies, FIRST_ASKED, FOR_EVER, Lead, Lease,
    LeaseRequest, Leased, LeasedItem, Outcome, Pruned, Put, PutRecord, Resolved, Retention, Scope,
    Settlement, Store, StoreFuture,
};

/// A store in memory, for tests: it keeps every promise but that anything survives the process.
///
/// Clones are the same store. With a [clock that is moved by hand](Clock::manual) and
/// [`run_due`](crate::WorkerBuilder::run_due) a test decides what happens when.
#[derive(Clone, Default)]
pub struct MemoryInbox {
    clock: Clock,
    rows: Arc<Mutex<Rows>>,
}

impl MemoryInbox {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty one with a clock of its own.
    #[must_use]
    pub fn with_clock(clock: Clock) -> Self {
        Self { clock, rows: Arc::default() }
    }

    /// One transaction. It is over when this returns: the future has nothing to wait for.
    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Rows, SystemTime) -> T,
    ) -> StoreFuture<'static, T> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        // Only now: to an earlier time, a lease of another thread would end too far ahead.
        let done = work(&mut rows, self.clock.now());
        Box::pin(std::future::ready(Ok(done)))
    }
}

impl fmt::Debug for MemoryInbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryInbox").field("clock", &self.clock).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Rows {
    keys: HashMap<String, Key>,
    items: BTreeMap<ItemId, Row>,
    /// The number of the last item.
    last: i64,
    /// What is kept for those who ask the vendor.
    apps: HashMap<SdkAppId, records::App>,
}

/// What is known of a key, for longer than of its items.
struct Key {
    compared: ComparedBodies,
    items: Vec<ItemId>,
    last_at: SystemTime,
    /// The last one that was handled, of those that are pruned.
    pruned: Option<ItemId>,
}

struct Row {
    item: Item,
    /// How far it was put off when it last began to wait.
    delay: Duration,
    first_attempt_at: Option<SystemTime>,
    held: Option<Held>,
    has_record: bool,
    /// When the vendor first said that it knows no such call.
    missing_since: Option<SystemTime>,
    /// Tells the last one who asks about it from those before.
    asks: Option<i64>,
}

/// A lease as the store has it.
struct Held {
    owner: i64,
    token: i64,
    ends_at: SystemTime,
    term: Duration,
}

impl Held {
    fn new(owner: i64, token: i64, now: SystemTime, term: Duration) -> Self {
        Self { owner, token, ends_at: later(now, term), term }
    }

    /// Whether it has ended, or ends later than it can: a clock was set back.
    fn is_over(&self, now: SystemTime) -> bool {
        self.ends_at <= now || self.ends_at > later(later(now, self.term), CLOCK_TOLERANCE)
    }
}

impl Row {
    fn new(item: Item, has_record: bool) -> Self {
        let (first_attempt_at, held, missing_since, asks) = Default::default();
        let delay = Duration::ZERO;
        Self { item, delay, first_attempt_at, held, has_record, missing_since, asks }
    }

    /// Has it wait as if it were new.
    fn renew(&mut self, now: SystemTime) {
        self.item.attempts = 0;
        self.item.lost_leases = 0;
        self.item.last_error = None;
        self.item.confirmation = None;
        self.missing_since = None;
        self.wait(Duration::ZERO, now);
    }

    /// Counts no attempt for a lease.
    fn uncount(&mut self) {
        self.item.attempts = self.item.attempts.saturating_sub(1);
        if self.item.attempts == 0 {
            self.first_attempt_at = None;
        }
    }

    /// Has it wait for so long.
    fn wait(&mut self, delay: Duration, now: SystemTime) {
        self.end(State::Waiting);
        self.item.due_at = later(now, delay);
        self.delay = delay;
        if self.item.attempts == 0 {
            self.first_attempt_at = None;
        }
    }

    fn done(&mut self, how: DoneAs, now: SystemTime) {
        self.end(State::Done);
        self.item.done = Some((how, now));
    }

    /// Ends its lease, if it has one, and the right to say what the vendor knows of it.
    fn end(&mut self, state: State) {
        self.item.state = state;
        self.held = None;
        self.asks = None;
    }

    fn is_due(&self, now: SystemTime) -> bool {
        self.item.state == State::Waiting && self.item.due_at <= now
    }

    /// Whether it would wait for longer than it was put off: a clock was set back.
    fn is_held_up(&self, now: SystemTime) -> bool {
        self.item.state == State::Waiting && self.item.due_at > later(now, self.delay)
    }

    fn is_abandoned(&self, owner: i64, now: SystemTime) -> bool {
        self.held.as_ref().is_some_and(|held| held.owner != owner && held.is_over(now))
    }

    fn is_suspect(&self) -> bool {
        self.item.lost_leases > 0
    }

    /// The app and the call, while it holds up the later items of the call.
    fn held_up_call(&self) -> Option<(SdkAppId, String)> {
        let is_open = matches!(self.item.state, State::Waiting | State::Confirming | State::Leased);
        let call_id = self.item.call_id.clone().filter(|_| is_open)?;
        Some((self.item.sdk_app_id, call_id))
    }
}

fn later(time: SystemTime, by: Duration) -> SystemTime {
    time.checked_add(by.min(FOR_EVER)).unwrap_or(time)
}

fn is_older(time: SystemTime, age: Duration, now: SystemTime) -> bool {
    now.duration_since(time).is_ok_and(|is| is > age)
}

impl Rows {
    fn put(&mut self, new: NewItem, now: SystemTime) -> Put {
        let id = ItemId::new(self.last.saturating_add(1));
        let (key, compared) = (new.key.clone(), new.compared.clone());
        let Some(known) = self.keys.get_mut(&key) else {
            let compared = ComparedBodies::first(compared);
            self.keys.insert(key, Key { compared, items: vec![id], last_at: now, pruned: None });
            self.insert(new, now);
            return Put::Stored(id);
        };
        known.last_at = now;
        let mut rows = known.items.iter().filter_map(|id| self.items.get(id));
        if rows.any(|row| row.item.sha256 == new.sha256) || known.compared.have(&compared) {
            return Put::Duplicate;
        }
        known.compared.add(compared);
        let mut after_done = known.pruned.is_some();
        for rival in &known.items {
            if let Some(row) = self.items.get_mut(rival) {
                match row.item.state {
                    State::Done => after_done = true,
                    _ => row.end(State::Disputed),
                }
            }
        }
        known.items.push(id);
        let row = self.insert(new, now);
        row.item.state = State::Disputed;
        // That is when its record is asked for, by those who do.
        row.item.due_at = later(now, FIRST_ASKED);
        row.delay = FIRST_ASKED;
        Put::Disputed { item: id, after_done }
    }

    /// Stores an item under the next number.
    fn insert(&mut self, new: NewItem, now: SystemTime) -> &mut Row {
        self.last = self.last.saturating_add(1);
        let (id, has_record) = (ItemId::new(self.last), new.has_record);
        let row = Row::new(Item::new(id, new, now), has_record);
        self.items.entry(id).or_insert(row)
    }

    fn lease(&mut self, request: &LeaseRequest, now: SystemTime) -> Leased {
        let mut leased = Leased { died: self.rescue(request, now), ..Leased::default() };
        for row in self.items.values_mut().filter(|row| row.is_held_up(now)) {
            row.wait(Duration::ZERO, now);
        }
        let mut due: Vec<(SystemTime, ItemId)> = self
            .items
            .values()
            .filter(|row| row.is_due(now))
            .map(|row| (row.item.due_at, row.item.id))
            .collect();
        due.sort_unstable();
        let first_of_calls =
            if request.ordered_by_call { self.first_of_calls() } else { HashSet::new() };
        for (_, id) in due {
            let Some(row) = self.items.get_mut(&id) else { continue };
            let has_turn = !request.ordered_by_call
                || row.item.call_id.is_none()
                || first_of_calls.contains(&id);
            if !has_turn {
                continue;
            }
            leased.suspects_due |= row.is_suspect();
            if row.is_suspect() == request.suspects && leased.items.len() < request.limit {
                leased.items.push(hand_out(row, request, now));
            }
        }
        leased.next_due = self
            .items
            .values()
            .filter(|row| row.item.state == State::Waiting && !row.is_due(now))
            .filter_map(|row| row.item.due_at.duration_since(now).ok())
            .min();
        leased
    }

    /// Takes back what others have leased and will not settle any more.
    fn rescue(&mut self, request: &LeaseRequest, now: SystemTime) -> Vec<ItemId> {
        let mut died = Vec::new();
        for row in self.items.values_mut().filter(|row| row.is_abandoned(request.owner, now)) {
            row.item.lost_leases = row.item.lost_leases.saturating_add(1);
            let lost = row.item.lost_leases;
            if lost < request.max_lost_leases {
                row.wait(Duration::ZERO, now);
            } else {
                row.end(State::Dead);
                row.item.last_error = Some(format!("its lease ended {lost} times without a word"));
                died.push(row.item.id);
            }
        }
        died
    }

    /// Of each call the earliest item that is not yet out of the way.
    fn first_of_calls(&self) -> HashSet<ItemId> {
        let mut calls = HashSet::new();
        let is_first = |row: &&Row| row.held_up_call().is_some_and(|call| calls.insert(call));
        self.items.values().filter(is_first).map(|row| row.item.id).collect()
    }

    fn held(&mut self, lease: Lease) -> Option<&mut Row> {
        let row = self.items.get_mut(&lease.item)?;
        row.held.as_ref().is_some_and(|held| held.token == lease.token).then_some(row)
    }

    fn settle(&mut self, Settlement { lease, outcome }: Settlement, now: SystemTime) -> bool {
        let Some(row) = self.held(lease) else { return false };
        if !matches!(outcome, Outcome::GiveBack | Outcome::AskRecord) {
            row.item.lost_leases = 0;
        }
        match outcome {
            Outcome::Done(how) => row.done(how, now),
            Outcome::Retry { after, counted, error } => {
                let uncounted = u32::from(!counted);
                row.item.attempts = row.item.attempts.saturating_sub(uncounted);
                row.item.last_error = Some(error);
                row.wait(after, now);
            }
            Outcome::Dead { error } => {
                row.item.last_error = Some(error);
                row.end(State::Dead);
            }
            Outcome::GiveBack => {
                let due_at = row.item.due_at.min(now);
                row.uncount();
                row.wait(Duration::ZERO, now);
                // It keeps its place.
                row.item.due_at = due_at;
            }
            Outcome::AskRecord => {
                row.uncount();
                row.end(State::Confirming);
                row.item.due_at = later(row.item.received_at, FIRST_ASKED).max(now);
            }
            Outcome::Undecidable { error } => {
                row.uncount();
                row.item.last_error = Some(error);
                row.item.confirmation = Some(Confirmation::Undecidable);
                row.end(State::Dead);
            }
        }
        true
    }

    /// Does something to items in certain states, and says of each whether it was in one.
    fn each(
        &mut self,
        items: Vec<ItemId>,
        states: &[State],
        mut change: impl FnMut(&mut Row),
    ) -> Vec<bool> {
        let mut change = |item: ItemId| {
            let row = self.items.get_mut(&item).filter(|row| states.contains(&row.item.state));
            row.map(&mut change).is_some()
        };
        items.into_iter().map(&mut change).collect()
    }

    fn resolve(&mut self, chosen: ItemId, now: SystemTime) -> Resolved {
        let Some(row) = self.items.get(&chosen) else { return Resolved::NotDisputed };
        let Some(key) = self.keys.get(&row.item.key) else { return Resolved::NotDisputed };
        let rivals = key.items.clone();
        let rows = || rivals.iter().filter_map(|id| self.items.get(id));
        let stands = rows()
            .filter_map(|row| match row.item.done {
                Some((DoneAs::Handled, at)) => Some((at, row.item.id)),
                _ => None,
            })
            .max()
            .map(|(_, id)| id)
            .or(key.pruned);
        let is_disputed = rows().any(|row| row.item.state == State::Disputed);
        let can_be_worked = row.item.body.is_some() && row.item.state != State::Leased;
        let stays = stands == Some(chosen);
        // What a person decided before may be decided again.
        let was_decided = row.item.state == State::Done && rivals.len() > 1;
        let is_unconfirmed = row.item.state == State::Confirming
            || (row.item.state == State::Dead && row.item.confirmation.is_some());
        if !(is_disputed || was_decided || is_unconfirmed) || !(can_be_worked || stays) {
            return Resolved::NotDisputed;
        }
        for rival in rivals.iter().filter(|rival| **rival != chosen) {
            if let Some(row) = self.items.get_mut(rival).filter(|row| row.item.state != State::Done)
            {
                row.done(DoneAs::Rejected, now);
            }
        }
        let Some(row) = self.items.get_mut(&chosen).filter(|_| !stays) else {
            return Resolved::Stays;
        };
        row.renew(now);
        row.item.confirmation = Some(Confirmation::Resolved);
        row.item.done = None;
        row.item.replaces = stands;
        stands.map_or(Resolved::Waits, Resolved::Corrects)
    }

    fn prune(&mut self, retention: Retention, limit: usize, now: SystemTime) -> Pruned {
        let is_old =
            |row: &&Row| row.item.done.is_some_and(|(_, at)| is_older(at, retention.done, now));
        let old: Vec<ItemId> =
            self.items.values().filter(is_old).map(|row| row.item.id).take(limit).collect();
        for item in &old {
            if let Some(row) = self.items.remove(item)
                && let Some(key) = self.keys.get_mut(&row.item.key)
            {
                key.items.retain(|kept| kept != item);
                if matches!(row.item.done, Some((DoneAs::Handled, _))) {
                    key.pruned = Some(*item);
                }
            }
        }
        let is_forgotten =
            |key: &Key| key.items.is_empty() && is_older(key.last_at, retention.keys, now);
        let forgotten: Vec<String> = self
            .keys
            .iter()
            .filter(|(_, key)| is_forgotten(key))
            .map(|(key, _)| key.clone())
            .take(limit)
            .collect();
        for key in &forgotten {
            self.keys.remove(key);
        }
        let count = |removed: usize| u64::try_from(removed).unwrap_or(u64::MAX);
        Pruned::new(count(old.len()), count(forgotten.len()))
    }

    fn stats(&self, app: Option<SdkAppId>, now: SystemTime) -> Stats {
        let mut apps: BTreeMap<u64, AppStats> = BTreeMap::new();
        for row in
            self.items.values().filter(|row| app.is_none_or(|app| app == row.item.sdk_app_id))
        {
            let app = row.item.sdk_app_id;
            let stats = apps.entry(app.get()).or_insert_with(|| AppStats::new(app));
            stats.add(row.item.state, 1);
            if row.item.state == State::Waiting {
                let lag = now.duration_since(row.item.due_at).unwrap_or_default();
                stats.lag = stats.lag.max(lag);
            }
        }
        Stats::new(apps.into_values().collect())
    }
}

fn hand_out(row: &mut Row, request: &LeaseRequest, now: SystemTime) -> LeasedItem {
    row.item.state = State::Leased;
    row.item.attempts = row.item.attempts.saturating_add(1);
    let token = fastrand::i64(1..);
    let (owner, term) = (request.owner, request.term);
    row.held = Some(Held::new(owner, token, now, term));
    let first = *row.first_attempt_at.get_or_insert(now);
    let since_first = now.duration_since(first).unwrap_or_default();
    LeasedItem::new(Lease { item: row.item.id, token }, row.item.clone(), since_first)
}

impl Store for MemoryInbox {
    fn put(&self, items: Vec<NewItem>) -> StoreFuture<'_, Vec<Put>> {
        self.run(|rows, now| items.into_iter().map(|new| rows.put(new, now)).collect())
    }

    fn lease(&self, request: LeaseRequest) -> StoreFuture<'_, Leased> {
        self.run(move |rows, now| rows.lease(&request, now))
    }

    fn renew(&self, leases: Vec<Lease>, term: Duration) -> StoreFuture<'_, Vec<bool>> {
        self.run(move |rows, now| {
            let mut renew = |lease| {
                let held = rows.held(lease).and_then(|row| row.held.as_mut());
                held.map(|held| (held.ends_at, held.term) = (later(now, term), term)).is_some()
            };
            leases.into_iter().map(&mut renew).collect()
        })
    }

    fn settle(&self, settlements: Vec<Settlement>) -> StoreFuture<'_, Vec<bool>> {
        self.run(|rows, now| settlements.into_iter().map(|one| rows.settle(one, now)).collect())
    }

    fn replay(&self, items: Vec<ItemId>) -> StoreFuture<'_, Vec<bool>> {
        let states = [State::Dead, State::Waiting, State::Confirming];
        self.run(move |rows, now| rows.each(items, &states, |row| row.renew(now)))
    }

    fn discard(&self, items: Vec<ItemId>) -> StoreFuture<'_, Vec<bool>> {
        let states = [State::Waiting, State::Confirming, State::Dead, State::Disputed];
        self.run(move |rows, now| rows.each(items, &states, |row| row.done(DoneAs::Discarded, now)))
    }

    fn resolve(&self, item: ItemId) -> StoreFuture<'_, Resolved> {
        self.run(move |rows, now| rows.resolve(item, now))
    }

    fn put_records(&self, records: Vec<NewItem>, scope: Scope) -> StoreFuture<'_, Vec<PutRecord>> {
        self.run(move |rows, now| {
            records.into_iter().map(|record| rows.put_record(record, scope, now)).collect()
        })
    }

    fn ask(&self, request: AskRequest) -> StoreFuture<'_, Asked> {
        self.run(move |rows, now| rows.ask(&request, now))
    }

    fn answer(&self, answers: Vec<(Lease, Answer)>) -> StoreFuture<'_, Vec<bool>> {
        self.run(|rows, now| {
            answers.into_iter().map(|(lease, answer)| rows.answer(lease, answer, now)).collect()
        })
    }

    fn lead(&self, app: SdkAppId, owner: i64, term: Duration) -> StoreFuture<'_, Option<Lead>> {
        self.run(move |rows, now| rows.lead(app, owner, term, now))
    }

    fn keep_progress(&self, app: SdkAppId, owner: i64, progress: String) -> StoreFuture<'_, bool> {
        self.run(move |rows, now| rows.keep_progress(app, owner, progress, now))
    }

    fn erase(&self, items: Vec<ItemId>) -> StoreFuture<'_, Vec<bool>> {
        self.run(|rows, _| {
            rows.each(items, &[State::Done], |row| {
                row.item.body = None;
                row.item.record = None;
                row.item.last_error = None;
            })
        })
    }

    fn prune(&self, retention: Retention, limit: usize) -> StoreFuture<'_, Pruned> {
        self.run(move |rows, now| rows.prune(retention, limit, now))
    }

    fn list(&self, filter: Filter, limit: usize, with_bodies: bool) -> StoreFuture<'_, Vec<Item>> {
        self.run(move |rows, _| {
            let items = rows.items.values().map(|row| &row.item).filter(|item| filter.takes(item));
            let listed = |item: &Item| {
                let body = item.body.clone().filter(|_| with_bodies);
                let record = item.record.clone().filter(|_| with_bodies);
                Item { body, record, ..item.clone() }
            };
            items.take(limit).map(listed).collect()
        })
    }

    fn get(&self, item: ItemId) -> StoreFuture<'_, Option<Item>> {
        self.run(move |rows, _| rows.items.get(&item).map(|row| row.item.clone()))
    }

    fn stats(&self, sdk_app_id: Option<SdkAppId>) -> StoreFuture<'_, Stats> {
        self.run(move |rows, now| rows.stats(sdk_app_id, now))
    }

    fn health(&self) -> StoreFuture<'_, ()> {
        self.run(|_, _| ())
    }
}
