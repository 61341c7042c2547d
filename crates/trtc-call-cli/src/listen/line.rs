//! The line for each callback: for people, or for machines.

use std::io;

use serde::Serialize;
use trtc_call_webhook::{
    ActionType, Billing, CallResult, CallType, IdempotencyKey, MediaType, Member, MemberChange,
    MemberStatus, RoomId, SdkAppId, UnixMillis,
};
use trtc_call_webhook_axum::{CallEnded, CallStarted, Callback, Delivery, MemberChanged};

use crate::out::{BAD, BOLD, DIM, GOOD, plain, styled};

/// What every line of JSON has, and after it what the command brings.
#[derive(Serialize)]
struct Line<'a> {
    command: &'a str,
    call_id: Option<&'a str>,
    #[serde(flatten)]
    event: Event<'a>,
    sdk_app_id: SdkAppId,
    /// What it was found to be: `valid`, `missing`, `invalid` or `unverified`.
    signature: &'static str,
    /// The same for a callback that is delivered again.
    idempotency_key: &'a IdempotencyKey,
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
}

/// A line of JSON without the line feed.
pub(super) fn json(callback: &Delivery<Callback>) -> io::Result<Vec<u8>> {
    let event = match callback.event() {
        Callback::CallEnded(call) => Event::Ended {
            result: call.result.as_ref().map(CallResult::as_str),
            caller: call.caller.as_deref(),
            callees: call.callees().collect(),
            talk_seconds: call.billing().seconds(),
            ring_seconds: call.ringing_time().map(|time| time.as_secs()),
            media_type: call.media_type.as_ref(),
            call_type: call.call_type.as_ref(),
            room: call.room().map(RoomId::to_string),
        },
        Callback::CallStarted(call) => Event::Started {
            media_type: call.media_type.as_ref(),
            members: &call.members,
            room: call.room().map(RoomId::to_string),
            event_time: call.event_time,
        },
        Callback::MemberChanged(call) => Event::Changed {
            changes: &call.changes,
            members: &call.members,
            event_time: call.event_time,
        },
        Callback::Other(other) => Event::Other { body: &other.json },
        _ => Event::Other { body: str::from_utf8(callback.body()).unwrap_or_default() },
    };
    let line = Line {
        command: callback.command().as_str(),
        call_id: callback.call_id(),
        event,
        sdk_app_id: callback.params().sdk_app_id(),
        signature: callback.signature().as_str(),
        idempotency_key: callback.idempotency_key(),
    };
    Ok(serde_json::to_vec(&line)?)
}

/// A line for people, with its line feed.
pub(super) fn text(callback: &Callback) -> String {
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
    line.push('\n');
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
