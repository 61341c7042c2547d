//! `trtc-call inbox status`.

use std::process::ExitCode;

use indicatif::{HumanBytes, HumanDuration};
use serde_json::{Map, Value, json};
use trtc_call_inbox::{AppStats, State};

use super::opened::Opened;
use super::{nothing, of_app};
use crate::args::AppArgs;
use crate::failure::Failure;
use crate::out::{BAD, GOOD, plain, styled};
use crate::{out, table};

pub(super) fn run(opened: &Opened, app: AppArgs) -> Result<ExitCode, Failure> {
    let filter = of_app(app)?;
    let stats = opened.run(opened.inbox.stats(filter.sdk_app_id))?;
    if filter.sdk_app_id.is_some() && stats.apps.is_empty() {
        return nothing();
    }
    let why_not = opened.run(opened.inbox.health()).err().map(|failure| failure.to_string());
    let (name, sizes) = (opened.store.name(), opened.store.file_sizes());
    if opened.is_json {
        let apps: Vec<Value> = stats.apps.iter().map(app_json).collect();
        let status = json!({
            "inbox": name,
            "file_bytes": sizes.map(|[file, _]| file), "log_bytes": sizes.map(|[_, log]| log),
            "can_store": why_not.is_none(), "why_not": why_not,
            "lag_seconds": stats.lag().as_secs(), "apps": apps,
        });
        out::print_line(status.to_string().into_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = String::new();
    let sizes = sizes.map_or_else(String::new, |[file, log]| {
        format!("  {}, and its log {}", HumanBytes(file), HumanBytes(log))
    });
    out::add(&mut text, "inbox", &format!("{name}{sizes}"));
    let can_store = why_not
        .map_or_else(|| styled(GOOD, "yes"), |why| styled(BAD, &format!("no: {}", plain(&why))));
    text.push_str(&format!("{:<12}{can_store}\n", "can store"));
    out::add(&mut text, "behind", &HumanDuration(stats.lag()).to_string());
    let states = State::ALL.iter().map(|state| state.as_str());
    let header: Vec<&str> = ["app"].into_iter().chain(states).chain(["behind"]).collect();
    let lines = table::lines(header, stats.apps.iter().map(app_row));
    out::print(&format!("{text}\n{}\n", lines.join("\n")))?;
    Ok(ExitCode::SUCCESS)
}

fn app_row(app: &AppStats) -> Vec<String> {
    let counts = State::ALL.iter().map(|state| app.count(*state).to_string());
    let lag = HumanDuration(app.lag).to_string();
    [app.sdk_app_id.to_string()].into_iter().chain(counts).chain([lag]).collect()
}

fn app_json(app: &AppStats) -> Value {
    let mut json = Map::new();
    json.insert("sdk_app_id".to_owned(), json!(app.sdk_app_id));
    for state in State::ALL {
        json.insert(state.to_string(), app.count(*state).into());
    }
    json.insert("lag_seconds".to_owned(), app.lag.as_secs().into());
    json.into()
}
