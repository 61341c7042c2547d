//! `trtc-call send`: sends what Tencent would send, and says what would come of it.

mod burst;
mod json;
mod plan;
mod report;
mod tally;

use std::process::ExitCode;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use self::burst::Burst;
use self::plan::Plan;
use self::tally::Tally;
use crate::args::SendArgs;
use crate::client::{Endpoint, Trust};
use crate::failure::Failure;
use crate::out;
use crate::verdict::Verdict;

pub(crate) fn run(args: SendArgs) -> Result<ExitCode, Failure> {
    let endpoint = Endpoint::parse(args.url.clone())?;
    let trust = Trust::new(&endpoint, args.ca_cert.as_deref())?;
    let burst = Burst {
        endpoint: &endpoint,
        trust: &trust,
        timeout: args.timeout,
        concurrency: args.concurrency,
    };
    // Once only, there is something to say of each; again and again, only of all.
    let is_repeated = args.count > 1;
    let is_json = args.json;
    let plan = Plan::new(args)?;

    if !is_json {
        out::print(&report::heading(&endpoint, &plan))?;
    }
    let progress = progress_bar(if is_repeated { plan.total() } else { 0 });
    let mut tally = Tally::new()?;
    let started = Instant::now();
    let done = burst.run(&plan, |sent| {
        // People are told on standard error what could not be reached.
        if sent.failure.is_some() && !is_json {
            return Ok(());
        }
        let verdict = Verdict::of(&sent.reply);
        tally.add(&sent.reply, &verdict);
        progress.inc(1);
        match (is_repeated, is_json) {
            (true, _) => Ok(()),
            (false, true) => out::print_line(json::exchange(sent, &verdict)?),
            (false, false) => out::print(&report::exchange(sent, &verdict)),
        }
    });
    let took = started.elapsed();
    progress.finish_and_clear();
    // A program that asked for several waits for the line for all.
    if is_json && plan.total() > 1 {
        out::print_line(json::summary(&tally, took)?)?;
    } else if !is_json && tally.total() > 1 {
        out::print(&report::summary(&tally, took))?;
    }
    done?;
    Ok(if tally.delivered() == tally.total() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A bar on standard error if that is a terminal, and if there is more than one to wait for.
fn progress_bar(total: u64) -> ProgressBar {
    if total < 2 {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(total);
    match ProgressStyle::with_template("{bar:40} {pos}/{len}  {elapsed}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
