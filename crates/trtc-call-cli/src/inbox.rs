//! `trtc-call inbox`: what a person does with the items of an inbox.
//!
//! Servers and workers may have the same inbox open: each of these is a transaction of its own, or many
//! small ones, so that nobody has to wait long for it.

mod change;
mod check;
mod opened;
mod shown;
mod status;

use std::process::ExitCode;

use trtc_call_inbox::Filter;

use self::opened::Opened;
use crate::args::{AppArgs, FilterArgs, InboxArgs, ListArgs, ShowArgs, Verb};
use crate::failure::Failure;
use crate::{out, settings, table};

pub(crate) fn run(args: InboxArgs) -> Result<ExitCode, Failure> {
    let opened = Opened::new(args.inbox, args.json)?;
    match args.verb {
        Verb::Status(app) => status::run(&opened, app),
        Verb::List(args) => list(&opened, args),
        Verb::Show(args) => show(&opened, args),
        Verb::Replay(args) => change::replay(&opened, args),
        Verb::Discard(args) => change::discard(&opened, args.chosen, args.yes),
        Verb::Resolve(args) => change::resolve(&opened, args.item, args.app),
        Verb::Erase(args) => change::erase(&opened, args),
        Verb::Prune(args) => change::prune(&opened, &args),
        Verb::Check(app) => check::run(&opened, app),
    }
}

fn list(opened: &Opened, args: ListArgs) -> Result<ExitCode, Failure> {
    let mut items = Vec::new();
    for page in opened.pages(filter(args.filter)?, false) {
        items.extend(page?);
        if items.len() > args.limit {
            out::note("there are more: --limit N lists them");
            items.truncate(args.limit);
            break;
        }
    }
    if items.is_empty() {
        return nothing();
    }
    if opened.is_json {
        for item in &items {
            out::print_line(shown::row_json(item))?;
        }
    } else {
        let lines = table::lines(shown::HEADER, items.iter().map(shown::row));
        out::print(&format!("{}\n", lines.join("\n")))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(opened: &Opened, args: ShowArgs) -> Result<ExitCode, Failure> {
    let app = settings::sdk_app_id(args.app.sdk_app_id)?;
    let item = opened.run(opened.inbox.get(args.item))?;
    match item.filter(|item| app.is_none_or(|app| app == item.sdk_app_id)) {
        None => return nothing(),
        Some(item) if opened.is_json => out::print_line(shown::json(&item, args.body))?,
        Some(item) => out::print(&shown::text(&item, args.body))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn filter(args: FilterArgs) -> Result<Filter, Failure> {
    let mut filter = of_app(args.app)?;
    (filter.state, filter.call_id, filter.since) = (args.state, args.call_id, args.since);
    Ok(filter)
}

fn of_app(args: AppArgs) -> Result<Filter, Failure> {
    let mut filter = Filter::all();
    filter.sdk_app_id = settings::sdk_app_id(args.sdk_app_id)?;
    Ok(filter)
}

/// What ends with status 1.
fn nothing() -> Result<ExitCode, Failure> {
    out::note("trtc-call: there is no such item");
    Ok(ExitCode::FAILURE)
}
