//! What came of each case, in a table or in JSON.

use std::fmt::Write as _;

use serde::Serialize;
use trtc_call_webhook::{ActionType, Billing, CallResult, Callback, MemberStatus, SdkAppId};

use super::Outcome;
use super::cases::Case;
use super::receiver::Seen;
use crate::client::{Answer, Endpoint, Reply};
use crate::failure::Failure;
use crate::out::{BAD, BOLD, GOOD, plain, styled};
use crate::table;
use crate::verdict::Packet;

const AS_EXPECTED: &str = "ok";
const NOT_AS_EXPECTED: &str = "WRONG";

#[derive(Serialize)]
pub(super) struct Row {
    command: String,
    with: String,
    /// None if no answer came.
    status: Option<u16>,
    answered: String,
    seen: String,
    #[serde(rename = "as_expected")]
    pub(super) is_as_expected: bool,
}

impl Row {
    pub(super) fn new(case: &Case, outcome: &Outcome) -> Self {
        let (answered, is_answer_right) = match &outcome.reply {
            Reply::Answer(answer) => (in_short(answer), is_right(case, answer)),
            Reply::Lost(why) => (plain(why).into_owned(), false),
        };
        Self {
            command: case.command.to_string(),
            with: case.with.clone(),
            status: match &outcome.reply {
                Reply::Answer(answer) => Some(answer.status),
                Reply::Lost(_) => None,
            },
            answered,
            seen: match outcome.seen.as_slice() {
                [] => "nothing".to_owned(),
                seen => seen.iter().map(story).collect::<Vec<_>>().join("; "),
            },
            is_as_expected: is_answer_right && outcome.seen.iter().eq(&case.seen),
        }
    }
}

/// Whether the answer is the contract's, to the byte.
fn is_right(case: &Case, answer: &Answer) -> bool {
    answer.status == case.answer.status()
        && answer.content_type.as_deref() == Some(case.answer.content_type())
        && answer.body == **case.answer.body()
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
