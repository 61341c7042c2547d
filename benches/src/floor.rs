//! The floor: the least that checks the same essentials. The query is split in one pass over
//! borrowed bytes, the body is checked once as UTF-8 and parsed into borrowed strings and enums.
//!
//! It has none of the contract's leniency: another spelling, an escape in the query or a number
//! for a string is refused.

#![allow(dead_code, reason = "what is decoded is dropped, whole")]

use std::borrow::Cow;
use std::hint::black_box;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use memchr::{memchr, memchr_iter};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::bodies::{CallEnded, Envelope, MemberChanged};
use crate::cases::{APP, Case, Kind, TOKEN, WINDOW};
use crate::op::Op;

/// The URL's parameters.
struct Query<'a> {
    command: &'a [u8],
    client_ip: &'a [u8],
    platform: &'a [u8],
}

/// The token, hashed as far as it goes.
fn token() -> Sha256 {
    Sha256::new_with_prefix(TOKEN)
}

/// The app, the signature and the window.
fn check<'a>(token: &Sha256, query: &'a str, now: SystemTime) -> Option<Query<'a>> {
    let query = Some(query.as_bytes()).filter(|query| query.len() <= 8192)?;
    let (mut app, mut sign, mut time): (&[u8], &[u8], &[u8]) = (&[], &[], &[]);
    let mut known = Query { command: &[], client_ip: &[], platform: &[] };
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
            b"ClientIP" => known.client_ip = value,
            b"OptPlatform" => known.platform = value,
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

/// Enums of the documented words.
macro_rules! words {
    ($($name:ident { $($word:ident)* })*) => {
        $(
            #[derive(Debug, Deserialize)]
            enum $name { $($word,)* }
        )*
    };
}

words! {
    MediaType { Audio Video }
    CallType { SingleCall MultiCall }
    CallResult { NormalEnd Cancel Reject NotAnswer CallBusy Interrupt Offline }
    Status { Calling Waiting }
    Action { Accept Reject NotAnswer Hangup Join Offline Invite }
}

type Ended<T> = CallEnded<T, MediaType, CallType, CallResult>;

/// A body, by its command.
enum Body<'a> {
    CallEnded(Ended<&'a str>),
    Escaped(Ended<Text<'a>>),
    MemberChanged(MemberChanged<&'a str, Status, Action>),
    Other(Envelope<&'a str>),
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
        Body::CallEnded(event) => event.callback_command,
        Body::Escaped(event) => event.callback_command.as_ref(),
        Body::MemberChanged(event) => event.callback_command,
        Body::Other(event) => event.callback_command,
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

/// One step of the work.
pub(crate) fn op(step: &str, case: Case) -> Op {
    let (token, time) = (token(), case.request_time.to_string());
    match step {
        "head" => {
            Op::new(case, move |case| black_box(check(&token, &case.query, case.now())).is_some())
        }
        "signature" => {
            Op::new(case, move |case| is_signed(&token, case.sign.as_bytes(), time.as_bytes()))
        }
        "decode" => {
            let command = check(&token, &case.query, case.now()).unwrap().command.to_vec();
            Op::new(case, move |case| {
                black_box(decode_body(case.kind, &command, case.body.as_bytes())).is_some()
            })
        }
        _ => Op::new(case, move |case| black_box(receive(&token, case)).is_some()),
    }
}
