//! What came of each case, in a table or in JSON.

use std::fmt::Write as _;

use serde::Serialize;
use trtc_call_webhook::{
    Ack, ActionType, Billing, CallResult, Callback, Command, MemberStatus, SdkAppId, adapter,
};

use super::Outcome;
use super::cases::Case;
use super::inbox::Scene;
use super::receiver::Seen;
use crate::client::{Answer, Endpoint, Reply};
use crate::failure::Failure;
use crate::out::{BAD, BOLD, GOOD, plain, styled};
use crate::table;
use crate::verdict::Packet;

const AS_EXPECTED: &str = "ok";
const NOT_AS_EXPECTED: &str = "WRONG";

#[derive(Default, Serialize)]
pub(super) struct Row {
    command: String,
    with: String,
    /// None if no answer came, or nothing was sent.
    status: Option<u16>,
    answered: String,
    seen: String,
    #[serde(rename = "as_expected")]
    pub(super) is_as_expected: bool,
}

impl Row {
    pub(super) fn new(case: &Case, outcome: &Outcome) -> Self {
        let is_seen = outcome.seen.iter().eq(&case.seen);
        Self {
            command: case.command.to_string(),
            with: case.with.clone(),
            seen: match outcome.seen.as_slice() {
                [] => "nothing".to_owned(),
                seen => seen.iter().map(story).collect::<Vec<_>>().join("; "),
            },
            ..Self::answered(&outcome.reply, &case.answer, is_seen)
        }
    }

    /// A row about the ended call of a scene, whose callbacks must all be taken.
    pub(super) fn of_scene(scene: &Scene, replies: &[Reply], seen: String) -> Self {
        let ok = Ack::ok().answer();
        let is_seen = seen == scene.story;
        // The first that is not as expected, or else the last, tells of all.
        let rows = || replies.iter().map(|reply| Self::answered(reply, &ok, is_seen));
        let told = rows().find(|row| !row.is_as_expected).or_else(|| rows().last());
        Self {
            command: Command::CallEnded.to_string(),
            with: format!("inbox: {}", scene.with),
            seen,
            ..told.unwrap_or_default()
        }
    }

    /// A row about a callback that is never sent.
    pub(super) fn of_lost(seen: String, expected: &str) -> Self {
        Self {
            command: Command::CallEnded.to_string(),
            with: "lost, then reconciled".to_owned(),
            status: None,
            answered: "never sent".to_owned(),
            is_as_expected: seen == expected,
            seen,
        }
    }

    /// What an answer tells, which must be this one.
    fn answered(reply: &Reply, expected: &adapter::Answer, is_seen: bool) -> Self {
        let (status, answered, is_right) = match reply {
            Reply::Answer(answer) => {
                (Some(answer.status), in_short(answer), is_right(expected, answer))
            }
            Reply::Lost(why) => (None, plain(why).into_owned(), false),
        };
        Self { status, answered, is_as_expected: is_right && is_seen, ..Self::default() }
    }
}

/// Whether the answer is the contract's, to the byte.
fn is_right(expected: &adapter::Answer, answer: &Answer) -> bool {
    answer.status == expected.status()
        && answer.content_type.as_deref() == Some(expected.content_type())
        && answer.body == **expected.body()
}

fn in_short(answer: &Answer) -> String {
    let text =
        Packet::read(&answer.body).map_or_else(|| "not JSON".to_owned(), |packet| packet.text());
    format!("{} {text}", answer.status)
}

/// What the handler was given, in a few words.
fn story(seen: &Seen) -> String {
    let story = match &seen.callback {
        Callback::CallEnded(call) => {
            let result = call.result.as_ref().map_or("no result", CallResult::as_str);
            match call.billing() {
                Billing::Connected(time) => format!("{result}, talked {} s", time.as_secs()),
                Billing::Unanswered => format!("{result}, not answered"),
                Billing::AskRecord(reason) => format!("{result}, ask the record: {reason}"),
            }
        }
        Callback::CallStarted(call) => words(call.members.iter().map(|member| {
            (member.account.as_str(), member.status.as_ref().map(MemberStatus::as_str))
        })),
        Callback::MemberChanged(call) => words(call.changes.iter().map(|change| {
            (change.account.as_str(), change.action.as_ref().map(ActionType::as_str))
        })),
        Callback::Other(other) => format!("its body, {} bytes", other.json.len()),
        _ => "something".to_owned(),
    };
    if seen.is_duplicate { format!("duplicate: {story}") } else { story }
}

fn words<'a>(pairs: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> String {
    let words: Vec<String> =
        pairs.map(|(account, word)| format!("{account} {}", word.unwrap_or("?"))).collect();
    words.join(", ")
}

/// The object of `--json`.
#[derive(Serialize)]
struct Report<'a> {
    url: String,
    sdk_app_id: SdkAppId,
    rows: &'a [Row],
    as_expected: usize,
    total: usize,
}

/// A line of JSON without the line feed.
pub(super) fn json(
    endpoint: &Endpoint,
    sdk_app_id: SdkAppId,
    rows: &[Row],
) -> Result<Vec<u8>, Failure> {
    let (url, as_expected, total) = (endpoint.to_string(), right(rows), rows.len());
    serde_json::to_vec(&Report { url, sdk_app_id, rows, as_expected, total })
        .map_err(|error| Failure::new(format!("cannot write the rows: {error}")))
}

/// How many rows are as expected.
fn right(rows: &[Row]) -> usize {
    rows.iter().filter(|row| row.is_as_expected).count()
}

/// The table for people, with what it is about before it and what it comes to after it.
pub(super) fn text(endpoint: &Endpoint, sdk_app_id: SdkAppId, rows: &[Row]) -> String {
    let cells = rows.iter().map(|row| {
        let mark = if row.is_as_expected { AS_EXPECTED } else { NOT_AS_EXPECTED };
        [&row.command, &row.with, &row.answered, &row.seen, mark]
    });
    let table = table::lines(["sent", "with", "answered", "the handler saw", "as expected"], cells);
    let mut text = format!("POST {endpoint}  app {sdk_app_id}, with a token\n\n");
    for (number, line) in table.iter().enumerate() {
        // Writing to a string has no way to fail.
        let _ = writeln!(text, "{}", with_style(number, line));
    }
    let right = right(rows);
    let total = format!("{right} of {} as expected", rows.len());
    let style = if right == rows.len() { GOOD } else { BAD };
    let _ = writeln!(text, "\n{}", styled(style, &total));
    text
}

/// Adds the colours, which a table of plain text measures without.
fn with_style(number: usize, line: &str) -> String {
    if number == 0 {
        return styled(BOLD, line);
    }
    for (mark, style) in [(AS_EXPECTED, GOOD), (NOT_AS_EXPECTED, BAD)] {
        if let Some(rest) = line.strip_suffix(mark) {
            return format!("{rest}{}", styled(style, mark));
        }
    }
    line.to_owned()
}
