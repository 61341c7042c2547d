//! What the vendor keeps: calls, and where their callbacks go.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use trtc_call_webhook::{Command, UnixMillis};

use super::call::Call;
use super::journal::{Entry, Journal};
use crate::failure::Failure;

/// For how long a record is found: seven days (647/68931).
const HORIZON: Duration = Duration::from_secs(7 * 24 * 3600);

/// What `set_callback` sets (647/68938).
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Settings {
    pub(super) url: String,
    #[serde(rename = "CallbackCommandList")]
    pub(super) commands: Vec<String>,
}

impl Settings {
    pub(super) fn has(&self, command: &Command) -> bool {
        self.commands.iter().any(|name| name == command.as_str())
    }
}

/// Which records are asked for (647/68931). Times are in unix seconds.
pub(super) struct Filter {
    pub(super) start: Option<i64>,
    pub(super) end: Option<i64>,
    pub(super) result: Option<String>,
    pub(super) call_type: Option<String>,
}

/// When it is, and how long after its call's end a record is found.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: UnixMillis,
    pub(super) record_delay: Duration,
}

#[derive(Default)]
pub(super) struct Book {
    calls: Vec<Call>,
    /// Where in `calls`.
    places: HashMap<String, usize>,
    settings: Option<Settings>,
    /// None where nothing survives.
    journal: Option<Journal>,
}

impl Book {
    /// With what is in a file.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let (journal, entries) = Journal::open(path)?;
        let mut book = Self::default();
        for entry in entries {
            match entry {
                Entry::Call(call) => book.put(*call),
                Entry::Callback(settings) => book.settings = settings,
            }
        }
        book.journal = Some(journal);
        Ok(book)
    }

    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn knows(&self, id: &str) -> bool {
        self.places.contains_key(id)
    }

    pub(super) const fn settings(&self) -> Option<&Settings> {
        self.settings.as_ref()
    }

    /// Adds calls, all of them or none.
    pub(super) fn add(&mut self, calls: &[Call]) -> io::Result<()> {
        let entries: Vec<Entry> =
            calls.iter().map(|call| Entry::Call(Box::new(call.clone()))).collect();
        self.write(&entries)?;
        for call in calls {
            self.put(call.clone());
        }
        Ok(())
    }

    /// Sets where callbacks go, or nowhere.
    pub(super) fn set(&mut self, settings: Option<Settings>) -> io::Result<()> {
        self.write(&[Entry::Callback(settings.clone())])?;
        self.settings = settings;
        Ok(())
    }

    /// Every call, as they were added, whether it is found or not.
    pub(super) fn all(&self) -> Vec<Value> {
        self.calls.iter().map(Call::record).collect()
    }

    /// A call that is found.
    pub(super) fn find(&self, id: &str, at: Moment) -> Option<&Call> {
        let call = self.calls.get(*self.places.get(id)?)?;
        at.is_found(call).then_some(call)
    }

    /// The calls that are found and match, newest first.
    ///
    /// No page says which of a call's times a span is about: here it is its start. Both ends of the
    /// span belong to it.
    pub(super) fn select(&self, filter: &Filter, at: Moment) -> Vec<&Call> {
        // An older one is raised without a word, as the page says.
        let start = filter.start.unwrap_or(i64::MIN).max(at.horizon());
        let end = filter.end.unwrap_or(i64::MAX);
        let is_meant = |call: &&Call| {
            (start..=end).contains(&call.started_at())
                && call.has(filter.result.as_deref(), filter.call_type.as_deref())
        };
        let mut calls: Vec<&Call> =
            self.calls.iter().filter(|call| at.is_found(call)).filter(is_meant).collect();
        calls.sort_by_key(|call| std::cmp::Reverse(call.started_at()));
        calls
    }

    fn put(&mut self, call: Call) {
        self.places.insert(call.id().to_owned(), self.calls.len());
        self.calls.push(call);
    }

    fn write(&mut self, entries: &[Entry]) -> io::Result<()> {
        self.journal.as_mut().map_or(Ok(()), |journal| journal.write(entries))
    }
}

impl Moment {
    fn is_found(self, call: &Call) -> bool {
        let age = self.now.since(call.event_time());
        age.is_some_and(|age| age >= self.record_delay) && call.ended_at() >= self.horizon()
    }

    fn horizon(self) -> i64 {
        let horizon = i64::try_from(HORIZON.as_secs()).unwrap_or(i64::MAX);
        self.now.get().div_euclid(1000).saturating_sub(horizon)
    }
}
