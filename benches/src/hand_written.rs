//! What a competent user would write without a library: a derived struct for the query, another
//! for the body, all of it `String`s, and the digest compared as text.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::cases::{APP, Case, Kind, TOKEN, WINDOW};
use crate::op::Op;

/// The URL's parameters.
#[derive(Debug, Deserialize)]
pub(crate) struct Query {
    #[serde(rename = "SdkAppid")]
    sdk_app_id: u64,
    #[serde(rename = "CallbackCommand")]
    pub(crate) command: String,
    #[serde(rename = "contenttype")]
    _content_type: Option<String>,
    #[serde(rename = "ClientIP")]
    _client_ip: Option<String>,
    #[serde(rename = "OptPlatform")]
    _platform: Option<String>,
    #[serde(rename = "Sign")]
    sign: String,
    #[serde(rename = "RequestTime")]
    request_time: u64,
}

/// The body of a call that ended.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CallEnded {
    pub(crate) callback_command: String,
    pub(crate) call_record: CallRecord,
    #[serde(rename = "EventTime")]
    _event_time: i64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct CallRecord {
    #[serde(rename = "CallId")]
    pub(crate) call_id: String,
    #[serde(rename = "Caller_Account")]
    _caller: String,
    #[serde(rename = "MediaType")]
    _media_type: String,
    #[serde(rename = "CallType")]
    _call_type: String,
    #[serde(rename = "StartTime")]
    _start_time: i64,
    #[serde(rename = "EndTime")]
    _end_time: i64,
    #[serde(rename = "AcceptTime")]
    _accept_time: i64,
    #[serde(rename = "CallResult")]
    _result: String,
    #[serde(rename = "CalleeList_Account")]
    _members: Vec<String>,
    #[serde(rename = "RoomId")]
    _room_id: String,
    #[serde(rename = "RoomIdType")]
    _room_id_type: i64,
}

/// The body of a change of members.
#[derive(Debug, Deserialize)]
pub(crate) struct MemberChanged {
    #[serde(rename = "CallbackCommand")]
    callback_command: String,
    #[serde(rename = "CallId")]
    _call_id: String,
    #[serde(rename = "UserList")]
    _members: Vec<Member>,
    #[serde(rename = "ChangedUserList")]
    _changes: Vec<Change>,
    #[serde(rename = "EventTime")]
    _event_time: i64,
}

#[derive(Debug, Deserialize)]
struct Member {
    #[serde(rename = "User_Account")]
    _account: String,
    #[serde(rename = "Status")]
    _status: String,
}

#[derive(Debug, Deserialize)]
struct Change {
    #[serde(rename = "User_Account")]
    _account: String,
    #[serde(rename = "ActionType")]
    _action: String,
}

/// The body of any other command.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope {
    #[serde(rename = "CallbackCommand")]
    callback_command: String,
}

/// A body, by its command.
#[derive(Debug)]
pub(crate) enum Body {
    CallEnded(CallEnded),
    MemberChanged(MemberChanged),
    Other(Envelope),
}

/// The answer that is serialized where a framework has a JSON responder.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    #[serde(rename = "ActionStatus")]
    action_status: &'static str,
    #[serde(rename = "ErrorInfo")]
    error_info: &'static str,
    #[serde(rename = "ErrorCode")]
    error_code: i32,
}

impl Answer {
    pub(crate) const OK: Self = Self { action_status: "OK", error_info: "", error_code: 0 };
}

/// Whether the digest in hex is the one in the URL.
fn is_signed(sign: &str, request_time: u64) -> bool {
    hex::encode(Sha256::digest(format!("{TOKEN}{request_time}"))) == sign
}

/// The app, the signature and the window.
pub(crate) fn check(query: &Query, now: SystemTime) -> bool {
    let now = now.duration_since(UNIX_EPOCH).unwrap().as_secs();
    query.sdk_app_id == APP
        && is_signed(&query.sign, query.request_time)
        && now.abs_diff(query.request_time) <= WINDOW
}

/// The query, checked.
pub(crate) fn check_text(query: &str, now: SystemTime) -> Option<Query> {
    serde_urlencoded::from_str(query).ok().filter(|query| check(query, now))
}

/// The body of the command that the URL names.
pub(crate) fn decode_body(command: &str, body: &[u8]) -> Option<Body> {
    let body = match command {
        "Call.CallbackAfterEndCall" => Body::CallEnded(serde_json::from_slice(body).ok()?),
        "Call.CallbackAfterMemberChanged" => {
            Body::MemberChanged(serde_json::from_slice(body).ok()?)
        }
        _ => Body::Other(serde_json::from_slice(body).ok()?),
    };
    let in_body = match &body {
        Body::CallEnded(event) => &event.callback_command,
        Body::MemberChanged(event) => &event.callback_command,
        Body::Other(event) => &event.callback_command,
    };
    (in_body == command).then_some(body)
}

/// From a query and a body to an event.
pub(crate) fn receive(query: &str, body: &[u8], now: SystemTime) -> Option<Body> {
    let query = check_text(query, now)?;
    decode_body(&query.command, body)
}

/// Everything before the body is read, with the signature.
pub(crate) fn head(case: Case) -> Op {
    Op::new(case, |case| check_text(&case.query, case.now()))
}

/// The signature alone.
pub(crate) fn signature(case: Case) -> Op {
    Op::new(case, |case| is_signed(&case.sign, case.request_time))
}

/// The body alone.
pub(crate) fn decode(case: Case) -> Op {
    let command = match case.kind {
        Kind::CallEnded | Kind::Escaped => "Call.CallbackAfterEndCall",
        Kind::MemberChanged => "Call.CallbackAfterMemberChanged",
        Kind::Unknown => "Call.CallbackAfterRecording",
    };
    Op::new(case, move |case| decode_body(command, case.body.as_bytes()))
}

/// All of it.
pub(crate) fn all(case: Case) -> Op {
    Op::new(case, |case| receive(&case.query, case.body.as_bytes(), case.now()))
}

/// Whether a case is accepted.
#[cfg(test)]
pub(crate) fn accepts(case: &Case) -> bool {
    receive(&case.query, case.body.as_bytes(), case.now()).is_some()
}
