//! The line for each callback: for people, or for machines.

use std::io;

use serde::Serialize;
use trtc_call_inbox::Acceptance;
use trtc_call_webhook::{
    ActionType, Billing, CallResult, CallType, Command, Error, IdempotencyKey, MediaType, Member,
    MemberChange, MemberStatus, RoomId, SdkAppId, UnixMillis,
};
use trtc_call_webhook_axum::{CallEnded, CallStarted, Callback, Delivery, MemberChanged};

use crate::out::{self, BAD, BOLD, DIM, GOOD, plain, styled};

/// What is printed for a callback.
pub(super) enum Printed {
    /// With its line feed.
    Text(String),
    /// Without.
    Json(Vec<u8>),
}

impl Printed {
    pub(super) fn print(self) -> io::Result<()> {
        match self {
            Self::Text(line) => out::try_print(&line),
            Self::Json(line) => out::try_print_line(line),
        }
    }
}

/// The line for a callback, of which a store takes what does not decode too.
pub(super) fn line<E: trtc_call_webhook::Event>(
    delivery: &Delivery<E>,
    callback: Result<Option<&Callback>, &Error>,
    inbox: Option<&Acceptance>,
    is_json: bool,
) -> io::Result<Printed> {
    let inbox = inbox.map(in_a_word);
    Ok(if is_json {
        Printed::Json(json(delivery, callback, inbox)?)
    } else {
        Printed::Text(text(callback, inbox))
    })
}

const fn in_a_word(acceptance: &Acceptance) -> &'static str {
    match acceptance {
        Acceptance::Stored => "stored",
        Acceptance::Duplicate => "duplicate",
        Acceptance::Disputed => "disputed",
        Acceptance::Failed(_) => "failed",
    }
}

/// What every line of JSON has, and after it what the command brings.
#[derive(Serialize)]
struct Line<'a> {
    /// Null if neither the URL nor a body that decodes has one.
    command: Option<&'a str>,
    call_id: Option<&'a str>,
    #[serde(flatten)]
    event: Event<'a>,
    sdk_app_id: SdkAppId,
    /// What it was found to be: `valid`, `missing`, `invalid` or `unverified`.
    signature: &'static str,
    /// The same for a callback that is delivered again.
    idempotency_key: &'a IdempotencyKey,
    #[serde(skip_serializing_if = "Option::is_none")]
    inbox: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Event<'a> {
    Ended {
        result: Option<&'a str>,
        caller: Option<&'a str>,
        callees: Vec<&'a str>,
        /// 0 when nobody answered, null when the record must be asked.
        talk_seconds: Option<u64>,
        ring_seconds: Option<u64>,
        media_type: Option<&'a MediaType>,
        call_type: Option<&'a CallType>,
        room: Option<String>,
    },
    Started {
        media_type: Option<&'a MediaType>,
        members: &'a [Member],
        room: Option<String>,
        /// Milliseconds since 1970.
        event_time: Option<UnixMillis>,
    },
    Changed {
        changes: &'a [MemberChange],
        members: &'a [Member],
        /// Milliseconds since 1970.
        event_time: Option<UnixMillis>,
    },
    Other {
        /// The body as text: JSON of which nothing is known, and which may not fit on one line.
        body: &'a str,
    },
    Undecodable {
        /// Why.
        error: String,
    },
}

fn json<E: trtc_call_webhook::Event>(
    delivery: &Delivery<E>,
    callback: Result<Option<&Callback>, &Error>,
    inbox: Option<&'static str>,
) -> io::Result<Vec<u8>> {
    let event = match callback {
        Err(error) => Event::Undecodable { error: error.to_string() },
        Ok(Some(Callback::CallEnded(call))) => Event::Ended {
            result: call.result.as_ref().map(CallResult::as_str),
            caller: call.caller.as_deref(),
            callees: call.callees().collect(),
            talk_seconds: call.billing().seconds(),
            ring_seconds: call.ringing_time().map(|time| time.as_secs()),
            media_type: call.media_type.as_ref(),
            call_type: call.call_type.as_ref(),
            room: call.room().map(RoomId::to_string),
        },
        Ok(Some(Callback::CallStarted(call))) => Event::Started {
            media_type: call.media_type.as_ref(),
            members: &call.members,
            room: call.room().map(RoomId::to_string),
            event_time: call.event_time,
        },
        Ok(Some(Callback::MemberChanged(call))) => Event::Changed {
            changes: &call.changes,
            members: &call.members,
            event_time: call.event_time,
        },
        Ok(Some(Callback::Other(other))) => Event::Other { body: &other.json },
        Ok(_) => Event::Other { body: str::from_utf8(delivery.body()).unwrap_or_default() },
    };
    let callback = callback.ok().flatten();
    let command = callback.map(Callback::command).or(delivery.params().command());
    let line = Line {
        command: command.map(Command::as_str),
        call_id: callback.and_then(Callback::call_id),
        event,
        sdk_app_id: delivery.params().sdk_app_id(),
        signature: delivery.signature().as_str(),
        idempotency_key: delivery.idempotency_key(),
        inbox,
    };
    Ok(serde_json::to_vec(&line)?)
}

fn text(callback: Result<Option<&Callback>, &Error>, inbox: Option<&str>) -> String {
    let mut line = match callback {
        Ok(Some(callback)) => about(callback),
        Ok(None) => "a callback that no event is for".to_owned(),
        Err(error) => styled(BAD, &plain(&format!("a callback that does not decode: {error}"))),
    };
    if let Some(word) = inbox.filter(|word| *word != "stored") {
        add(&mut line, &styled(BOLD, word));
    }
    line.push('\n');
    line
}

/// A callback in a line.
fn about(callback: &Callback) -> String {
    let mut line = styled(BOLD, &plain(callback.command().as_str()));
    if let Some(id) = callback.call_id() {
        add(&mut line, &styled(DIM, &plain(id)));
    }
    match callback {
        Callback::CallEnded(call) => add_ended(&mut line, call),
        Callback::CallStarted(CallStarted { members, .. }) => {
            let status = |member: &Member| {
                phrase(&member.account, member.status.as_ref().map(MemberStatus::as_str))
            };
            add(&mut line, &list(members.iter().map(status)));
        }
        Callback::MemberChanged(MemberChanged { changes, .. }) => {
            let action = |change: &MemberChange| {
                phrase(&change.account, change.action.as_ref().map(ActionType::as_str))
            };
            add(&mut line, &list(changes.iter().map(action)));
        }
        Callback::Other(other) => add(&mut line, &plain(other.json.trim())),
        _ => {}
    }
    line
}

fn add_ended(line: &mut String, call: &CallEnded) {
    let billing = call.billing();
    let style = if matches!(billing, Billing::Connected(_)) { GOOD } else { BAD };
    let result = call.result.as_ref().map_or("no result", CallResult::as_str);
    add(line, &styled(style, &plain(result)));
    let caller = call.caller.as_deref().unwrap_or("nobody");
    let callees = list(call.callees().map(|callee| plain(callee).into_owned()));
    add(line, &format!("{} -> {callees}", plain(caller)));
    match billing {
        Billing::Connected(time) => add(line, &format!("talked {} s", time.as_secs())),
        Billing::Unanswered => add(line, "talked 0 s"),
        Billing::AskRecord(reason) => add(line, &format!("ask the record: {reason}")),
    }
    // None where the record is to be asked: no time of such a call is shown.
    if let Some(time) = call.ringing_time() {
        add(line, &format!("rang {} s", time.as_secs()));
    }
}

fn add(line: &mut String, piece: &str) {
    line.push_str("  ");
    line.push_str(piece);
}

fn phrase(account: &str, word: Option<&str>) -> String {
    match word {
        Some(word) => format!("{} {}", plain(account), plain(word)),
        None => plain(account).into_owned(),
    }
}

fn list(pieces: impl Iterator<Item = String>) -> String {
    let pieces: Vec<String> = pieces.collect();
    if pieces.is_empty() { "nobody".to_owned() } else { pieces.join(", ") }
}
