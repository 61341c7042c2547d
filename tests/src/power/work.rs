//! What the program `power_writer` works at, and what its ledger says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use trtc_call_inbox::{Clock, Job, JobError, NewItem};
use trtc_call_inbox_sqlite::{CompleteWith, SqliteInbox, SqliteOptions};
use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{CallEnded, Delivery, SdkApp, Verifier};

use crate::example::APP;

/// The file's name in its folder.
pub const FILE: &str = "inbox.db";

/// The user's own table. Nothing forbids a second bill, so that one would be seen.
pub const BILLS: &str = "CREATE TABLE IF NOT EXISTS bills (call_id TEXT NOT NULL)";

/// How the file is opened on a day of the run: on the next one all leases of the day before have ended.
pub fn options(day: u32) -> SqliteOptions {
    let clock = Clock::manual();
    clock.advance(Duration::from_secs(86_400).saturating_mul(day));
    SqliteInbox::options().clock(clock)
}

/// The body of a call: up to some pages of the file.
#[must_use]
pub fn body(call: u32) -> String {
    let filler = "x".repeat(call as usize % 5 * 6000);
    format!(r#"{{"CallRecord":{{"CallId":"{call}"}},"Filler":"{filler}"}}"#)
}

/// The callback about a call that has ended, as it is stored. Each is made once, since that takes long.
///
/// # Panics
///
/// Never: it is a good one.
#[must_use]
pub fn item(call: u32) -> NewItem {
    static ITEMS: Mutex<BTreeMap<u32, NewItem>> = Mutex::new(BTreeMap::new());
    let mut items = ITEMS.lock().expect("no panic");
    items.entry(call).or_insert_with(|| NewItem::of(&delivery(call))).clone()
}

/// The callback about a call that has ended.
///
/// # Panics
///
/// Never: it is a good one.
#[must_use]
pub fn delivery(call: u32) -> Delivery<CallEnded> {
    let verifier = Verifier::builder().app(SdkApp::unsigned(APP)).build().expect("a verifier");
    let request = Request::new(APP, CallEnded::new("")).with_body(body(call));
    request.deliver_to(&verifier).expect("a good request").expect("a call that has ended")
}

/// Bills a call and completes its job, both or neither.
///
/// # Errors
///
/// If it cannot.
pub async fn bill(job: &Job<CallEnded>) -> Result<(), JobError> {
    let call = job.call_id.clone();
    job.complete_with(move |sql| sql.execute("INSERT INTO bills VALUES (?1)", [&call])).await?;
    Ok(())
}

/// What a program may rely on, and writes into its ledger once it may.
#[derive(Clone, Copy, Debug)]
pub enum Fact {
    /// The inbox is open.
    Opened,
    /// The callback about this call is stored.
    Stored(u32),
    /// This call is billed.
    Billed(u32),
}

impl Fact {
    /// Its line.
    #[must_use]
    pub fn line(self) -> String {
        match self {
            Self::Opened => "opened\n".to_owned(),
            Self::Stored(call) => format!("stored {call}\n"),
            Self::Billed(call) => format!("billed {call}\n"),
        }
    }
}

/// All that was acknowledged.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Whether the inbox was ever open.
    pub is_opened: bool,
    /// The calls whose callbacks are stored.
    pub stored: BTreeSet<u32>,
    /// The calls that are billed.
    pub billed: BTreeSet<u32>,
}

impl Ledger {
    /// Takes one more line.
    ///
    /// # Panics
    ///
    /// If it is none.
    pub fn add(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |text: &str| text.parse().expect("a number");
        match words.as_slice() {
            ["opened"] => self.is_opened = true,
            ["stored", call] => drop(self.stored.insert(number(call))),
            ["billed", call] => drop(self.billed.insert(number(call))),
            _ => panic!("no line of a ledger: {line:?}"),
        }
    }
}
