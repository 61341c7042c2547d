//! What a competent user would write without a library: a derived struct for the query, another
//! for the body, all of it `String`s, and the digest compared as text.

#![allow(dead_code, reason = "what is decoded is dropped, whole")]

use std::hint::black_box;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::bodies::{CallEnded, Envelope, MemberChanged};
use crate::cases::{APP, Case, TOKEN, WINDOW};
use crate::op::Op;

/// The URL's parameters.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Query {
    #[serde(rename = "SdkAppid")]
    sdk_app_id: u64,
    pub(crate) callback_command: String,
    #[serde(rename = "contenttype")]
    content_type: Option<String>,
    #[serde(rename = "ClientIP")]
    client_ip: Option<String>,
    opt_platform: Option<String>,
    sign: String,
    request_time: u64,
}

/// The answer that is serialized where a framework has a JSON responder.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Answer {
    action_status: &'static str,
    error_info: &'static str,
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

fn check_text(query: &str, now: SystemTime) -> Option<Query> {
    serde_urlencoded::from_str(query).ok().filter(|query| check(query, now))
}

/// Whether the body decodes, and is of the command that the URL names.
fn decode(command: &str, body: &[u8]) -> bool {
    use serde_json::from_slice;
    let in_body = match command {
        "Call.CallbackAfterEndCall" => {
            from_slice(body).map(|it| black_box::<CallEnded<String>>(it).callback_command)
        }
        "Call.CallbackAfterMemberChanged" => {
            from_slice(body).map(|it| black_box::<MemberChanged<String>>(it).callback_command)
        }
        _ => from_slice(body).map(|it| black_box::<Envelope<String>>(it).callback_command),
    };
    in_body.is_ok_and(|in_body| in_body == command)
}

fn receive(query: &str, body: &[u8], now: SystemTime) -> bool {
    check_text(query, now).is_some_and(|query| decode(&query.callback_command, body))
}

/// One step of the work.
pub(crate) fn op(step: &str, case: Case) -> Op {
    match step {
        "head" => Op::new(case, |case| check_text(&case.query, case.now())),
        "signature" => Op::new(case, |case| is_signed(&case.sign, case.request_time)),
        "decode" => {
            let command = check_text(&case.query, case.now()).unwrap().callback_command;
            Op::new(case, move |case| assert!(decode(&command, case.body.as_bytes())))
        }
        _ => Op::new(case, |case| receive(&case.query, case.body.as_bytes(), case.now())),
    }
}

/// Whether a callback is accepted now.
#[cfg(test)]
pub(crate) fn accepts_now(query: &str, body: &[u8]) -> bool {
    receive(query, body, SystemTime::now())
}
