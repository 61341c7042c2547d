//! `trtc-call explain`: what a verifier makes of a captured request, row by row of the contract.
//!
//! Every rule is asked of core: the settings make a real verifier, the capture goes through it, and
//! what is printed besides is found by asking it about the request with one thing changed.

mod capture;
mod clock;
mod hints;
mod judge;
mod report;
mod settings;
mod steps;

use std::process::ExitCode;

use self::clock::Clock;
use self::judge::Case;
use self::settings::Settings;
use self::steps::Judgement;
use crate::args::ExplainArgs;
use crate::failure::Failure;
use crate::out;

pub(crate) fn run(args: ExplainArgs) -> Result<ExitCode, Failure> {
    let clock = Clock::new(args.verifier.at.as_deref())?;
    let settings = Settings::new(args.verifier)?;
    let mut request = capture::read(args.capture)?;
    let clock = match request.logged_at {
        Some(at) if clock.is_now => {
            request.notes.push("the clock is the log's, unless --at says otherwise".to_owned());
            Clock { at, is_now: false }
        }
        _ => clock,
    };
    let case = Case::new(&request, &settings, clock)?;
    let judgement = Judgement::new(&case);
    if args.json {
        out::print_line(report::json(&case, &judgement)?)?;
    } else {
        out::print(&report::text(&case, &judgement))?;
    }
    match judgement.answer() {
        Some(answer) if answer.status() == 200 => Ok(ExitCode::SUCCESS),
        Some(_) => Ok(ExitCode::FAILURE),
        None => Err(Failure::new(
            "what is captured has no body: --body TEXT|@FILE adds it, @- from standard input",
        )),
    }
}
