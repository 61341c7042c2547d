//! The floor: the least that checks the same essentials. The query is split in one pass over
//! borrowed bytes, the body is checked once as UTF-8 and parsed into borrowed strings and enums.
//!
//! It has none of the contract's leniency: another spelling, an escape in the query or a number
//! for a string is refused.

use std::borrow::Cow;
use std::hint::black_box;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use memchr::{memchr, memchr_iter};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::cases::{APP, Case, Kind, TOKEN, WINDOW};
use crate::op::Op;

/// The URL's parameters.
#[derive(Debug)]
pub(crate) struct Query<'a> {
    command: &'a [u8],
    _client_ip: &'a [u8],
    _platform: &'a [u8],
}

/// The token, hashed as far as it goes.
pub(crate) fn token() -> Sha256 {
    Sha256::new_with_prefix(TOKEN)
}

/// The app, the signature and the window.
pub(crate) fn check<'a>(token: &Sha256, query: &'a str, now: SystemTime) -> Option<Query<'a>> {
    let query = query.as_bytes();
    if query.len() > 8192 {
        return None;
    }
    let (mut app, mut sign, mut time): (&[u8], &[u8], &[u8]) = (&[], &[], &[]);
    let mut known = Query { command: &[], _client_ip: &[], _platform: &[] };
    let mut start = 0;
    for end in memchr_iter(b'&', query).chain([query.len()]) {
        let pair = &query[start..end];
        start = end + 1;
        let (key, value) = pair.split_at(memchr(b'=', pair)?);
        let value = &value[1..];
        match key {
            b"SdkAppid" => app = value,
            b"CallbackCommand" => known.command = value,
            b"Sign" => sign = value,
            b"RequestTime" => time = value,
            b"ClientIP" => known._client_ip = value,
            b"OptPlatform" => known._platform = value,
            _ => {}
        }
    }
    let now = now.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let is_ours = number(app)? == APP
        && is_signed(token, sign, time)
        && now.abs_diff(number(time)?) <= WINDOW;
    is_ours.then_some(known)
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |number, digit| match digit {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

fn is_signed(token: &Sha256, sign: &[u8], time: &[u8]) -> bool {
    let mut digest = [0; 32];
    base16ct::mixed::decode(sign, &mut digest).is_ok_and(|digest| digest.len() == 32)
        && token.clone().chain_update(time).finalize()[..] == digest
}

/// A string that may have escapes.
#[derive(Debug, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The body of a call that ended. `T` is a string.
#[derive(Debug, Deserialize)]
struct CallEnded<T> {
    #[serde(rename = "CallbackCommand")]
    command: T,
    #[serde(rename = "CallRecord")]
    _record: CallRecord<T>,
    #[serde(rename = "EventTime")]
    _event_time: i64,
}

#[derive(Debug, Deserialize)]
struct CallRecord<T> {
    #[serde(rename = "CallId")]
    _call_id: T,
    #[serde(rename = "Caller_Account")]
    _caller: T,
    #[serde(rename = "MediaType")]
    _media_type: MediaType,
    #[serde(rename = "CallType")]
    _call_type: CallType,
    #[serde(rename = "StartTime")]
    _start_time: i64,
    #[serde(rename = "EndTime")]
    _end_time: i64,
    #[serde(rename = "AcceptTime")]
    _accept_time: i64,
    #[serde(rename = "CallResult")]
    _result: CallResult,
    #[serde(rename = "CalleeList_Account")]
    _members: Vec<T>,
    #[serde(rename = "RoomId")]
    _room_id: T,
    #[serde(rename = "RoomIdType")]
    _room_id_type: i64,
}

#[derive(Debug, Deserialize)]
enum MediaType {
    Audio,
    Video,
}

#[derive(Debug, Deserialize)]
enum CallType {
    SingleCall,
    MultiCall,
}

#[derive(Debug, Deserialize)]
enum CallResult {
    NormalEnd,
    Cancel,
    Reject,
    NotAnswer,
    CallBusy,
    Interrupt,
    Offline,
}

/// The body of a change of members.
#[derive(Debug, Deserialize)]
struct MemberChanged<'a> {
    #[serde(rename = "CallbackCommand")]
    command: &'a str,
    #[serde(rename = "CallId")]
    _call_id: &'a str,
    #[serde(rename = "UserList", borrow)]
    _members: Vec<Member<'a>>,
    #[serde(rename = "ChangedUserList", borrow)]
    _changes: Vec<Change<'a>>,
    #[serde(rename = "EventTime")]
    _event_time: i64,
}

#[derive(Debug, Deserialize)]
struct Member<'a> {
    #[serde(rename = "User_Account")]
    _account: &'a str,
    #[serde(rename = "Status")]
    _status: Status,
}

#[derive(Debug, Deserialize)]
enum Status {
    Calling,
    Waiting,
}

#[derive(Debug, Deserialize)]
struct Change<'a> {
    #[serde(rename = "User_Account")]
    _account: &'a str,
    #[serde(rename = "ActionType")]
    _action: Action,
}

#[derive(Debug, Deserialize)]
enum Action {
    Accept,
    Reject,
    NotAnswer,
    Hangup,
    Join,
    Offline,
    Invite,
}

/// The body of any other command.
#[derive(Debug, Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "CallbackCommand")]
    command: &'a str,
}

/// A body, by its command.
#[derive(Debug)]
enum Body<'a> {
    CallEnded(CallEnded<&'a str>),
    Escaped(CallEnded<Text<'a>>),
    MemberChanged(MemberChanged<'a>),
    Other(Envelope<'a>),
}

/// Only a case with escapes pays for strings that may have them.
fn decode_body<'a>(kind: Kind, command: &[u8], body: &'a [u8]) -> Option<Body<'a>> {
    let text = std::str::from_utf8(body).ok()?;
    let body = match kind {
        Kind::CallEnded => Body::CallEnded(serde_json::from_str(text).ok()?),
        Kind::Escaped => Body::Escaped(serde_json::from_str(text).ok()?),
        Kind::MemberChanged => Body::MemberChanged(serde_json::from_str(text).ok()?),
        Kind::Unknown => Body::Other(serde_json::from_str(text).ok()?),
    };
    let in_body = match &body {
        Body::CallEnded(event) => event.command,
        Body::Escaped(event) => event.command.as_ref(),
        Body::MemberChanged(event) => event.command,
        Body::Other(event) => event.command,
    };
    (in_body.as_bytes() == command).then_some(body)
}

fn receive<'a>(token: &Sha256, case: &'a Case) -> Option<Body<'a>> {
    let query = check(token, &case.query, case.now())?;
    decode_body(case.kind, query.command, case.body.as_bytes())
}

/// Whether a call that ended is accepted now.
pub(crate) fn accepts_now(query: &str, body: &[u8]) -> bool {
    static TOKEN: LazyLock<Sha256> = LazyLock::new(token);
    let known = check(&TOKEN, query, SystemTime::now());
    known.and_then(|query| black_box(decode_body(Kind::CallEnded, query.command, body))).is_some()
}

/// Everything before the body is read, with the signature.
pub(crate) fn head(case: Case) -> Op {
    let token = token();
    Op::new(case, move |case| black_box(check(&token, &case.query, case.now())).is_some())
}

/// The signature alone.
pub(crate) fn signature(case: Case) -> Op {
    let (token, time) = (token(), case.request_time.to_string());
    Op::new(case, move |case| is_signed(&token, case.sign.as_bytes(), time.as_bytes()))
}

/// The hash alone, which is the same for all variants.
pub(crate) fn hash(case: Case) -> Op {
    let (token, time) = (token(), case.request_time.to_string());
    Op::new(case, move |_| token.clone().chain_update(&time).finalize())
}

/// The body alone.
pub(crate) fn decode(case: Case) -> Op {
    let command = check(&token(), &case.query, case.now()).unwrap().command.to_vec();
    Op::new(case, move |case| {
        let body = decode_body(case.kind, &command, case.body.as_bytes());
        black_box(body).is_some()
    })
}

/// All of it.
pub(crate) fn all(case: Case) -> Op {
    let token = token();
    Op::new(case, move |case| black_box(receive(&token, case)).is_some())
}

/// Whether a case is accepted.
#[cfg(test)]
pub(crate) fn accepts(case: &Case) -> bool {
    receive(&token(), case).is_some()
}
