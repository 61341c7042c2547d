//! Asking for the records of what waits for one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use trtc_call_api::{Client, Error as VendorError, ErrorKind, Record};
use trtc_call_inbox::store::{Answer, AskRequest, AskedItem, FIRST_ASKED, Lease, Scope};
use trtc_call_inbox::{Confirmation, ItemId, NewItem};
use trtc_call_webhook::{Billing, SdkAppId};

use crate::error::Error;
use crate::log;
use crate::pass::{Pass, ended, new_owner};
use crate::progress::{OVERLAP, before};
use crate::reconcile::Shared;

/// For how long the vendor has to say that it knows no such call before that is believed.
const MISSING: Duration = Duration::from_secs(60 * 60);

/// The longest pause between two questions about a call that the vendor does not know.
const MISSING_PAUSE: Duration = Duration::from_secs(5 * 60);

/// The longest pause after a question that was not answered.
const LATER_PAUSE: Duration = Duration::from_secs(60 * 60);

/// How many are taken at a time.
const BATCH: usize = 100;

/// An item that was not asked about for so long is one of a backlog, and after so many of them the records of
/// their time are read.
const BEHIND: Duration = Duration::from_secs(30);
const BACKLOG: usize = 100;

/// How many questions are on their way at a time.
const AT_ONCE: usize = 16;

/// How long those who take items keep them from others: longer than all their questions take.
const TERM: Duration = Duration::from_secs(5 * 60);

/// How often the records of the time of a backlog are read.
const BACKLOG_EACH: Duration = Duration::from_secs(5 * 60);

/// How often to look for what another process has let wait for its record.
const POLL: Duration = Duration::from_secs(1);

/// The pauses while the vendor cannot be asked at all.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Asks for the records of one app.
pub(crate) struct Asker {
    shared: Arc<Shared>,
    client: Client,
    /// How long to leave the vendor alone: none while it answers.
    pause: Option<Duration>,
    /// How many items of a backlog came one after the other.
    behind: usize,
    /// When the records of a backlog were read last.
    read_backlog: Option<Instant>,
}

/// What the vendor said about a call.
struct Told {
    /// All of one call: it is asked about once.
    items: Vec<AskedItem>,
    said: Result<Option<Record>, VendorError>,
}

impl Asker {
    pub(crate) fn app(&self) -> SdkAppId {
        self.client.sdk_app_id()
    }

    pub(crate) fn new(shared: Arc<Shared>, client: Client) -> Self {
        Self { shared, client, pause: None, behind: 0, read_backlog: None }
    }

    /// Asks about what is due, and says when to come again.
    pub(crate) async fn turn(&mut self) -> Result<Duration, Error> {
        // One is enough to see whether the vendor answers again.
        let limit = if self.pause.is_some() { 1 } else { BATCH };
        let asked = self.ask(limit).await?;
        if let Some(pause) = self.pause {
            return Ok(pause);
        }
        Ok(if asked.items == 0 { asked.next } else { Duration::ZERO })
    }

    /// Asks about all that is due, as far as the budget goes and the vendor answers.
    pub(crate) async fn ask_due(&mut self) -> Result<usize, Error> {
        let mut all = 0_usize;
        loop {
            let asked = self.ask(BATCH).await?;
            all = all.saturating_add(asked.items);
            if asked.items == 0 || self.pause.is_some() {
                return Ok(all);
            }
        }
    }

    async fn ask(&mut self, limit: usize) -> Result<AskedFor, Error> {
        let app = self.client.sdk_app_id();
        let request = AskRequest::new(app, limit, self.shared.look_ups_per_second, TERM);
        let asked = self.shared.inbox.store().ask(request).await?;
        let (count, next) = (asked.items.len(), asked.next.unwrap_or(POLL).min(POLL));
        let mut items = asked.items;
        if items.is_empty() {
            return Ok(AskedFor { items: 0, next });
        }
        if self.has_backlog(&items) {
            let confirmed = self.read_backlog(&items).await?;
            items.retain(|item| !confirmed.contains(&item.lease.item));
        }
        let (old, items): (Vec<_>, Vec<_>) =
            items.into_iter().partition(|item| item.waiting_for > Record::KEPT_FOR);
        let mut answers: Vec<(Lease, Answer)> = old.iter().map(too_old).collect();
        let told = self.look_up(items).await;
        self.mind(&told);
        let (mut records, mut asked_for) = (Vec::new(), Vec::new());
        for Told { items, said } in told {
            let mut answer = |answer: &dyn Fn(&AskedItem) -> Answer| {
                answers.extend(items.iter().map(|item| (item.lease, answer(item))));
            };
            match said {
                // It is not finished yet, though its callback came.
                Ok(Some(record)) if ended(&record).is_none() => answer(&unfinished),
                Ok(Some(record)) => match self.decide(&record) {
                    Ok(record) => {
                        records.push(record);
                        asked_for.extend(items.iter().map(|item| item.lease));
                    }
                    Err(given) => answer(&|_| given.clone()),
                },
                Ok(None) => answer(&missing),
                Err(error) => answer(&|item| later(item, &error)),
            }
        }
        let confirmed = self.shared.inbox.put_records(records, Scope::All).await;
        if confirmed.is_ok() {
            // Those that are decided by it are not asked about any more. Should one be left all the same, it
            // is not asked about at every turn.
            let error = "its record changes nothing".to_owned();
            let left = Answer::Later { after: LATER_PAUSE, error };
            answers.extend(asked_for.into_iter().map(|lease| (lease, left.clone())));
        }
        for (lease, answer) in &answers {
            if let Answer::GiveUp { error, .. } = answer {
                log::given_up(app, lease.item.get(), error);
            }
        }
        self.shared.inbox.store().answer(answers).await?;
        log::confirmed(app, &confirmed?);
        Ok(AskedFor { items: count, next })
    }

    /// Whether so many wait that it is better to read all records of their time, now and then.
    fn has_backlog(&mut self, items: &[AskedItem]) -> bool {
        let is_behind = |item: &AskedItem| item.missing_for.is_none() && item.waiting_for > BEHIND;
        let behind = items.iter().filter(|item| is_behind(item)).count();
        self.behind = if behind == items.len() { self.behind.saturating_add(behind) } else { 0 };
        if self.behind < BACKLOG || self.read_backlog.is_some_and(|at| at.elapsed() < BACKLOG_EACH)
        {
            return false;
        }
        (self.behind, self.read_backlog) = (0, Some(Instant::now()));
        true
    }

    /// Reads the records of the time from which these items are: one request has a hundred of them. Says
    /// which items have theirs by that.
    async fn read_backlog(&self, items: &[AskedItem]) -> Result<Vec<ItemId>, Error> {
        let Some(first) = items.iter().map(|item| item.received_at).min() else {
            return Ok(Vec::new());
        };
        let Some(mut pass) = Pass::begin(&self.shared, &self.client, new_owner()).await? else {
            return Ok(Vec::new());
        };
        let from = before(first, OVERLAP);
        let now = self.client.now();
        let since = pass.progress.since(self.shared.since, now);
        let report = pass.read(from..now, since..now).await;
        pass.end().await;
        match report {
            Ok(report) => Ok(report.confirmed),
            Err(Error::Store(error)) => Err(error.into()),
            // Then they are asked for one by one.
            Err(_) => Ok(Vec::new()),
        }
    }

    async fn look_up(&self, items: Vec<AskedItem>) -> Vec<Told> {
        let mut calls: HashMap<String, Vec<AskedItem>> = HashMap::new();
        for item in items {
            calls.entry(item.call_id.clone()).or_default().push(item);
        }
        let mut told = Vec::with_capacity(calls.len());
        let mut waiting = calls.into_iter();
        let mut running = JoinSet::new();
        loop {
            while running.len() < AT_ONCE
                && let Some((call_id, items)) = waiting.next()
            {
                let client = self.client.clone();
                running.spawn(async move {
                    let said = client.record(&call_id).await;
                    Told { items, said }
                });
            }
            match running.join_next().await {
                Some(Ok(one)) => told.push(one),
                // One that panicked is asked about again after the term.
                Some(Err(_)) => {}
                None => return told,
            }
        }
    }

    /// Leaves the vendor alone for a while if it answers nothing, and not for what it does not know.
    fn mind(&mut self, told: &[Told]) {
        let error = told.iter().find_map(|told| told.said.as_ref().err());
        if let Some(error) = error {
            log::cannot_ask(self.client.sdk_app_id(), error);
        }
        // A question that is itself at fault is put off alone: nobody can stop the others by it.
        let is_away = |told: &Told| told.said.as_ref().is_err_and(VendorError::concerns_all);
        if error.is_some() && told.iter().all(is_away) {
            let pause = self.pause.map_or(FIRST_PAUSE, |pause| pause.saturating_mul(2));
            self.pause = Some(pause.min(LONGEST_PAUSE));
        } else if !told.is_empty() {
            self.pause = None;
        }
    }

    /// The record as the store takes it, or what becomes of the item if the record does not tell either.
    fn decide(&self, record: &Record) -> Result<NewItem, Answer> {
        if let Billing::AskRecord(reason) = record.call().billing() {
            let why = Confirmation::Undecidable;
            return Err(Answer::GiveUp { why, error: format!("{why}: {reason}") });
        }
        let item = NewItem::of_record(self.client.sdk_app_id(), record.body().clone());
        item.map_err(|error| Answer::Later {
            after: LATER_PAUSE,
            error: format!("its record cannot be read: {error}"),
        })
    }
}

struct AskedFor {
    items: usize,
    next: Duration,
}

fn too_old(item: &AskedItem) -> (Lease, Answer) {
    let why = Confirmation::TooOld;
    let error = format!("{why}: the vendor keeps records for 7 days");
    (item.lease, Answer::GiveUp { why, error })
}

/// The vendor knows no such call: for a while that says nothing.
fn missing(item: &AskedItem) -> Answer {
    let for_long = item.missing_for.unwrap_or_default();
    if for_long >= MISSING {
        let why = Confirmation::Missing;
        return Answer::GiveUp { why, error: format!("{why}: the vendor knows no such call") };
    }
    let left = MISSING.saturating_sub(for_long);
    let after = for_long.clamp(FIRST_ASKED, MISSING_PAUSE).min(left);
    Answer::Missing { after, error: "the vendor knows no such call yet".to_owned() }
}

/// Its record has no end yet.
fn unfinished(item: &AskedItem) -> Answer {
    match missing(item) {
        Answer::Missing { after, .. } => {
            Answer::Missing { after, error: "its record has no end yet".to_owned() }
        }
        _ => {
            let why = Confirmation::Undecidable;
            Answer::GiveUp { why, error: format!("{why}: its record has no end") }
        }
    }
}

/// It could not be asked about: that says nothing about the call.
fn later(item: &AskedItem, error: &VendorError) -> Answer {
    let longest = match error.kind() {
        // The question itself may be at fault.
        ErrorKind::Refused | ErrorKind::Answer if !error.is_transient() => LATER_PAUSE,
        _ => MISSING_PAUSE,
    };
    let after = item.waiting_for.clamp(FIRST_ASKED, longest);
    Answer::Later { after, error: format!("the vendor could not be asked: {error}") }
}
