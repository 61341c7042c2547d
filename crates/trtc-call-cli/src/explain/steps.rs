//! The rows of the contract one by one: whether a request passes each, and why.

use std::cmp::Ordering;

use serde::Serialize;
use trtc_call_webhook::{Parameter, Reason, Signature};

use super::hints;
use super::judge::{self, Case, Outcome};
use crate::args::Takes;

/// The rows of the contract that a request can fail, from 1.
const ROWS: [&str; 10] = [
    "method",
    "query",
    "SDKAppID",
    "app",
    "signature",
    "length",
    "arrival",
    "JSON",
    "command",
    "call id",
];

/// One row of the contract.
#[derive(Serialize)]
pub(super) struct Step {
    pub(super) row: u8,
    pub(super) name: &'static str,
    /// `passed`, `failed`, `not reached`, or `not known` where the capture does not tell.
    pub(super) result: &'static str,
    /// The refusal's kind, where the row fails.
    kind: Option<&'static str>,
    /// Why it passes, fails or is not reached.
    pub(super) reason: String,
    /// What to do about it.
    pub(super) hints: Vec<String>,
}

pub(super) fn steps(case: &Case<'_>, outcome: &Outcome) -> Vec<Step> {
    (1..).zip(ROWS).map(|(row, name)| step(case, outcome, row, name)).collect()
}

fn step(case: &Case<'_>, outcome: &Outcome, row: u8, name: &'static str) -> Step {
    let reported = if case.report_only && row == 5 { case.signature() } else { None };
    let hinted = reported.and_then(Signature::reason);
    let step = |result, reason| Step { row, name, result, kind: None, reason, hints: Vec::new() };
    if let Outcome::Refused(error) = outcome {
        let last = judge::row(error.reason());
        match row.cmp(&last) {
            Ordering::Less => {}
            Ordering::Equal => {
                let kind = Some(error.kind().as_str());
                let hints = hints::of(case, error.reason());
                return Step { kind, hints, ..step("failed", error.to_string()) };
            }
            Ordering::Greater => return step("not reached", format!("row {last} failed")),
        }
    }
    let takes = case.takes.name();
    match outcome {
        _ if row == 1 && case.request.method.is_none() => step(
            "not known",
            "nothing tells the method: it is taken for POST, and --method says it".to_owned(),
        ),
        Outcome::HeadOnly if row >= 7 => step("not reached", "the body is not known".to_owned()),
        Outcome::NotTaken if row == 10 => {
            step("not reached", format!("a handler of {takes} does not take this command"))
        }
        _ if row >= 8 && case.takes == Takes::Undecoded => {
            step("not reached", format!("a handler of {takes} gets the bytes as they are"))
        }
        _ => {
            let hints = hinted.map_or_else(Vec::new, |reason| hints::of(case, reason));
            Step { hints, ..step("passed", why_it_passes(case, row, hinted)) }
        }
    }
}

fn why_it_passes(case: &Case<'_>, row: u8, reported: Option<Reason>) -> String {
    let app = || case.sdk_app_id.map_or_else(String::new, |id| id.to_string());
    match row {
        1 => "it is POST".to_owned(),
        2 => format!("{} bytes, no checked parameter with two values", case.request.query.len()),
        3 => "a plain decimal number".to_owned(),
        4 if case.is_any_app => {
            format!("{} is taken for yours, since no --sdk-app-id says otherwise", app())
        }
        4 => format!("{} is served", app()),
        5 => match (reported, case.signature()) {
            (Some(reason), _) => format!("{reason}; that is only reported"),
            (None, Some(Signature::Valid)) => {
                format!("made by token {} of {}", case.makers(), case.tokens.len())
            }
            _ => "there is no token, so none is verified: --token gives it".to_owned(),
        },
        6 => format!("at most {} bytes", case.verifier.body_limit()),
        7 => "the body is whole".to_owned(),
        8 => "one JSON object".to_owned(),
        9 => match case.parameter(Parameter::Command) {
            "" => "only the body has one".to_owned(),
            command => format!("{}, and the body does not differ", hints::shown(command)),
        },
        _ => "the event has one, or needs none".to_owned(),
    }
}
