//! What those do who ask the vendor.

use std::time::{Duration, SystemTime};

use trtc_call_webhook::SdkAppId;

use super::{Held, Key, Row, Rows, later};
use crate::item::{DoneAs, ItemId, NewItem, State};
use crate::store::{
    Answer, AskRequest, Asked, AskedItem, Budget, ComparedBodies, KnownItem, KnownKey,
    LONGEST_DELAY, Lead, Lease, PutRecord, Ruling, Scope,
};

/// What is kept of an app.
#[derive(Default)]
pub(super) struct App {
    leader: Option<Held>,
    progress: Option<String>,
    /// Until when the budget of questions is spent.
    spent_until: Option<SystemTime>,
}

impl Row {
    /// Whether somebody may ask the vendor about it.
    fn is_to_be_asked(&self, app: SdkAppId) -> bool {
        self.item.sdk_app_id == app
            && self.has_record
            && self.item.confirmation.is_none()
            && matches!(self.item.state, State::Confirming | State::Disputed)
    }
}

impl Rows {
    pub(super) fn put_record(
        &mut self,
        record: NewItem,
        scope: Scope,
        now: SystemTime,
    ) -> PutRecord {
        let Some(key) = self.keys.get(&record.key) else {
            let (name, compared) = (record.key.clone(), record.compared.clone());
            let id = self.insert(record, now).item.id;
            let compared = ComparedBodies::first(compared);
            let key = Key { compared, items: vec![id], last_at: now, pruned: None };
            self.keys.insert(name, key);
            return PutRecord::Stored(id);
        };
        let items = key.items.iter().filter_map(|id| self.items.get(id));
        let items = items.map(|row| KnownItem::of(&row.item)).collect();
        let (bodies, pruned_handled) = (key.compared.clone(), key.pruned);
        let known = KnownKey { bodies, items, pruned_handled };
        let (work, reject) = match known.rule(&record.compared, scope) {
            Ruling::Leave(put) => return put,
            Ruling::Stands { reject } => (None, reject),
            Ruling::Work { item, replaces, reject } => (Some((item, replaces)), reject),
        };
        if let Some(key) = self.keys.get_mut(&record.key) {
            key.compared.decide(record.compared.clone());
        }
        for rival in reject {
            if let Some(row) = self.items.get_mut(&rival) {
                row.done(DoneAs::Rejected, now);
            }
        }
        let Some((chosen, replaces)) = work else { return PutRecord::Known };
        let item = self.let_work(record, chosen, replaces, now);
        match replaces {
            Some(replaced) => PutRecord::Corrects { item, replaced },
            None => PutRecord::Confirmed(item),
        }
    }

    /// Has an item of the record's key wait with the record, or the record itself.
    fn let_work(
        &mut self,
        record: NewItem,
        chosen: Option<ItemId>,
        replaces: Option<ItemId>,
        now: SystemTime,
    ) -> ItemId {
        if let Some(row) = chosen.and_then(|item| self.items.get_mut(&item)) {
            row.renew(now);
            row.item.record = Some(record.body);
            row.item.replaces = replaces;
            return row.item.id;
        }
        let name = record.key.clone();
        let row = self.insert(record, now);
        row.item.replaces = replaces;
        let item = row.item.id;
        if let Some(key) = self.keys.get_mut(&name) {
            key.items.push(item);
        }
        item
    }

    pub(super) fn ask(&mut self, request: &AskRequest, now: SystemTime) -> Asked {
        let AskRequest { sdk_app_id: app, limit, per_second, term } = *request;
        let latest = later(now, LONGEST_DELAY);
        let is_due = |row: &&Row| row.item.due_at <= now || row.item.due_at > latest;
        let waiting = || self.items.values().filter(|row| row.is_to_be_asked(app));
        let mut due: Vec<(SystemTime, ItemId)> =
            waiting().filter(is_due).map(|row| (row.item.due_at, row.item.id)).collect();
        due.sort_unstable();
        let next_due = waiting()
            .filter(|row| !is_due(row))
            .filter_map(|row| row.item.due_at.duration_since(now).ok())
            .min();
        let spent_until = self.apps.get(&app).and_then(|app| app.spent_until);
        let budget = Budget::new(per_second, spent_until, now);
        let granted = due.len().min(limit).min(budget.available());
        let is_all = granted == due.len();
        let asked = due
            .into_iter()
            .take(granted)
            .filter_map(|(_, item)| self.items.get_mut(&item).map(|row| hand_out(row, term, now)));
        let asked: Vec<AskedItem> = asked.collect();
        if granted > 0 {
            self.apps.entry(app).or_default().spent_until = Some(budget.spend(granted));
        }
        Asked::new(asked, if is_all { next_due } else { Some(budget.next_after(granted)) })
    }

    pub(super) fn answer(&mut self, lease: Lease, answer: Answer, now: SystemTime) -> bool {
        let row = self.items.get_mut(&lease.item).filter(|row| row.asks == Some(lease.token));
        let Some(row) = row else { return false };
        row.asks = None;
        if matches!(answer, Answer::Missing { .. }) {
            // Not later than now: a clock may have been set back.
            row.missing_since = Some(row.missing_since.map_or(now, |since| since.min(now)));
        }
        let error = match answer {
            Answer::Missing { after, error } | Answer::Later { after, error } => {
                row.item.due_at = later(now, after.min(LONGEST_DELAY));
                error
            }
            Answer::GiveUp { why, error } => {
                row.item.confirmation = Some(why);
                if row.item.state == State::Confirming {
                    row.end(State::Dead);
                }
                error
            }
        };
        row.item.last_error = Some(error);
        true
    }

    pub(super) fn lead(
        &mut self,
        app: SdkAppId,
        owner: i64,
        term: Duration,
        now: SystemTime,
    ) -> Option<Lead> {
        let app = self.apps.entry(app).or_default();
        let is_another = |held: &Held| held.owner != owner && !held.is_over(now);
        if app.leader.as_ref().is_some_and(is_another) {
            return None;
        }
        app.leader = Some(Held::new(owner, 0, now, term));
        Some(Lead { progress: app.progress.clone() })
    }

    pub(super) fn keep_progress(
        &mut self,
        app: SdkAppId,
        owner: i64,
        progress: String,
        now: SystemTime,
    ) -> bool {
        let app = self.apps.entry(app).or_default();
        let leader = app.leader.as_ref();
        let leads = leader.is_some_and(|held| held.owner == owner && !held.is_over(now));
        if leads {
            app.progress = Some(progress);
        }
        leads
    }
}

/// Gives somebody the right to say what the vendor knows of an item.
fn hand_out(row: &mut Row, term: Duration, now: SystemTime) -> AskedItem {
    let token = fastrand::i64(1..);
    row.asks = Some(token);
    row.item.due_at = later(now, term.min(LONGEST_DELAY));
    let since = |time: SystemTime| now.duration_since(time).unwrap_or_default();
    AskedItem::new(
        Lease { item: row.item.id, token },
        row.item.call_id.clone().unwrap_or_default(),
        row.item.received_at,
        since(row.item.received_at),
        row.missing_since.map(since),
    )
}
