//! The rows of the contract one by one: whether a request passes each, and why.

use serde::Serialize;
use trtc_call_webhook::adapter::Answer;
use trtc_call_webhook::{Ack, Reason, Signature};

use super::clock;
use super::hints;
use super::judge::{Case, Outcome, row};
use crate::args::Takes;

/// The rows of the contract that a request can fail.
const ROWS: [(u8, &str); 10] = [
    (1, "method"),
    (2, "query"),
    (3, "SDKAppID"),
    (4, "app"),
    (5, "signature"),
    (6, "length"),
    (7, "arrival"),
    (8, "JSON"),
    (9, "command"),
    (10, "call id"),
];

/// One row of the contract.
#[derive(Serialize)]
pub(super) struct Step {
    pub(super) row: u8,
    pub(super) name: &'static str,
    pub(super) result: Passage,
    /// The error's kind, where the row fails.
    kind: Option<&'static str>,
    /// Why it passes, fails or is not reached.
    pub(super) reason: String,
    /// What to do about it.
    pub(super) hints: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Passage {
    #[serde(rename = "passed")]
    Passed,
    #[serde(rename = "failed")]
    Failed,
    #[serde(rename = "not reached")]
    NotReached,
}

/// Everything that is found about a request.
pub(super) struct Judgement {
    pub(super) steps: Vec<Step>,
    pub(super) outcome: Outcome,
}

impl Judgement {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let outcome = case.outcome(case.clock.at);
        let failed = match &outcome {
            Outcome::Refused(error) => Some((row(error.reason()), error)),
            _ => None,
        };
        let step = |(row, name)| match failed {
            Some((last, error)) if row == last => Step {
                row,
                name,
                result: Passage::Failed,
                kind: Some(error.kind().as_str()),
                reason: error.reason().to_string(),
                hints: hints::of(case, error),
            },
            Some((last, _)) if row > last => not_reached((row, name), format!("row {last} failed")),
            _ => match unreached(case, &outcome, row) {
                Some(why) => not_reached((row, name), why),
                None => passed(case, (row, name)),
            },
        };
        Self { steps: ROWS.into_iter().map(step).collect(), outcome }
    }

    /// What is sent back, if the handler keeps what it is given; none if that cannot be told.
    pub(super) fn answer(&self) -> Option<Answer> {
        match &self.outcome {
            Outcome::Refused(error) => Some(error.answer()),
            Outcome::HeadOnly => None,
            Outcome::Delivered | Outcome::NotTaken => Some(Ack::ok().answer()),
        }
    }
}

const fn not_reached((row, name): (u8, &'static str), reason: String) -> Step {
    let result = Passage::NotReached;
    Step { row, name, result, kind: None, reason, hints: Vec::new() }
}

/// Why a row does not run although none before it failed.
fn unreached(case: &Case<'_>, outcome: &Outcome, row: u8) -> Option<String> {
    match outcome {
        Outcome::HeadOnly if row == 6 && case.request.announced.is_none() => {
            Some("the length is not known".to_owned())
        }
        Outcome::HeadOnly if row >= 7 => Some("the body is not known".to_owned()),
        _ if row >= 8 && case.settings.takes == Takes::Undecoded => {
            Some("a handler of Undecoded gets the bytes as they are".to_owned())
        }
        Outcome::NotTaken if row == 10 => {
            Some(format!("a handler of {} does not take this command", case.settings.takes.name()))
        }
        _ => None,
    }
}

fn passed(case: &Case<'_>, (row, name): (u8, &'static str)) -> Step {
    let bytes = case.request.body.len();
    let reason = match row {
        1 => "it is POST".to_owned(),
        2 => format!("{} bytes, no checked parameter with two values", case.request.query.len()),
        3 => "a plain decimal number".to_owned(),
        4 => app(case),
        5 => signature(case),
        6 => match case.request.announced {
            Some(length) => format!("{length} bytes are announced, of {}", limit(case)),
            None => format!("nothing is announced; {bytes} bytes came, of {}", limit(case)),
        },
        7 => format!("{bytes} bytes"),
        8 => "one JSON object".to_owned(),
        9 => commands(case),
        _ => "the event has one, or needs none".to_owned(),
    };
    let hints = match reported(case) {
        Some(reason) if row == 5 => hints::of_reason(case, reason),
        _ => Vec::new(),
    };
    Step { row, name, result: Passage::Passed, kind: None, reason, hints }
}

fn limit(case: &Case<'_>) -> String {
    format!("at most {}", case.verifier.body_limit())
}

/// The app that is served.
fn app(case: &Case<'_>) -> String {
    let id = case.sdk_app_id.map_or_else(String::new, |id| id.to_string());
    match case.settings.sdk_app_id {
        Some(_) => format!("{id} is served"),
        None => format!("{id} is taken for yours, since no --sdk-app-id says otherwise"),
    }
}

/// Why the signature passes.
fn signature(case: &Case<'_>) -> String {
    if let Some(reason) = reported(case) {
        return format!("{reason}; that is only reported");
    }
    let count = case.settings.tokens.len();
    match case.signature() {
        Some(Signature::Valid) => {
            let age = clock::age_text(case.age(case.clock.at).unwrap_or_default());
            format!("made by token {} of {count}, {age}", case.makers())
        }
        Some(Signature::Unverified) => {
            "there is no token to verify the signature with: --token gives it".to_owned()
        }
        _ => "there is no token, so none is asked for".to_owned(),
    }
}

/// What is wrong with a signature that passes since the app only reports.
fn reported(case: &Case<'_>) -> Option<Reason> {
    case.signature().filter(|_| case.settings.report_only)?.reason()
}

/// Where the command stands.
fn commands(case: &Case<'_>) -> String {
    let in_url = case.command_in_url();
    let in_body = hints::command_in(case.request.body.bytes());
    let place = match (in_url, &in_body) {
        (Some(_), Some(_)) => "the URL and the body agree",
        (Some(_), None) => "only the URL has one",
        (None, _) => "only the body has one",
    };
    match in_url.or(in_body.as_deref()).and_then(hints::shown) {
        Some(command) => format!("{place}: {command}"),
        None => place.to_owned(),
    }
}
