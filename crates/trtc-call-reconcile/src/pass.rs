//! One reading of records.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use trtc_call_api::{Client, Record};
use trtc_call_inbox::NewItem;
use trtc_call_webhook::Billing;

use crate::error::Error;
use crate::log;
use crate::progress::{MARGIN, Progress, before};
use crate::reconcile::Shared;
use crate::report::Report;

/// How long a leader that ends without a word keeps the others from it.
pub(crate) const TERM: Duration = Duration::from_secs(60);

/// How often the leader says that it still is.
const RENEWED_EACH: Duration = Duration::from_secs(20);

/// How long ago a call has to have ended: its callback may be on its way until then.
const SETTLED: Duration = Duration::from_secs(10 * 60);

/// How many records are put in one go.
const BATCH: usize = 50;

/// How long ago it has to have ended if its record does not tell what to bill: a callback that does is believed
/// more.
const UNCLEAR: Duration = Duration::from_secs(24 * 60 * 60);

/// The right to read the records of an app, and what is known of how far that got.
pub(crate) struct Pass<'a> {
    shared: &'a Shared,
    client: &'a Client,
    renewed: Instant,
    /// Who leads: each task has another one.
    owner: i64,
    pub(crate) progress: Progress,
}

impl<'a> Pass<'a> {
    /// Begins, unless somebody else is at it.
    pub(crate) async fn begin(
        shared: &'a Shared,
        client: &'a Client,
        owner: i64,
    ) -> Result<Option<Self>, Error> {
        let renewed = Instant::now();
        let store = shared.inbox.store();
        let lead = store.lead(client.sdk_app_id(), owner, TERM).await?;
        Ok(lead.map(|lead| {
            let progress = Progress::read(lead.progress.as_deref());
            Self { shared, client, renewed, owner, progress }
        }))
    }

    /// Reads the records of a span, and puts those of calls that ended in a time.
    pub(crate) async fn read(
        &mut self,
        span: Range<SystemTime>,
        ended_in: Range<SystemTime>,
    ) -> Result<Report, Error> {
        let now = self.client.now();
        let oldest = before(now, Record::KEPT_FOR.saturating_sub(MARGIN));
        let ended_in = ended_in.start.max(oldest)..ended_in.end;
        let mut report = Report::default();
        let mut records = self.client.records(span);
        let mut batch = Vec::with_capacity(BATCH);
        while let Some(record) = records.next().await {
            let record = record?;
            self.renew().await?;
            let ended = ended(&record);
            if ended.is_some_and(|ended| !ended_in.contains(&ended)) {
                continue;
            }
            report.records = report.records.saturating_add(1);
            let age = ended.and_then(|ended| now.duration_since(ended).ok());
            if age.is_none_or(|age| age < SETTLED) {
                report.too_fresh = report.too_fresh.saturating_add(1);
                continue;
            }
            let is_unclear = matches!(record.call().billing(), Billing::AskRecord(_));
            if is_unclear && age.is_none_or(|age| age < UNCLEAR) {
                report.unclear = report.unclear.saturating_add(1);
                continue;
            }
            match NewItem::of_record(self.client.sdk_app_id(), record.body().clone()) {
                Ok(item) => batch.push(item),
                Err(_) => report.unreadable = report.unreadable.saturating_add(1),
            }
            if batch.len() == BATCH {
                self.put(&mut batch, &mut report).await?;
            }
        }
        self.put(&mut batch, &mut report).await?;
        report.unreadable = report.unreadable.saturating_add(records.unreadable());
        report.missing = records.missing();
        log::read(self.client.sdk_app_id(), &report);
        Ok(report)
    }

    /// Reads all that the vendor keeps, of calls that ended since it was begun, or else since `first`.
    pub(crate) async fn catch_up(&mut self, first: SystemTime) -> Result<Report, Error> {
        let now = self.client.now();
        let set = self.shared.since.or_else(|| self.progress.is_new().then_some(first));
        let since = self.progress.since(set, now);
        // That is not to move if this reading fails.
        self.keep().await?;
        let report = self.read(before(now, Record::KEPT_FOR)..now, since..now).await?;
        self.progress.has_read(now, true);
        self.keep().await?;
        Ok(report)
    }

    async fn put(&mut self, batch: &mut Vec<NewItem>, report: &mut Report) -> Result<(), Error> {
        let records = std::mem::take(batch);
        for put in self.shared.inbox.put_records(records, self.shared.scope()).await? {
            report.count(put);
        }
        Ok(())
    }

    /// Stays the one who reads.
    async fn renew(&mut self) -> Result<(), Error> {
        if self.renewed.elapsed() < RENEWED_EACH {
            return Ok(());
        }
        let renewed = Instant::now();
        let store = self.shared.inbox.store();
        let lead = store.lead(self.client.sdk_app_id(), self.owner, TERM).await?;
        self.renewed = renewed;
        lead.map(|_| ()).ok_or(Error::Busy)
    }

    /// Keeps how far it got.
    pub(crate) async fn keep(&self) -> Result<(), Error> {
        let (app, progress) = (self.client.sdk_app_id(), self.progress.to_json());
        let store = self.shared.inbox.store();
        let is_kept = store.keep_progress(app, self.owner, progress).await?;
        if is_kept { Ok(()) } else { Err(Error::Busy) }
    }

    /// Lets somebody else begin. If that fails they wait for the term.
    pub(crate) async fn end(self) {
        let store = self.shared.inbox.store();
        let _ = store.lead(self.client.sdk_app_id(), self.owner, Duration::ZERO).await;
    }
}

/// One who leads: random for each task.
pub(crate) fn new_owner() -> i64 {
    fastrand::i64(1..)
}

/// When its call ended, if it has.
pub(crate) fn ended(record: &Record) -> Option<SystemTime> {
    record.call().end_time.filter(|end| end.get() > 0)?.to_system_time()
}
