//! `trtc-call vendor`, asked by requests that are written by hand.

mod api;
mod sending;
mod state;

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use serde_json::{Value, json};
use trtc_call_api::{Claims, SecretKey};

use crate::common::{APP, Listen, http, trtc_call};

pub(crate) const KEY: &str = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";

const END: &str = "Call.CallbackAfterEndCall";
const START: &str = "Call.CallbackAfterStartCall";

/// Starts it on a free port. Records are there at once unless told otherwise.
pub(crate) fn start(more: &[&str]) -> Listen {
    let args = ["vendor", "--addr", "127.0.0.1:0", "--json"];
    let delay: &[&str] =
        if more.contains(&"--record-delay") { &[] } else { &["--record-delay", "0"] };
    let args = args.iter().chain(delay).chain(more);
    Listen::spawn(trtc_call(args).env("TRTC_SECRET_KEY", KEY))
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

fn user_sig(claims: &Claims) -> String {
    claims.sign(&SecretKey::new(KEY).unwrap()).as_str().to_owned()
}

fn admin() -> String {
    user_sig(&Claims::new(1_400_000_001, "administrator", now(), 600))
}

/// The parameters of a request that is right.
fn query() -> Vec<(&'static str, String)> {
    vec![
        ("sdkappid", APP.to_owned()),
        ("identifier", "administrator".to_owned()),
        ("usersig", admin()),
        ("random", "7".to_owned()),
        ("contenttype", "json".to_owned()),
    ]
}

/// What it answers, which is always HTTP 200.
fn ask_with(vendor: &Listen, api: &str, query: &[(&str, String)], body: &str) -> Value {
    let query: Vec<String> = query.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let target = format!("/v4/{api}?{}", query.join("&"));
    let (status, answer) = http(vendor.addr(), "POST", &target, body);
    assert_eq!(status, 200, "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert!(answer["RequestId"].as_str().is_some_and(|id| !id.is_empty()), "{answer}");
    let is_ok = answer["ErrorCode"] == 0;
    assert_eq!(answer["ActionStatus"], if is_ok { "OK" } else { "FAIL" }, "{answer}");
    assert_eq!(answer["ErrorInfo"] == "", is_ok, "{answer}");
    answer
}

fn ask(vendor: &Listen, api: &str, body: &Value) -> Value {
    ask_with(vendor, api, &query(), &body.to_string())
}

#[track_caller]
fn set(vendor: &Listen, url: &str, commands: &[&str]) {
    let body = json!({ "Url": url, "CallbackCommandList": commands });
    assert_eq!(ask(vendor, "call_config/set_callback", &body)["ErrorCode"], 0);
}

/// Adds calls and gives their ids.
#[track_caller]
pub(crate) fn add(vendor: &Listen, calls: &Value) -> Vec<String> {
    let (status, answer) = http(vendor.addr(), "POST", "/calls", &calls.to_string());
    assert_eq!(status, 200, "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    serde_json::from_value(answer["CallIds"].clone()).unwrap()
}

fn all(vendor: &Listen) -> Vec<Value> {
    serde_json::from_str(&http(vendor.addr(), "GET", "/calls", "").1).unwrap()
}

fn line(vendor: &mut Listen) -> Value {
    serde_json::from_str(&vendor.line()).unwrap()
}

/// Everything that is still printed, once it is stopped.
fn rest(vendor: Listen) -> Vec<Value> {
    let (status, rest, stderr) = vendor.stop("-TERM");
    assert_eq!((status, stderr.as_str()), (Some(0), ""));
    rest.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn file(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("trtc-call-{name}-{}", std::process::id()));
    let _ = fs::remove_file(&path);
    path
}
