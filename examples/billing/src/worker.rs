//! The worker: bills what the journal holds, at its own pace.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::mem;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::thread;

use serde::Serialize;
use tokio::sync::oneshot;
use trtc_call_webhook_axum::{CallEnded, CallResult, decode};

use crate::durable::{Durable, beside};
use crate::record::Record;
use crate::report;

/// What is known of the calls: one event for each, as long as the process lives. A database's table
/// of calls would take the place of all of it.
pub(crate) struct Worker {
    journal: BufReader<File>,
    /// Up to where the journal is read.
    position: u64,
    calls: HashMap<String, Call>,
    /// The keys of the calls that came since the last were billed, in their order.
    due: Vec<String>,
    /// The keys of those that are billed, the file with a line for each, and the lines that are not
    /// in it yet.
    billed: HashSet<String>,
    billed_file: Durable,
    notes: Vec<u8>,
}

struct Call {
    event: CallEnded,
    /// Whether another event came under the same key.
    is_disputed: bool,
}

/// The line on standard output.
#[derive(Serialize)]
struct Bill<'a> {
    call_id: &'a str,
    caller: Option<&'a str>,
    result: Option<&'a str>,
    /// 0 when nobody answered, `null` when only the vendor's record API can tell.
    seconds: Option<u64>,
}

impl Worker {
    /// Opens the journal for reading, and the file of what is billed.
    pub(crate) fn open(journal: &Path) -> io::Result<Self> {
        let mut billed = HashSet::new();
        let billed_file = Durable::open(&beside(journal, ".billed"), |file| {
            let mut line = Vec::new();
            file.read_until(b'\n', &mut line)?;
            let is_whole = line.pop() == Some(b'\n');
            if is_whole {
                billed.insert(String::from_utf8_lossy(&line).into_owned());
            }
            Ok(is_whole)
        })?;
        let journal = BufReader::new(File::open(journal)?);
        let (calls, due, notes) = (HashMap::new(), Vec::new(), Vec::new());
        Ok(Self { journal, position: 0, calls, due, billed, billed_file, notes })
    }

    /// Bills whatever is `stored`, on a thread of its own. The result ends when nothing more comes
    /// and all is done.
    pub(crate) fn start(mut self, stored: Receiver<u64>) -> io::Result<oneshot::Receiver<()>> {
        let (working, done) = oneshot::channel();
        let work = move || {
            while let Ok(end) = stored.recv() {
                let end = stored.try_iter().last().unwrap_or(end);
                if let Err(error) = self.read_to(end) {
                    report(format_args!("cannot read on in the journal: {error}"));
                }
                self.bill();
                if let Err(error) = self.note_billed() {
                    report(format_args!("billed calls are not noted: {error}"));
                }
            }
            drop(working);
        };
        thread::Builder::new().name("worker".to_owned()).spawn(work)?;
        Ok(done)
    }

    fn read_to(&mut self, end: u64) -> io::Result<()> {
        self.journal.seek(SeekFrom::Start(self.position))?;
        while self.position < end {
            let Some(record) = Record::read(&mut self.journal)? else {
                let error = format!("it is damaged at byte {}", self.position);
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            };
            self.position = self.journal.stream_position()?;
            self.take(record);
        }
        Ok(())
    }

    /// Decides what a delivery is: a call to bill, one that is known, or one for a person.
    fn take(&mut self, Record { key, command, body, .. }: Record) {
        let event = match decode::<CallEnded>(command.as_ref(), &body) {
            Ok(Some(event)) => event,
            Ok(None) => return report(format_args!("{key}: kept, no end of a call")),
            Err(error) => return report(format_args!("{key}: kept, not decoded: {error}")),
        };
        match self.calls.entry(key) {
            Entry::Vacant(place) => {
                self.due.push(place.key().clone());
                place.insert(Call { event, is_disputed: false });
            }
            Entry::Occupied(known) if known.get().event == event => {}
            Entry::Occupied(mut known) => {
                // Either may be forged, the first one too: see SECURITY.md.
                known.get_mut().is_disputed = true;
                let key = known.key();
                let done = if self.billed.contains(key) { "one is" } else { "none is noted as" };
                report(format_args!(
                    "{key}: different events under one key, {done} billed: ask the record API"
                ));
            }
        }
    }

    /// Prints a line for each call that is due. What standard output does not take is tried again
    /// after the next deliveries.
    fn bill(&mut self) {
        let mut due = mem::take(&mut self.due).into_iter();
        for key in due.by_ref() {
            let Some(call) = self.calls.get(&key).filter(|call| !call.is_disputed) else {
                continue;
            };
            if self.billed.contains(&key) {
                continue;
            }
            if let Err(error) = print(&call.event) {
                report(format_args!("{key}: not billed yet: {error}"));
                self.due.push(key);
                break;
            }
            self.notes.extend_from_slice(key.as_bytes());
            self.notes.push(b'\n');
            self.billed.insert(key);
        }
        self.due.extend(due);
    }

    /// Keeps from the next start what is billed. After the lines are printed: the other way round a
    /// call could be lost.
    fn note_billed(&mut self) -> io::Result<()> {
        if !self.notes.is_empty() {
            self.billed_file.append(&self.notes)?;
            self.notes.clear();
        }
        Ok(())
    }
}

fn print(call: &CallEnded) -> io::Result<()> {
    let mut line = serde_json::to_vec(&Bill {
        call_id: &call.call_id,
        caller: call.caller.as_deref(),
        result: call.result.as_ref().map(CallResult::as_str),
        seconds: call.billing().seconds(),
    })?;
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&line)?;
    stdout.flush()
}
