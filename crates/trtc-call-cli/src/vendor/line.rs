//! The line for each callback: for people, or for machines.

use std::time::Duration;

use serde::Serialize;

use super::plan::{Planned, What};
use crate::out::{self, BAD, BOLD, DIM, GOOD, plain, styled};
use crate::printer::Printer;
use crate::verdict::Verdict;

/// How often it is looked whether somebody reads again.
const LOOK: Duration = Duration::from_millis(20);

/// Standard output.
pub(crate) struct Lines {
    printer: Printer,
    is_json: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    call_id: &'a str,
    what: &'static str,
    command: &'a str,
    /// Whether it would count as delivered; null if it was lost.
    delivered: Option<bool>,
    /// Why, or why not.
    why: Option<&'a str>,
    /// What the callback says: null at a start, and where the record must be asked.
    talk_seconds: Option<u64>,
}

impl Lines {
    pub(crate) const fn new(printer: Printer, is_json: bool) -> Self {
        Self { printer, is_json }
    }

    /// Prints what became of a callback. While nobody reads, whoever asked for it waits.
    pub(super) async fn print(&self, planned: &Planned, verdict: Option<&Verdict>) {
        let line = if self.is_json { json(planned, verdict) } else { text(planned, verdict) };
        let is_json = self.is_json;
        loop {
            let line = line.clone();
            // If it fails there is nobody left to tell.
            let print = move || {
                let _ = if is_json {
                    out::try_print_line(line.into_bytes())
                } else {
                    out::try_print(&line)
                };
            };
            if self.printer.note(print) {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn json(planned: &Planned, verdict: Option<&Verdict>) -> String {
    let line = Line {
        call_id: &planned.call_id,
        what: planned.what.as_str(),
        command: planned.callback.command().as_str(),
        delivered: verdict.map(|verdict| verdict.is_delivered),
        why: verdict.map(|verdict| &*verdict.why),
        talk_seconds: planned.talk_seconds,
    };
    serde_json::to_string(&line).unwrap_or_default()
}

fn text(planned: &Planned, verdict: Option<&Verdict>) -> String {
    let style = if planned.what == What::Sent { BOLD } else { BAD };
    let mut pieces = vec![
        styled(style, &format!("{:<8}", planned.what.as_str())),
        plain(planned.callback.command().as_str()).into_owned(),
        styled(DIM, &plain(&planned.call_id)),
    ];
    pieces.extend(planned.talk_seconds.map(|seconds| format!("talked {seconds} s")));
    if let Some(verdict) = verdict {
        let (style, word) =
            if verdict.is_delivered { (GOOD, "delivered") } else { (BAD, "not delivered") };
        pieces.push(format!("{}: {}", styled(style, word), plain(&verdict.why)));
    }
    format!("{}\n", pieces.join("  "))
}
