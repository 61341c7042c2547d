//! The verbs that change something: `replay`, `discard`, `resolve`, `erase` and `prune`.

use std::process::ExitCode;

use serde_json::json;
use trtc_call_inbox::store::{Resolved, Retention};
use trtc_call_inbox::{Erase, ItemId, State};
use trtc_call_webhook::SdkAppId;

use super::opened::{BATCH, Opened, numbers};
use super::{confirm, filter, nothing};
use crate::args::{AppArgs, ChosenArgs, EraseArgs, PruneArgs};
use crate::failure::Failure;
use crate::{out, progress, settings};

/// What is done with chosen items.
#[derive(Clone, Copy)]
enum Deed {
    Replay,
    Discard,
}

impl Deed {
    const fn past(self) -> &'static str {
        match self {
            Self::Replay => "replayed",
            Self::Discard => "discarded",
        }
    }

    /// The states of items with which it can be done.
    const fn states(self) -> &'static [State] {
        match self {
            Self::Replay => &[State::Dead, State::Waiting, State::Confirming],
            Self::Discard => &[State::Waiting, State::Confirming, State::Dead, State::Disputed],
        }
    }

    const fn why_not(self) -> &'static str {
        match self {
            Self::Replay => "there is no such item, it is done, disputed, or a worker has it",
            Self::Discard => "there is no such item, it is done, or a worker has it",
        }
    }
}

pub(super) fn replay(opened: &Opened, chosen: ChosenArgs) -> Result<ExitCode, Failure> {
    // Not asked about: a replay loses nothing.
    change(opened, Deed::Replay, chosen, true)
}

pub(super) fn discard(
    opened: &Opened,
    chosen: ChosenArgs,
    is_meant: bool,
) -> Result<ExitCode, Failure> {
    change(opened, Deed::Discard, chosen, is_meant)
}

fn change(
    opened: &Opened,
    deed: Deed,
    chosen: ChosenArgs,
    is_meant: bool,
) -> Result<ExitCode, Failure> {
    let mut chosen = chosen;
    chosen.items.sort_unstable();
    chosen.items.dedup();
    let (is_all, named) = (chosen.all, chosen.items.len());
    let items = choose(opened, deed, chosen)?;
    if items.is_empty() {
        return nothing();
    }
    if is_all {
        confirm(is_meant, &format!("items to be {}: {}.", deed.past(), items.len()))?;
    }
    let bar = progress::bar(u64::try_from(items.len()).unwrap_or(u64::MAX));
    let mut changed = 0_usize;
    let mut text = String::new();
    for batch in items.chunks(BATCH) {
        let done = match deed {
            Deed::Replay => opened.run(opened.inbox.replay(batch.to_vec())),
            Deed::Discard => opened.run(opened.inbox.discard(batch.to_vec())),
        }?;
        for (item, is_done) in batch.iter().zip(done) {
            changed = changed.saturating_add(is_done.into());
            if opened.is_json {
                let line = json!({ "id": item.get(), deed.past(): is_done });
                out::print_line(line.to_string().into_bytes())?;
            } else if !is_done {
                text.push_str(&format!("{item} is not {}: {}\n", deed.past(), deed.why_not()));
            }
        }
        bar.inc(u64::try_from(batch.len()).unwrap_or(u64::MAX));
    }
    bar.finish_and_clear();
    if !opened.is_json {
        out::print(&format!("{text}{} {changed} of {}\n", deed.past(), items.len()))?;
    }
    // Whoever names items means each; what came to something else meanwhile is not meant by --all.
    let is_well = if is_all { changed > 0 } else { changed == named };
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The items that are named, or those that can be changed now: what comes meanwhile is left alone.
fn choose(opened: &Opened, deed: Deed, chosen: ChosenArgs) -> Result<Vec<ItemId>, Failure> {
    let is_filtered = chosen.filter.state.is_some()
        || chosen.filter.call_id.is_some()
        || chosen.filter.since.is_some();
    if is_filtered && !chosen.all {
        return Err(Failure::new("--state, --call-id and --since choose of --all items"));
    }
    let mut filter = filter(chosen.filter)?;
    let mut items = Vec::new();
    if chosen.all {
        if matches!(deed, Deed::Replay) {
            filter.state = filter.state.or(Some(State::Dead));
        }
        for state in deed.states().iter().filter(|state| filter.state.is_none_or(|s| s == **state))
        {
            for page in opened.pages(filter.clone().state(*state), false) {
                items.extend(page?.iter().map(|item| item.id));
            }
        }
        return Ok(items);
    }
    for id in chosen.items {
        if is_of_app(opened, id, filter.sdk_app_id)? {
            items.push(id);
        } else {
            out::note(&format!("there is no item {id} of this app"));
        }
    }
    Ok(items)
}

/// Whether an item may be touched: with an app that is given, only that app's.
fn is_of_app(opened: &Opened, id: ItemId, app: Option<SdkAppId>) -> Result<bool, Failure> {
    let Some(app) = app else { return Ok(true) };
    let item = opened.run(opened.inbox.get(id))?;
    Ok(item.is_some_and(|item| item.sdk_app_id == app))
}

pub(super) fn resolve(opened: &Opened, item: ItemId, app: AppArgs) -> Result<ExitCode, Failure> {
    if !is_of_app(opened, item, settings::sdk_app_id(app.sdk_app_id)?)? {
        return nothing();
    }
    let resolved = opened.run(opened.inbox.resolve(item))?;
    let (word, corrects, text) = match resolved {
        Resolved::Waits => ("waits", None, "waits, and is worked".to_owned()),
        Resolved::Corrects(other) => {
            let text = format!("waits, and when it is worked it corrects {other}");
            ("corrects", Some(other.get()), text)
        }
        Resolved::Stays => ("stays", None, "was handled already, and stays".to_owned()),
        _ => {
            let text = "is not resolved: there is no such item, there is nothing to decide about it, a \
                        worker has it, or its body is erased";
            ("not disputed", None, text.to_owned())
        }
    };
    if opened.is_json {
        let line = json!({ "id": item.get(), "resolved": word, "corrects": corrects });
        out::print_line(line.to_string().into_bytes())?;
    } else {
        out::print(&format!("{item} {text}\n"))?;
    }
    Ok(if word == "not disputed" { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

pub(super) fn erase(opened: &Opened, args: EraseArgs) -> Result<ExitCode, Failure> {
    let app = settings::sdk_app_id(args.app.sdk_app_id)?;
    let whose = match (args.user, args.call_id) {
        (Some(user), _) => Erase::User(user),
        (None, call_id) => Erase::Call(call_id.unwrap_or_default()),
    };
    let spinner = progress::spinner("reading the bodies");
    let done = opened.run(opened.inbox.erase(&whose, app));
    spinner.finish_and_clear();
    let done = done?;
    let [erased, kept] = [&done.erased, &done.kept];
    if opened.is_json {
        let ids = |items: &[ItemId]| items.iter().map(|item| item.get()).collect::<Vec<_>>();
        let line = json!({ "erased": ids(erased), "kept": ids(kept) });
        out::print_line(line.to_string().into_bytes())?;
    } else if erased.is_empty() && kept.is_empty() {
        return nothing();
    } else {
        let mut text = format!("erased {}", erased.len());
        if !kept.is_empty() {
            text.push_str(&format!("\nkept {}, which are not done: {}", kept.len(), numbers(kept)));
        }
        out::print(&format!("{text}\nbackups keep what they hold\n"))?;
    }
    Ok(if erased.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

pub(super) fn prune(opened: &Opened, args: &PruneArgs) -> Result<ExitCode, Failure> {
    if args.keys_after < Retention::MIN_KEYS {
        return Err(Failure::new(
            "--keys-after must be at least 7d: so long the vendor may tell of a call again",
        ));
    }
    let (asked, usual) = (Retention::new(args.done_after, args.keys_after), Retention::default());
    let is_shorter = asked.done < usual.done || asked.keys < usual.keys;
    confirm(args.yes || !is_shorter, "This is shorter than what a worker keeps.")?;
    let spinner = progress::spinner("pruning");
    let pruned = opened.run(opened.inbox.prune(asked));
    spinner.finish_and_clear();
    let pruned = pruned?;
    if opened.is_json {
        let line = json!({ "items": pruned.items, "keys": pruned.keys });
        out::print_line(line.to_string().into_bytes())?;
    } else {
        out::print(&format!("items removed: {}, keys removed: {}\n", pruned.items, pruned.keys))?;
    }
    Ok(ExitCode::SUCCESS)
}
