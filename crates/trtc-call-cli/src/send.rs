//! `trtc-call send`: sends what Tencent would send, and says what would come of it.

mod burst;
mod json;
mod plan;
mod report;
mod tally;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use self::burst::Burst;
use self::plan::Plan;
use self::tally::Tally;
use crate::args::SendArgs;
use crate::client::{Client, Endpoint, Trust};
use crate::failure::Failure;
use crate::verdict::Verdict;
use crate::{out, progress};

pub(crate) fn run(args: SendArgs) -> Result<ExitCode, Failure> {
    let endpoint = Arc::new(Endpoint::parse(&args.url)?);
    let trust = Trust::new(&endpoint, args.ca_cert.as_deref())?;
    let burst = Burst {
        endpoint: Arc::clone(&endpoint),
        client: Client::new(args.timeout, trust)?,
        concurrency: args.concurrency,
    };
    // Of what is sent again and again, people want the sum alone.
    let is_repeated = args.count > 1;
    let is_json = args.json;
    let plan = Arc::new(Plan::new(args)?);

    if !is_json {
        out::print(&report::heading(&endpoint, &plan))?;
    }
    let progress = progress::bar(if is_repeated { plan.total() } else { 0 });
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
        match (is_json, is_repeated) {
            (true, _) => out::print_line(json::exchange(sent, &verdict)?),
            (false, true) => Ok(()),
            (false, false) => out::print(&report::exchange(sent, &verdict)),
        }
    });
    let took = started.elapsed();
    progress.finish_and_clear();
    // A program that asked for several waits for the summary.
    if is_json && plan.total() > 1 {
        out::print_line(json::summary(&tally, took)?)?;
    } else if !is_json && tally.total() > 1 {
        out::print(&report::summary(&tally, took))?;
    }
    done?;
    Ok(if tally.delivered() == tally.total() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
