//! The verdict on a request: each row of the contract, and the answer.

use std::time::SystemTime;

use serde::Serialize;
use trtc_call_webhook::{
    Ack, Answer, BodyBuffer, CallEnded, CallStarted, Callback, Command, Error, ErrorKind, Event,
    MemberChanged, Params, Receipt, Receiver, Undecoded,
};

use super::capture::{Body, Request};
use super::clock::Clock;
use super::hints;
use super::query::Query;
use super::settings::{Policy, Settings, made_by};
use crate::args::Takes;
use crate::failure::Failure;

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

/// A request, and what it is judged by.
pub(super) struct Case<'a> {
    pub(super) request: &'a Request,
    pub(super) query: &'a Query<'a>,
    pub(super) settings: &'a Settings,
    pub(super) clock: Clock,
    pub(super) receiver: Receiver,
    /// The app that is served.
    pub(super) sdk_app_id: u64,
}

/// What a receiver does with a request.
pub(super) enum Outcome {
    Refused(Error),
    /// Nothing is wrong with the head, and of the body nothing is known.
    HeadOnly,
    /// The handler runs.
    Delivered,
    /// It is acknowledged, and no handler runs.
    NotTaken,
}

impl<'a> Case<'a> {
    pub(super) fn new(
        request: &'a Request,
        query: &'a Query<'a>,
        settings: &'a Settings,
        clock: Clock,
    ) -> Result<Self, Failure> {
        let in_url = || query.value("SdkAppid")?.parse().ok().filter(|id| *id != 0);
        // Whoever names no app wants to know the rest; without one in the URL either, any will do.
        let sdk_app_id = settings.sdk_app_id.or_else(in_url).unwrap_or(1);
        let receiver = settings.receiver(sdk_app_id)?;
        Ok(Self { request, query, settings, clock, receiver, sdk_app_id })
    }

    /// What comes of the request if it arrives at this time.
    pub(super) fn outcome(&self, at: SystemTime) -> Outcome {
        self.try_outcome(at).unwrap_or_else(Outcome::Refused)
    }

    fn try_outcome(&self, at: SystemTime) -> Result<Outcome, Error> {
        let Request { method, query, announced, body, .. } = self.request;
        let mut buffer = self.receiver.check_at(method, query, *announced, at)?.read_body();
        match body {
            Body::Unknown => return Ok(Outcome::HeadOnly),
            Body::Cut { bytes, why } => {
                buffer.push(bytes)?;
                return Err(buffer.unreadable(why.clone()));
            }
            Body::Whole(bytes) => buffer.push(bytes)?,
        }
        match self.settings.takes {
            Takes::CallEnded => receive::<CallEnded>(buffer),
            Takes::CallStarted => receive::<CallStarted>(buffer),
            Takes::MemberChanged => receive::<MemberChanged>(buffer),
            Takes::Callback => receive::<Callback>(buffer),
            Takes::Undecoded => receive::<Undecoded>(buffer),
        }
    }

    /// The parameters, once the head passes at this time.
    fn params(&self, at: SystemTime) -> Option<Params> {
        let Request { method, query, announced, .. } = self.request;
        let head = self.receiver.check_at(method, query, *announced, at).ok()?;
        Some(head.params().clone())
    }

    /// The row that an error is of.
    pub(super) fn row(&self, error: &Error) -> u8 {
        match error.kind() {
            ErrorKind::MethodNotAllowed => 1,
            ErrorKind::MalformedQuery if self.query.trouble().is_some() => 2,
            ErrorKind::MalformedQuery => 3,
            ErrorKind::ForeignApp => 4,
            ErrorKind::Unsigned | ErrorKind::BadSignature | ErrorKind::StaleSignature => 5,
            ErrorKind::BodyTooLarge => 6,
            ErrorKind::UnreadableBody => 7,
            ErrorKind::MalformedBody => 8,
            ErrorKind::CommandMismatch => 9,
            ErrorKind::NoCallId => 10,
            // None is left that a receiver which is there can give.
            _ => 0,
        }
    }

    /// `RequestTime` in seconds, if it is a number.
    pub(super) fn request_time(&self) -> Option<i64> {
        self.query.value("RequestTime")?.parse().ok()
    }

    /// How many seconds the clock is behind `RequestTime`; negative if it is before it.
    pub(super) fn age(&self, at: SystemTime) -> Option<i64> {
        let clock = Clock { at, ..self.clock };
        Some(clock.seconds().saturating_sub(self.request_time()?))
    }

    /// The places, from 1, of the tokens that made the signature.
    pub(super) fn makers(&self) -> Vec<usize> {
        let Some(time) = self.request_time() else { return Vec::new() };
        let tokens = self.settings.tokens.iter().zip(1..);
        let makers =
            tokens.filter(|(token, _)| made_by(token, self.query.raw, self.sdk_app_id, time));
        makers.map(|(_, place)| place).collect()
    }
}

fn receive<E: Event>(buffer: BodyBuffer) -> Result<Outcome, Error> {
    Ok(match buffer.receive::<E>()? {
        Receipt::Deliver(_) => Outcome::Delivered,
        Receipt::Acknowledge(_) => Outcome::NotTaken,
    })
}

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
            Outcome::Refused(error) => Some((case.row(error), error)),
            _ => None,
        };
        let step = |(row, name)| match failed {
            Some((last, error)) if row == last => Step {
                row,
                name,
                result: Passage::Failed,
                kind: Some(error.kind().as_str()),
                reason: reason(error),
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

/// What an error says besides its kind.
fn reason(error: &Error) -> String {
    let text = error.to_string();
    text.split_once(": ").map_or(text.clone(), |(_, reason)| reason.to_owned())
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
        4 if case.settings.sdk_app_id.is_none() => {
            format!("{} is taken for yours, since no --sdk-app-id says otherwise", case.sdk_app_id)
        }
        4 => format!("{} is served", case.sdk_app_id),
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
    Step { row, name, result: Passage::Passed, kind: None, reason, hints: Vec::new() }
}

fn limit(case: &Case<'_>) -> String {
    format!("at most {}", case.receiver.body_limit())
}

/// Why the signature passes.
fn signature(case: &Case<'_>) -> String {
    let has = |key| case.query.value(key).is_some();
    let is_signed = has("Sign") || has("RequestTime");
    match (case.settings.policy, case.settings.tokens.len()) {
        (Policy::Default, 0) if is_signed => {
            "there is no token to check the signature with: --token gives it".to_owned()
        }
        (Policy::Default, 0) => "there is no token, so none is asked for".to_owned(),
        (Policy::Ignore, _) => "the policy does not look".to_owned(),
        (Policy::AcceptUnsigned, _) if !is_signed => {
            "unsigned, which the policy accepts".to_owned()
        }
        (_, count) => {
            let makers: Vec<String> = case.makers().iter().map(usize::to_string).collect();
            let age = case.age(case.clock.at).unwrap_or_default();
            let side = if age < 0 { "after" } else { "before" };
            let age = age.unsigned_abs();
            format!("made by token {} of {count}, {age} s {side} the clock", makers.join(" and "))
        }
    }
}

/// Where the command stands.
fn commands(case: &Case<'_>) -> String {
    let in_url = case.params(case.clock.at).and_then(|params| params.command().cloned());
    let in_url = in_url.as_ref().map(Command::as_str);
    let place = match (in_url, hints::command_in(case.request.body.bytes())) {
        (Some(_), Some(_)) => "the URL and the body agree",
        (Some(_), None) => "only the URL has one",
        (None, _) => "only the body has one",
    };
    let command = in_url.map(str::to_owned);
    let command = command.or_else(|| hints::command_in(case.request.body.bytes()));
    match command.as_deref().and_then(hints::shown) {
        Some(command) => format!("{place}: {command}"),
        None => place.to_owned(),
    }
}
