//! How reconciling is set up.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use trtc_call_api::{Client, Record};
use trtc_call_inbox::store::Scope;
use trtc_call_inbox::{Confirm, Inbox, WorkerBuilder};

use crate::confirm::Asker;
use crate::error::Error;
use crate::pass::{Pass, new_owner};
use crate::progress::before;
use crate::report::Report;
use crate::start::Reconciler;

/// How often the records of the last hours are read.
const EVERY: Duration = Duration::from_secs(3 * 60);

/// How often those of all seven days are, for calls that last long.
const WIDE_EVERY: Duration = Duration::from_secs(6 * 60 * 60);

/// How many records are asked for one by one, in a second: half of what the vendor allows (647/68930), so
/// that a person can still ask.
const LOOK_UPS_PER_SECOND: u32 = 100;

/// An inbox, and the clients that ask the vendor about its apps.
#[derive(Clone, Debug)]
#[must_use = "it works once it is started"]
pub struct Reconcile {
    pub(crate) shared: Arc<Shared>,
}

/// What all tasks share.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) inbox: Inbox,
    pub(crate) clients: Vec<Client>,
    pub(crate) confirm: Confirm,
    pub(crate) since: Option<SystemTime>,
    pub(crate) every: Duration,
    pub(crate) wide_every: Duration,
    pub(crate) look_ups_per_second: u32,
}

impl Shared {
    /// Which keys a record may decide.
    pub(crate) fn scope(&self) -> Scope {
        if self.confirm == Confirm::Never { Scope::Unknown } else { Scope::All }
    }
}

impl Reconcile {
    /// Of an inbox, and of no app yet.
    pub fn new(inbox: Inbox) -> Self {
        let shared = Shared {
            inbox,
            clients: Vec::new(),
            confirm: Confirm::Never,
            since: None,
            every: EVERY,
            wide_every: WIDE_EVERY,
            look_ups_per_second: LOOK_UPS_PER_SECOND,
        };
        Self { shared: Arc::new(shared) }
    }

    fn set(mut self, set: impl FnOnce(&mut Shared)) -> Self {
        set(Arc::make_mut(&mut self.shared));
        self
    }

    /// Asks the vendor about an app, with its client; once for each app.
    pub fn app(self, client: Client) -> Self {
        self.set(|shared| {
            shared.clients.retain(|known| known.sdk_app_id() != client.sdk_app_id());
            shared.clients.push(client);
        })
    }

    /// Which callbacks wait for the vendor's record. The default is none.
    ///
    /// The workers have to know as well: [`worker`](Self::worker) makes one that does.
    pub fn confirm(self, confirm: Confirm) -> Self {
        self.set(|shared| shared.confirm = confirm)
    }

    /// From when on calls are to be in this inbox: those that ended earlier are left alone, since somebody
    /// else may have billed them. The default is two hours before it first ran with this store. The vendor
    /// keeps records for 7 days.
    pub fn since(self, since: SystemTime) -> Self {
        self.set(|shared| shared.since = Some(since))
    }

    /// How often the records of the last hours are read, at least a second. The default is 3 minutes.
    pub fn every(self, time: Duration) -> Self {
        self.set(|shared| shared.every = time.max(Duration::from_secs(1)))
    }

    /// How often the records of all 7 days are read: whether the vendor looks for calls by their start or by
    /// their end is not documented, so that one that lasted for longer than two hours may be found by this
    /// alone. The default is 6 hours.
    pub fn wide_every(self, time: Duration) -> Self {
        self.set(|shared| shared.wide_every = time.max(Duration::from_secs(1)))
    }

    /// How many records are asked for one by one in a second, by all that share the store. The default is
    /// 100; the vendor allows 200 for each app (647/68930).
    pub fn look_ups_per_second(self, look_ups: u32) -> Self {
        self.set(|shared| shared.look_ups_per_second = look_ups.clamp(1, 200))
    }

    /// A worker for the inbox, which hands nothing over before it is confirmed.
    pub fn worker(&self) -> WorkerBuilder {
        self.shared.inbox.worker().confirm(self.shared.confirm)
    }

    /// Starts it, on the tokio runtime that runs. Any number of processes may.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn start(self) -> Reconciler {
        Reconciler::start(&self.shared)
    }

    /// Looks once at all apps for calls that ended in a span of time, and puts what is not known; for a command
    /// or a timer of one's own. It keeps nothing about how far it got.
    ///
    /// It reads the records of up to seven days before: whether the vendor looks for calls by their start or by
    /// their end is not documented, and a call may last for days.
    ///
    /// # Errors
    ///
    /// If the vendor cannot be asked, the store fails, or another process is at it.
    pub async fn run(&self, span: Range<SystemTime>) -> Result<Report, Error> {
        let mut report = Report::default();
        for client in &self.shared.clients {
            let pass = Pass::begin(&self.shared, client, new_owner()).await?;
            let mut pass = pass.ok_or(Error::Busy)?;
            let from =
                before(span.start, Record::KEPT_FOR).max(before(client.now(), Record::KEPT_FOR));
            let read = pass.read(from..span.end, span.clone()).await;
            pass.end().await;
            report.add(read?);
        }
        Ok(report)
    }

    /// Does once what a started one does at first: reads all that the vendor keeps, of all apps, and puts what is
    /// not known of calls that ended since [`since`](Self::since), or since it first ran with this store, or
    /// since `first` if it never has. It keeps how far it got.
    ///
    /// # Errors
    ///
    /// As those of [`run`](Self::run).
    pub async fn catch_up(&self, first: SystemTime) -> Result<Report, Error> {
        let mut report = Report::default();
        for client in &self.shared.clients {
            let pass = Pass::begin(&self.shared, client, new_owner()).await?;
            let mut pass = pass.ok_or(Error::Busy)?;
            let read = pass.catch_up(first).await;
            pass.end().await;
            report.add(read?);
        }
        Ok(report)
    }

    /// Asks once for the records of what waits for one and is due, in the caller's task; for tests and
    /// timers. Gives how many were asked for.
    ///
    /// # Errors
    ///
    /// If the store fails. What the vendor does not answer is asked for again later.
    pub async fn ask_due(&self) -> Result<usize, Error> {
        let mut asked = 0_usize;
        for client in &self.shared.clients {
            let mut asker = Asker::new(Arc::clone(&self.shared), client.clone());
            asked = asked.saturating_add(asker.ask_due().await?);
        }
        Ok(asked)
    }
}
