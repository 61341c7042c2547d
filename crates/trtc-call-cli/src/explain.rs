//! `trtc-call explain`: what a verifier makes of a captured request, row by row of the contract.
//!
//! Every rule is asked of core: the settings make a real verifier, the capture goes through it, and
//! what is printed besides is found by asking it about the request with one thing changed.

mod capture;
mod clock;
mod hints;
mod judge;
mod raw;
mod report;
mod steps;
mod text;

use std::process::ExitCode;

use self::clock::Clock;
use self::judge::Case;
use self::report::Report;
use crate::args::ExplainArgs;
use crate::failure::Failure;
use crate::out;

pub(crate) fn run(args: ExplainArgs) -> Result<ExitCode, Failure> {
    let clock = Clock::new(args.verifier.at.as_deref())?;
    let request = capture::read(args.capture)?;
    let case = Case::new(&request, clock, args.verifier)?;
    let report = Report::new(&case);
    if args.json {
        out::print_line(report.json())?;
    } else {
        out::print(&report.text())?;
    }
    match report.status() {
        Some(200) => Ok(ExitCode::SUCCESS),
        Some(_) => Ok(ExitCode::FAILURE),
        None => Err(Failure::new(
            "what is captured has no body: --body TEXT|@FILE adds it, @- from standard input",
        )),
    }
}
