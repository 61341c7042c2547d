//! `trtc-call reconcile`: finds in the vendor's records what never came to an inbox.

use std::ops::Range;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use tokio::time::sleep;
use trtc_call_api::Record;
use trtc_call_inbox::store::StoreError;
use trtc_call_inbox::{Confirm, Inbox, ItemId};
use trtc_call_reconcile::{Error, Reconcile, Report};

use crate::api::Api;
use crate::args::ReconcileArgs;
use crate::failure::Failure;
use crate::out::{add, plain};
use crate::store::Store;
use crate::{out, server, settings};

/// How long a server that reconciles at the moment is waited for: it may be one that was killed.
const PATIENCE: u32 = 65;

/// The most calls that are named for people.
const NAMED: usize = 20;

pub(crate) fn run(args: ReconcileArgs) -> Result<ExitCode, Failure> {
    let confirm = settings::confirm(args.confirm)?;
    let api = Api::new(args.api)?;
    let place = settings::inbox(args.inbox)?.ok_or_else(|| {
        Failure::new("there is no inbox: --inbox names one, or INBOX in the environment")
    })?;
    let now = SystemTime::now();
    let first = now.checked_sub(Record::KEPT_FOR).unwrap_or(now);
    let span = match (args.since, args.until) {
        // From where servers have begun on, if one has.
        (None, None) => None,
        (since, until) => Some(since.unwrap_or(first)..until.unwrap_or(now)),
    };
    if span.as_ref().is_some_and(Range::is_empty) {
        return Err(Failure::new(
            "--since must be before --until, which is now if it is not given",
        ));
    }
    let (store, runtime) = Store::open(place, true, server::runtime()?)?;
    let inbox = store.inbox();
    let reconcile = Reconcile::new(inbox.clone()).app(api.client).confirm(confirm);
    let done = runtime.block_on(async {
        let report = read(&reconcile, span, first).await?;
        let asked = if confirm == Confirm::Never { 0 } else { reconcile.ask_due().await? };
        Ok::<_, Error>(Done::new(&inbox, report, asked).await?)
    });
    let done = done?;
    if api.is_json {
        out::print_line(serde_json::to_vec(&done).map_err(|error| {
            Failure::new(format!("what was found cannot be written as JSON: {error}"))
        })?)?;
    } else {
        out::print(&done.text())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the records, once whoever is at it has ended.
async fn read(
    reconcile: &Reconcile,
    span: Option<Range<SystemTime>>,
    first: SystemTime,
) -> Result<Report, Error> {
    for waited in 0..PATIENCE {
        let report = match &span {
            Some(span) => reconcile.run(span.clone()).await,
            None => reconcile.catch_up(first).await,
        };
        match report {
            Err(Error::Busy) if waited == 0 => out::note("a server reconciles at the moment"),
            Err(Error::Busy) => {}
            report => return report,
        }
        sleep(Duration::from_secs(1)).await;
    }
    Err(Error::Busy)
}

/// What is printed.
#[derive(Serialize)]
struct Done {
    records: u64,
    known: u64,
    too_fresh: u64,
    unclear: u64,
    unreadable: u64,
    missing: u64,
    differing: u64,
    found: Vec<Call>,
    confirmed: Vec<Call>,
    corrections: Vec<Call>,
    /// How many records were asked for one by one.
    asked: usize,
}

#[derive(Serialize)]
struct Call {
    item: i64,
    call_id: String,
}

impl Done {
    async fn new(inbox: &Inbox, report: Report, asked: usize) -> Result<Self, StoreError> {
        Ok(Self {
            records: report.records,
            known: report.known,
            too_fresh: report.too_fresh,
            unclear: report.unclear,
            unreadable: report.unreadable,
            missing: report.missing,
            differing: report.differing,
            found: calls(inbox, &report.found).await?,
            confirmed: calls(inbox, &report.confirmed).await?,
            corrections: calls(inbox, &report.corrections).await?,
            asked,
        })
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |label: &str, count: u64, what: &str| {
            if count > 0 || label == "records" || label == "found" {
                add(&mut text, label, &format!("{count:<7} {what}"));
            }
        };
        let count = |calls: &[Call]| u64::try_from(calls.len()).unwrap_or(u64::MAX);
        line("records", self.records, "of that time, at the vendor");
        line("known", self.known, "are in the inbox");
        line(
            "too fresh",
            self.too_fresh,
            "not ended for ten minutes: their callbacks may still come",
        );
        line("unclear", self.unclear, "do not tell what to bill: their callbacks may, for a day");
        line("unreadable", self.unreadable, "cannot be read");
        line("missing", self.missing, "counted by the vendor, and not given: try shorter spans");
        line("differing", self.differing, "differ from what is here, which stays: see --confirm");
        let found = match self.found.len() {
            0 => "whose callback never came",
            _ => "whose callback never came: the records wait for a worker",
        };
        line("found", count(&self.found), found);
        line("confirmed", count(&self.confirmed), "waited for this, and go on to a worker");
        line(
            "corrected",
            count(&self.corrections),
            "were worked wrongly: corrections wait for a worker",
        );
        for (label, calls) in [
            ("found", &self.found),
            ("confirmed", &self.confirmed),
            ("corrected", &self.corrections),
        ] {
            for Call { item, call_id } in calls.iter().take(NAMED) {
                text.push_str(&format!("{label}: item {item}, call {}\n", plain(call_id)));
            }
            if calls.len() > NAMED {
                text.push_str(&format!("{label}: and more; --json names all\n"));
            }
        }
        text
    }
}

async fn calls(inbox: &Inbox, items: &[ItemId]) -> Result<Vec<Call>, StoreError> {
    let mut calls = Vec::with_capacity(items.len());
    for item in items {
        let call_id = inbox.get(*item).await?.and_then(|item| item.call_id).unwrap_or_default();
        calls.push(Call { item: item.get(), call_id });
    }
    Ok(calls)
}
