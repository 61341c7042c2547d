//! What is printed of a judgement: for people, or for machines.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;
use trtc_call_webhook::SdkAppId;

use super::clock;
use super::judge::{Case, Outcome};
use super::steps::{Judgement, Passage, Step};
use crate::client::{Answer, Reply};
use crate::failure::Failure;
use crate::out::{BAD, BOLD, DIM, GOOD, plain, styled};
use crate::verdict::Verdict;

/// A line of JSON without the line feed.
#[derive(Serialize)]
struct Report<'a> {
    understood: Vec<String>,
    request: RequestFacts<'a>,
    verifier: VerifierFacts,
    clock: ClockFacts,
    steps: &'a [Step],
    /// None if the capture has no body and its head passes.
    answer: Option<AnswerFacts>,
    /// This and the next two are null where nobody knows.
    acknowledged: Option<bool>,
    handler_runs: Option<bool>,
    /// Whether Tencent would count it as delivered.
    delivered: Option<bool>,
    delivered_why: String,
}

#[derive(Serialize)]
struct RequestFacts<'a> {
    method: &'a str,
    query_bytes: usize,
    body_bytes: Option<usize>,
    announced_bytes: Option<u64>,
}

#[derive(Serialize)]
struct VerifierFacts {
    /// None if nobody said it and the URL does not either.
    sdk_app_id: Option<SdkAppId>,
    /// Whether `sdk_app_id` was given, and not taken from the URL.
    sdk_app_id_given: bool,
    tokens: usize,
    policy: &'static str,
    replay_window_seconds: u64,
    body_limit: usize,
    takes: &'static str,
}

#[derive(Serialize)]
struct ClockFacts {
    unix_seconds: i64,
    now: bool,
    /// How far `RequestTime` is before it, negative after it.
    age_seconds: Option<i64>,
}

#[derive(Serialize)]
struct AnswerFacts {
    status: u16,
    content_type: &'static str,
    allow: Option<&'static str>,
    body: String,
    body_bytes: usize,
}

pub(super) fn json(case: &Case<'_>, judgement: &Judgement) -> Result<Vec<u8>, Failure> {
    let answer = judgement.answer().map(|answer| AnswerFacts {
        status: answer.status(),
        content_type: answer.content_type(),
        allow: answer.allow(),
        body: String::from_utf8_lossy(answer.body()).into_owned(),
        body_bytes: answer.body().len(),
    });
    let verdict = verdict(judgement);
    let report = Report {
        understood: understood(case),
        request: RequestFacts {
            method: method(case),
            query_bytes: case.request.query.len(),
            body_bytes: known_length(case),
            announced_bytes: case.request.announced,
        },
        verifier: VerifierFacts {
            sdk_app_id: case.sdk_app_id,
            sdk_app_id_given: case.settings.sdk_app_id.is_some(),
            tokens: case.settings.tokens.len(),
            policy: case.settings.policy_texts().0,
            replay_window_seconds: case.verifier.replay_window().as_secs(),
            body_limit: case.verifier.body_limit(),
            takes: case.settings.takes.name(),
        },
        clock: ClockFacts {
            unix_seconds: case.clock.seconds(),
            now: case.clock.is_now,
            age_seconds: case.age(case.clock.at),
        },
        acknowledged: answer.as_ref().map(|answer| answer.status == 200),
        steps: &judgement.steps,
        answer,
        handler_runs: match judgement.outcome {
            Outcome::HeadOnly => None,
            Outcome::Delivered => Some(true),
            Outcome::NotTaken | Outcome::Refused(_) => Some(false),
        },
        delivered: verdict.as_ref().map(|verdict| verdict.is_delivered),
        delivered_why: verdict.map_or_else(|| NO_BODY.to_owned(), |verdict| verdict.why),
    };
    serde_json::to_vec(&report)
        .map_err(|error| Failure::new(format!("cannot write the explanation: {error}")))
}

const NO_BODY: &str = "nobody knows without the body";

/// The explanation for people.
pub(super) fn text(case: &Case<'_>, judgement: &Judgement) -> String {
    // Writing to a string has no way to fail.
    let mut text = String::new();
    let mut label = "understood";
    for note in understood(case) {
        let _ = writeln!(text, "{label:<12}{}", plain(&note));
        label = "";
    }
    let body = known_length(case).map_or("unknown".to_owned(), |length| format!("{length} bytes"));
    let _ = writeln!(
        text,
        "request     {}{}  query {} bytes  body {body}",
        plain(method(case)),
        path(case).map_or(String::new(), |path| format!(" {path}")),
        case.request.query.len(),
    );
    let tokens = case.settings.tokens.len();
    let _ = writeln!(
        text,
        "verifier    app {}  {tokens} token{}: {}  window {} s  limit {} bytes  takes {}",
        case.sdk_app_id.map_or_else(|| "unknown".to_owned(), |id| id.to_string()),
        if tokens == 1 { "" } else { "s" },
        case.settings.policy_texts().1,
        case.verifier.replay_window().as_secs(),
        case.verifier.body_limit(),
        case.settings.takes.name(),
    );
    let now = if case.clock.is_now { ", which is now" } else { "" };
    let _ = writeln!(text, "clock       {}{now}\n", clock::text(case.clock.at));
    for step in &judgement.steps {
        add_step(&mut text, step);
    }
    add_answer(&mut text, judgement);
    text
}

fn add_step(text: &mut String, Step { row, name, result, reason, hints, .. }: &Step) {
    let (word, style) = match result {
        Passage::Passed => ("passed", GOOD),
        Passage::Failed => ("FAILED", BAD),
        Passage::NotReached => ("not reached", DIM),
    };
    let word = styled(style, &format!("{word:<11}"));
    let _ = writeln!(text, "{row:>2}  {name:<9}  {word}  {}", plain(reason));
    for hint in hints {
        let _ = writeln!(text, "{:>26}-> {}", "", plain(hint));
    }
}

fn add_answer(text: &mut String, judgement: &Judgement) {
    let (Some(answer), Some(verdict)) = (judgement.answer(), verdict(judgement)) else {
        let _ = writeln!(text, "\nanswer: {NO_BODY}");
        return;
    };
    let handler = match judgement.outcome {
        Outcome::Delivered => "runs; this is the answer if it keeps the callback",
        _ => "does not run",
    };
    let allow = answer.allow().map_or(String::new(), |allow| format!("  allow: {allow}"));
    let length = answer.body().len();
    let head =
        format!("HTTP {}  {}  {length} bytes{allow}", answer.status(), answer.content_type());
    let word = if verdict.is_delivered { styled(GOOD, "yes") } else { styled(BAD, "no") };
    let body = String::from_utf8_lossy(answer.body());
    let _ = writeln!(
        text,
        "\nthe handler {handler}\n{}\n{body}\ndelivered: {word} — {}",
        styled(BOLD, &head),
        verdict.why
    );
}

/// What the vendor would make of the answer.
fn verdict(judgement: &Judgement) -> Option<Verdict> {
    let answer = judgement.answer()?;
    Some(Verdict::of(&Reply::Answer(Answer {
        status: answer.status(),
        content_type: Some(answer.content_type().to_owned()),
        body: answer.body().to_vec(),
        took: Duration::ZERO,
    })))
}

fn understood(case: &Case<'_>) -> Vec<String> {
    let mut notes = case.request.notes.clone();
    if notes.is_empty() {
        notes.push("a URL".to_owned());
    }
    notes
}

fn known_length(case: &Case<'_>) -> Option<usize> {
    case.request.body.known().map(<[u8]>::len)
}

/// The method, unless it is something that nobody calls one.
fn method<'a>(case: &Case<'a>) -> &'a str {
    let method = case.request.method.as_str();
    let is_word = method.len() <= 20 && method.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_word { method } else { "?" }
}

/// The path, unless it may be more than one: a token in it, or a digest.
fn path<'a>(case: &Case<'a>) -> Option<&'a str> {
    let path = case.request.path.as_str();
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.');
    let is_digest = |run: &str| run.len() >= 32;
    let has_secret = case.settings.tokens.iter().any(|token| path.contains(token))
        || path.split(|char: char| !char.is_ascii_hexdigit()).any(is_digest);
    let is_shown = !path.is_empty() && path.len() <= 64 && path.bytes().all(is_plain);
    (is_shown && !has_secret).then_some(path)
}
