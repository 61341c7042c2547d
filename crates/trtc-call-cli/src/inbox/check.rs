//! `trtc-call inbox check`: what needs a person, and what to do about it.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use indicatif::ProgressBar;
use serde::Serialize;
use trtc_call_inbox::{Confirmation, DoneAs, Filter, Item, ItemId, State};

use super::opened::{Opened, numbers};
use super::{of_app, shown};
use crate::args::AppArgs;
use crate::event::Decoded;
use crate::failure::Failure;
use crate::out::{BAD, GOOD, plain, styled};
use crate::store::Store;
use crate::{out, progress};

/// Work that is due, or fails, for longer than this needs somebody.
const LATE: Duration = Duration::from_secs(60 * 60);

/// More different findings of a kind than this are one: a peer may put anything into a body.
const MAX_GROUPS: usize = 50;

/// How many items of a finding are named.
const MAX_NAMED: usize = 5;

/// What is found, in the order in which it is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Damage,
    CannotStore,
    Dead,
    NoRecord,
    Disputed,
    Late,
    Unasked,
    Failing,
    Undecodable,
    UnknownField,
}

impl Kind {
    const fn in_words(self) -> &'static str {
        match self {
            Self::Damage => "damage",
            Self::CannotStore => "cannot store",
            Self::Dead => "dead",
            Self::NoRecord => "no record",
            Self::Disputed => "disputed",
            Self::Late => "late",
            Self::Unasked => "unasked",
            Self::Failing => "failing",
            Self::Undecodable => "undecodable",
            Self::UnknownField => "unknown field",
        }
    }

    /// What to do about it. The items, where it is about some, are named before.
    const fn to_do(self, store: &Store) -> &'static str {
        match self {
            Self::Damage => store.against_damage(),
            Self::CannotStore => "callbacks are answered FAIL until that is mended",
            Self::Dead => "mend the cause and `replay` them, or `discard` them",
            Self::NoRecord => "`resolve` those that you know to be true, and `discard` the others",
            Self::Disputed => "compare them with `show ID --body`, and `resolve` the right one",
            Self::Late => "is a worker running, and does it take their commands?",
            Self::Unasked => "does a server or `reconcile` ask for their records, and fast enough?",
            Self::Failing => "mend the cause; each is tried again by itself",
            Self::Undecodable => {
                "a later version may know them; if they are the vendor's, please report their form"
            }
            Self::UnknownField => {
                "nothing is lost; see with `show ID --body` whether you need it, or a later version has it"
            }
        }
    }
}

/// What is found once or often.
#[derive(Serialize)]
struct Finding<'a> {
    finding: Kind,
    what: &'a str,
    count: u64,
    /// The first few.
    items: Vec<i64>,
    /// What is done and contradicted by those: perhaps it was billed.
    done: Vec<i64>,
    to_do: &'static str,
}

#[derive(Default)]
struct Group {
    count: u64,
    first: Vec<ItemId>,
    call_id: Option<String>,
    done: Vec<ItemId>,
}

#[derive(Default)]
struct Findings(BTreeMap<(Kind, String), Group>);

impl Findings {
    fn add(&mut self, kind: Kind, what: &str, item: Option<ItemId>) -> &mut Group {
        let is_new = !self.0.contains_key(&(kind, what.to_owned()));
        let kinds = self.0.keys().filter(|(known, _)| *known == kind);
        let what = if is_new && kinds.count() >= MAX_GROUPS { "and others" } else { what };
        let group = self.0.entry((kind, what.to_owned())).or_default();
        group.count = group.count.saturating_add(1);
        group.first.extend(item.filter(|_| group.first.len() < MAX_NAMED));
        group
    }

    fn look_at_all(
        &mut self,
        opened: &Opened,
        filter: &Filter,
        bar: &ProgressBar,
    ) -> Result<(), Failure> {
        let now = SystemTime::now();
        for page in opened.pages(filter.clone(), true) {
            for item in page? {
                self.look_at(&item, now);
                bar.inc(1);
            }
        }
        self.find_done(opened, filter)
    }

    fn look_at(&mut self, item: &Item, now: SystemTime) {
        let id = Some(item.id);
        let age = |since| now.duration_since(since).unwrap_or_default();
        let error = item.last_error.as_deref();
        match item.state {
            State::Dead if item.confirmation.is_some_and(|why| why != Confirmation::Resolved) => {
                self.add(Kind::NoRecord, &shown::why(item), id);
            }
            State::Dead => {
                self.add(Kind::Dead, error.unwrap_or("no reason"), id);
            }
            State::Disputed => {
                self.add(Kind::Disputed, &item.key, id).call_id.clone_from(&item.call_id);
            }
            State::Waiting if age(item.due_at) > LATE => {
                self.add(Kind::Late, "due for over an hour", id);
            }
            State::Confirming if age(item.due_at) > LATE => {
                self.add(Kind::Unasked, "to be asked about for over an hour", id);
            }
            State::Confirming if age(item.received_at) > LATE => {
                self.add(Kind::Failing, error.unwrap_or("no record yet"), id);
            }
            // Each attempt puts it off, so that it is never late. What a handler puts off does not count.
            State::Waiting if item.attempts > 0 && age(item.received_at) > LATE => {
                self.add(Kind::Failing, error.unwrap_or("no reason"), id);
            }
            _ => {}
        }
        let Some(body) = &item.body else { return };
        match Decoded::new(item.command.as_ref(), body) {
            Ok(decoded) => {
                for field in decoded.and_then(|decoded| decoded.unknown).into_iter().flatten() {
                    self.add(Kind::UnknownField, &field, id);
                }
            }
            Err(error) => {
                self.add(Kind::Undecodable, &error.to_string(), id);
            }
        }
    }

    /// Finds what was done before somebody contradicted it, and is not corrected yet.
    fn find_done(&mut self, opened: &Opened, filter: &Filter) -> Result<(), Failure> {
        for ((kind, key), group) in &mut self.0 {
            let Some(call_id) = group.call_id.take().filter(|_| *kind == Kind::Disputed) else {
                continue;
            };
            let of_call = filter.clone().call_id(call_id);
            let mut corrected = Vec::new();
            for page in opened.pages(of_call.state(State::Done), false) {
                let is_handled = |item: &Item| {
                    item.key == *key && item.done.is_some_and(|(how, _)| how == DoneAs::Handled)
                };
                for item in page?.into_iter().filter(is_handled) {
                    group.done.push(item.id);
                    corrected.extend(item.replaces);
                }
            }
            group.done.retain(|item| !corrected.contains(item));
        }
        Ok(())
    }

    fn told(&self, store: &Store) -> impl Iterator<Item = (Finding<'_>, &Group)> {
        self.0.iter().map(|((kind, what), group)| {
            let [items, done] = [&group.first, &group.done]
                .map(|items| items.iter().map(|item| item.get()).collect());
            let (count, to_do) = (group.count, kind.to_do(store));
            (Finding { finding: *kind, what, count, items, done, to_do }, group)
        })
    }
}

pub(super) fn run(opened: &Opened, app: AppArgs) -> Result<ExitCode, Failure> {
    let filter = of_app(app)?;
    let mut findings = Findings::default();
    let spinner = progress::spinner("checking the inbox");
    let damage = opened.run(opened.store.integrity());
    spinner.finish_and_clear();
    let damage = damage?;
    for line in &damage {
        findings.add(Kind::Damage, line, None);
    }
    if let Err(why) = opened.run(opened.inbox.health()) {
        findings.add(Kind::CannotStore, &why.to_string(), None);
    }
    let bar = progress::bar(opened.total(&filter)?);
    let read = findings.look_at_all(opened, &filter, &bar);
    let total = bar.position();
    bar.finish_and_clear();
    match read {
        // What is damaged may not be readable: what is found so far is told.
        Err(why) if !damage.is_empty() => {
            findings.add(Kind::Damage, &format!("not all items can be read: {why}"), None);
        }
        read => read?,
    }
    if opened.is_json {
        for (finding, _) in findings.told(&opened.store) {
            let line = serde_json::to_vec(&finding)
                .map_err(|error| Failure::new(format!("cannot write what is found: {error}")))?;
            out::print_line(line)?;
        }
    } else {
        out::print(&text(&findings, total, &opened.store))?;
    }
    Ok(if findings.0.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn text(findings: &Findings, total: u64, store: &Store) -> String {
    let mut text = String::new();
    for (finding, group) in findings.told(store) {
        let kind = styled(BAD, &format!("{:<14}", finding.finding.in_words()));
        let times =
            if finding.count == 1 { String::new() } else { format!("{} × ", finding.count) };
        text.push_str(&format!("{kind}{times}{}\n", plain(finding.what)));
        let named = if group.first.is_empty() {
            String::new()
        } else {
            let more = u64::try_from(MAX_NAMED).is_ok_and(|named| finding.count > named);
            let against = match &group.done[..] {
                [] => String::new(),
                [done] => format!(", against {done}, which is done"),
                done => format!(", against {}, which are done", numbers(done)),
            };
            format!("items {}{}{against}: ", numbers(&group.first), if more { " …" } else { "" })
        };
        text.push_str(&format!("{:<14}-> {named}{}\n", "", finding.to_do));
    }
    let found = findings.0.len();
    let found = styled(if found == 0 { GOOD } else { BAD }, &format!("findings: {found}"));
    text.push_str(&format!("{found}  items looked at: {total}\n"));
    text
}
