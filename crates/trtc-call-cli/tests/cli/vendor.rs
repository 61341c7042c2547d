//! `trtc-call vendor`, asked by requests that are written by hand.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use serde_json::{Value, json};
use trtc_call_api::{Claims, SecretKey};

use crate::common::{APP, Listen, TOKEN, http, sentence, stdout, trtc_call};

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

fn file(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("trtc-call-{name}-{}", std::process::id()));
    let _ = fs::remove_file(&path);
    path
}

#[test]
fn who_asks_is_checked() {
    let vendor = start(&[]);
    let other_key = Claims::new(1_400_000_001, "administrator", now(), 600)
        .sign(&SecretKey::new("another").unwrap());
    let sig = |app: u64, user: &str, at| user_sig(&Claims::new(app, user, at, 600));
    for (key, value, code) in [
        ("sdkappid", "", 60012),
        ("sdkappid", "1400000002", 60006),
        ("sdkappid", "x", 60006),
        ("identifier", "", 60010),
        ("identifier", "10001", 60010),
        ("usersig", "", 60004),
        ("usersig", "abc", 70003),
        ("usersig", other_key.as_str(), 70009),
        ("usersig", &sig(1_400_000_001, "administrator", now() - 601), 70001),
        ("usersig", &sig(1_400_000_001, "10001", now()), 70013),
        ("usersig", &sig(1_400_000_002, "administrator", now()), 70014),
        ("contenttype", "", 60002),
        ("contenttype", "xml", 60002),
    ] {
        let mut query = query();
        for parameter in query.iter_mut().filter(|(name, _)| *name == key) {
            parameter.1 = value.to_owned();
        }
        for is_missing in [false, true] {
            query.retain(|(name, _)| !is_missing || *name != key || !value.is_empty());
            let answer = ask_with(&vendor, "call_config/get_callback", &query, "{}");
            assert_eq!(answer["ErrorCode"], code, "{key}={value}: {answer}");
        }
    }
    let (status, answer) = http(vendor.addr(), "GET", "/v4/call_config/get_callback", "");
    assert_eq!((status, answer.contains("60002")), (200, true), "{answer}");
}

#[test]
fn what_is_asked_is_checked() {
    let vendor = start(&[]);
    let commands = json!([END]);
    for (api, body, code) in [
        ("call_config/get_callback", "", 60003),
        ("call_config/get_callback", "[]", 60003),
        ("call_config/get_callback", "{", 60003),
        ("call_config/get_callback", "{}", 100_301),
        ("call_config/set_callback", "{}", 100_002),
        ("call_config/set_callback", r#"{"Url":"http://h/"}"#, 100_002),
        ("call_config/set_callback", r#"{"Url":"http://h/","CallbackCommandList":[]}"#, 100_002),
        ("call_config/set_callback", r#"{"CallbackCommandList":["x"]}"#, 100_002),
        (
            "call_config/set_callback",
            &json!({ "Url": "ftp://h/", "CallbackCommandList": commands }).to_string(),
            100_002,
        ),
        ("call_config/get_Callback", "{}", 60009),
        ("call_engine_http_srv/get_call_info", "{}", 60009),
        ("call_record_http_srv/get_record_by_callid", "{}", 101_002),
        ("call_record_http_srv/get_record_by_callid", r#"{"CallId":7}"#, 101_002),
        ("call_record_http_srv/get_record_by_callid", r#"{"CallId":"a-1"}"#, 101_050),
        ("call_record_http_srv/get_record_by_filter", r#"{"Page":0}"#, 101_002),
        ("call_record_http_srv/get_record_by_filter", r#"{"NumberPerPage":101}"#, 101_002),
        ("call_record_http_srv/get_record_by_filter", r#"{"StartTime":"now"}"#, 101_002),
    ] {
        let answer = ask_with(&vendor, api, &query(), body);
        assert_eq!(answer["ErrorCode"], code, "{api} {body}: {answer}");
    }
    let (status, answer) = http(vendor.addr(), "POST", "/v3/call_config/get_callback", "{}");
    assert_eq!((status, answer.contains("60009")), (200, true), "{answer}");
}

#[test]
fn a_callback_is_set_overwritten_and_deleted() {
    let vendor = start(&[]);
    for (url, commands) in
        [("https://example.com/callback", vec![END, START]), ("http://h/other", vec![END])]
    {
        set(&vendor, url, &commands);
        let answer = ask(&vendor, "call_config/get_callback", &json!({}));
        let expected = json!({ "Url": url, "CallbackCommandList": commands });
        assert_eq!(answer["Response"], expected);
    }
    for _ in 0..2 {
        assert_eq!(ask(&vendor, "call_config/delete_callback", &json!({}))["ErrorCode"], 0);
        assert_eq!(ask(&vendor, "call_config/get_callback", &json!({}))["ErrorCode"], 100_301);
    }
}

#[test]
fn a_record_is_found_by_its_id_with_what_is_missing_made_up() {
    let vendor = start(&[]);
    let [id] = &add(&vendor, &json!({ "Caller_Account": "u1", "Note": [1] }))[..] else { panic!() };
    let answer =
        ask(&vendor, "call_record_http_srv/get_record_by_callid", &json!({ "CallId": id }));
    let record = &answer["Response"]["CallRecord"];
    assert_eq!((&record["CallId"], &record["Caller_Account"]), (&json!(id), &json!("u1")));
    assert_eq!((&record["Note"], &record["CallResult"]), (&json!([1]), &json!("NormalEnd")));
    assert_eq!(record["CalleeList_Account"][0], "u1");
    let time = |key: &str| record[key].as_u64().unwrap();
    assert!(time("StartTime") < time("AcceptTime") && time("AcceptTime") < time("EndTime"));
    assert!(time("EndTime").abs_diff(now()) <= 60, "{record}");
    assert_eq!(all(&vendor), [record.clone()]);
}

#[test]
fn a_record_is_there_some_time_after_the_end_and_for_seven_days() {
    let vendor = start(&["--record-delay", "3600"]);
    let ended = |id: &str, ago| json!({ "CallId": id, "EndTime": now() - ago });
    let calls = [("new", 60), ("old", 7200), ("gone", 8 * 86_400)];
    add(&vendor, &calls.iter().map(|(id, ago)| ended(id, *ago)).collect());
    for (id, code) in [("new", 101_050), ("old", 0), ("gone", 101_050)] {
        let body = json!({ "CallId": id });
        let answer = ask(&vendor, "call_record_http_srv/get_record_by_callid", &body);
        assert_eq!(answer["ErrorCode"], code, "{id}");
    }
    let body = json!({ "StartTime": 0 });
    let answer = ask(&vendor, "call_record_http_srv/get_record_by_filter", &body);
    assert_eq!(answer["Response"]["TotalNum"], 1, "{answer}");
    assert_eq!(answer["Response"]["CallRecordList"][0]["CallId"], "old");
    assert_eq!(all(&vendor).len(), 3);
}

#[test]
fn records_come_in_pages_newest_first_and_by_filters() {
    let vendor = start(&[]);
    let at = now() - 1000;
    let calls = (0..25).map(|number| {
        let result = if number % 5 == 0 { "Reject" } else { "NormalEnd" };
        let call_type = if number % 2 == 0 { "SingleCall" } else { "MultiCall" };
        json!({ "CallId": format!("a-{number}"), "StartTime": at + number, "EndTime": at + 100,
            "CallResult": result, "CallType": call_type })
    });
    add(&vendor, &calls.collect());
    let ids = |body: Value| -> (u64, Vec<String>) {
        let answer = ask(&vendor, "call_record_http_srv/get_record_by_filter", &body);
        let response = &answer["Response"];
        let records = response["CallRecordList"].as_array().unwrap().iter();
        let id = |record: &Value| record["CallId"].as_str().unwrap().to_owned();
        assert_eq!(response["Page"], body.get("Page").unwrap_or(&json!(1)).clone());
        (response["TotalNum"].as_u64().unwrap(), records.map(id).collect())
    };
    let named = |numbers: &[u64]| numbers.iter().map(|n| format!("a-{n}")).collect::<Vec<_>>();
    assert_eq!(ids(json!({})), (25, named(&[24, 23, 22, 21, 20, 19, 18, 17, 16, 15])));
    assert_eq!(ids(json!({ "Page": 3 })), (25, named(&[4, 3, 2, 1, 0])));
    assert_eq!(ids(json!({ "Page": 4 })), (25, named(&[])));
    assert_eq!(ids(json!({ "NumberPerPage": 2, "Page": 2 })), (25, named(&[22, 21])));
    assert_eq!(ids(json!({ "StartTime": at + 3, "EndTime": at + 4 })), (2, named(&[4, 3])));
    assert_eq!(ids(json!({ "CallResult": "Reject" })), (5, named(&[20, 15, 10, 5, 0])));
    let both = json!({ "CallResult": "Reject", "CallType": "SingleCall" });
    assert_eq!(ids(both), (3, named(&[20, 10, 0])));
    assert_eq!(ids(json!({ "EndTime": at - 1 })), (0, named(&[])));
}

#[test]
fn the_addresses_of_callbacks_are_this_machines() {
    let vendor = start(&[]);
    let with = |net_type: &str| {
        let mut query = query();
        query.push(("nettype", net_type.to_owned()));
        ask_with(&vendor, "ConfigSvc/GetIPList", &query, "{}")
    };
    assert_eq!(with("5")["IPList"], json!(["127.0.0.1", "::1/128"]));
    assert_eq!(with("1")["IPList"], json!([]));
    assert_eq!(with("7")["ErrorCode"], 60002);
}

#[test]
fn errors_come_as_asked_for() {
    let vendor = start(&["--error", "60008"]);
    assert_eq!(ask(&vendor, "call_config/get_callback", &json!({}))["ErrorCode"], 60008);
    let vendor = start(&["--error", "60018:0.5", "--error", "100001:0", "--seed", "1"]);
    let codes =
        || ask(&vendor, "call_config/get_callback", &json!({}))["ErrorCode"].as_i64().unwrap();
    let codes: BTreeSet<i64> = (0..64).map(|_| codes()).collect();
    assert_eq!(codes, BTreeSet::from([60018, 100_301]));
}

#[test]
fn callbacks_arrive_as_tencent_sends_them() {
    let mut listen = Listen::start(&["--json"]);
    let mut vendor = start(&["--token", TOKEN]);
    add(&vendor, &json!({}));
    set(&vendor, &listen.url, &[START, END]);
    let call = json!({ "CallId": "a-1", "Caller_Account": "u1", "CalleeList_Account": ["u1", "u2"],
        "MediaType": "Video", "StartTime": 1_800_000_000_u64, "AcceptTime": 1_800_000_005_u64,
        "EndTime": 1_800_000_047_u64, "RoomId": 7 });
    assert_eq!(add(&vendor, &call), ["a-1"]);
    let started: Value = serde_json::from_str(&listen.line()).unwrap();
    assert_eq!((&started["command"], &started["call_id"]), (&json!(START), &json!("a-1")));
    assert_eq!(started["members"][1], json!({ "account": "u2", "status": "Waiting" }));
    assert_eq!(started["event_time"], 1_800_000_000_000_u64);
    let ended: Value = serde_json::from_str(&listen.line()).unwrap();
    let expected = json!({
        "command": END, "call_id": "a-1", "result": "NormalEnd", "caller": "u1", "callees": ["u2"],
        "talk_seconds": 42, "ring_seconds": 5, "media_type": "Video", "call_type": "SingleCall",
        "room": "7", "sdk_app_id": 1_400_000_001, "signature": "valid",
        "idempotency_key": format!("{APP}:{END}:a-1"),
    });
    assert_eq!(ended, expected);
    for (command, seconds) in [(START, Value::Null), (END, json!(42))] {
        let line = line(&mut vendor);
        assert_eq!((&line["what"], &line["delivered"]), (&json!("sent"), &json!(true)), "{line}");
        assert_eq!((&line["command"], &line["talk_seconds"]), (&json!(command), &seconds));
    }
    // A command that is not set is not sent.
    set(&vendor, &listen.url, &[START]);
    add(&vendor, &json!({ "CallId": "a-2" }));
    assert_eq!(line(&mut vendor)["command"], START);
    assert_eq!(rest(vendor), [] as [Value; 0]);
}

#[test]
fn a_request_has_the_documented_parameters() {
    let ok = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    let (url, served) = crate::common::request(ok);
    let vendor = start(&[]);
    set(&vendor, &url, &[END]);
    add(&vendor, &json!({ "CallId": "a-1", "Note": "kept" }));
    let [head, body] = served.join().unwrap();
    let target = format!(
        "POST /callback?SdkAppid={APP}&CallbackCommand={END}&contenttype=json&ClientIP=127.0.0.1\
         &OptPlatform=Android HTTP/1.1\r\n"
    );
    assert!(head.starts_with(&target), "{head}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&body["CallbackCommand"], &body["CallRecord"]), (&json!(END), &all(&vendor)[0]));
    assert_eq!(body["CallRecord"]["Note"], "kept");
    assert!(body["EventTime"].as_u64().unwrap().abs_diff(now() * 1000) < 60_000, "{body}");
}

#[test]
fn calls_that_cannot_be_meant_are_not_added() {
    let vendor = start(&[]);
    add(&vendor, &json!({ "CallId": "a-1" }));
    for calls in [
        "",
        "7",
        r#"["a-2"]"#,
        r#"{"CallId":7}"#,
        r#"{"CallId":""}"#,
        r#"[{"CallId":"a-2"},{"CallId":"a-1"}]"#,
        r#"[{"CallId":"a-2"},{"CallId":"a-2"}]"#,
    ] {
        let (status, answer) = http(vendor.addr(), "POST", "/calls", calls);
        assert!(status == 400 && answer.contains("error"), "{calls}: {status} {answer}");
    }
    assert_eq!(all(&vendor).len(), 1);
}

#[test]
fn calls_of_its_own_end_with_every_result() {
    let vendor = start(&["--calls", "14", "--per-second", "1000"]);
    let calls = loop {
        let calls = all(&vendor);
        if calls.len() == 14 {
            break calls;
        }
    };
    let results: BTreeSet<&str> =
        calls.iter().map(|call| call["CallResult"].as_str().unwrap()).collect();
    assert_eq!(results.len(), 7, "{results:?}");
    for call in &calls {
        let time = |key: &str| call[key].as_u64().unwrap();
        assert!(time("StartTime") < time("EndTime") && time("EndTime").abs_diff(now()) < 60);
        let is_normal = call["CallResult"] == "NormalEnd";
        assert!(!is_normal || (time("StartTime")..time("EndTime")).contains(&time("AcceptTime")));
    }
}

/// What became of forty calls, sorted: what is in flight at the same time has no order.
fn fates(listen: &Listen, more: &[&str]) -> Vec<(String, String, u64, bool)> {
    let vendor = start(&[&["--token", TOKEN], more].concat());
    set(&vendor, &listen.url, &[END]);
    let calls: Vec<Value> = (0..40).map(|_| json!({})).collect();
    add(&vendor, &json!(calls));
    let text = |line: &Value, key: &str| line[key].as_str().unwrap().to_owned();
    let fate = |line: &Value| {
        let is_delivered = line["delivered"].as_bool();
        assert_eq!(is_delivered.is_none(), line["what"] == "lost", "{line}");
        let seconds = line["talk_seconds"].as_u64().unwrap();
        (text(line, "call_id"), text(line, "what"), seconds, is_delivered == Some(true))
    };
    let mut fates: Vec<_> = rest(vendor).iter().map(fate).collect();
    fates.sort();
    fates
}

#[test]
fn a_seed_draws_the_same_losses_repetitions_and_forgeries_again() {
    let listen = Listen::start(&["--json"]);
    let rates = ["--lose", "0.2", "--repeat", "0.3", "--forge", "0.3", "--seed"];
    let seeded = |seed| fates(&listen, &[&rates[..], &[seed]].concat());
    let first = seeded("7");
    assert_eq!(first, seeded("7"));
    assert_ne!(first, seeded("8"));

    let of = |what: &'static str| first.iter().filter(move |fate| fate.1 == what);
    let count = |what| of(what).count();
    assert_eq!(count("sent") + count("lost"), 40);
    for (what, expected) in [("lost", 2..20), ("repeated", 2..25), ("forged", 2..25)] {
        assert!(expected.contains(&count(what)), "{what}: {}", count(what));
    }
    // The token lets through what is true, and nothing else.
    assert!(first.iter().all(|fate| fate.3 == ["sent", "repeated"].contains(&&*fate.1)));
    let truth =
        |id: &str| first.iter().find(|fate| fate.0 == id && ["sent", "lost"].contains(&&*fate.1));
    for fate in of("repeated") {
        assert_eq!(truth(&fate.0).map(|truth| truth.2), Some(fate.2));
    }
    let (known, unknown): (Vec<_>, Vec<_>) =
        of("forged").partition(|fate| truth(&fate.0).is_some());
    assert!(known.len().abs_diff(unknown.len()) <= 1, "in turn: {known:?} {unknown:?}");
    assert!(known.iter().all(|fate| fate.2 > truth(&fate.0).unwrap().2), "{known:?}");
}

#[test]
fn one_that_is_held_back_is_overtaken() {
    let mut vendor = start(&["--reorder", "0.5", "--seed", "3"]);
    let listen = Listen::start(&["--report-only"]);
    set(&vendor, &listen.url, &[START, END]);
    let ids = add(&vendor, &json!((0..16).map(|_| json!({})).collect::<Vec<_>>()));
    let lines: Vec<Value> = (0..32).map(|_| line(&mut vendor)).collect();
    let is_swapped = |id: &String| {
        let commands: Vec<_> = lines.iter().filter(|line| line["call_id"] == json!(id)).collect();
        assert_eq!(commands.len(), 2, "{id}");
        commands[0]["command"] == END
    };
    let swapped = ids.iter().filter(|id| is_swapped(id)).count();
    assert!((1..16).contains(&swapped), "{swapped}");
}

#[test]
fn what_waits_is_lost_when_it_stops() {
    let listen = Listen::start(&["--json"]);
    let vendor = start(&["--delay", "86400", "--seed", "1"]);
    set(&vendor, &listen.url, &[END]);
    let [id] = &add(&vendor, &json!({}))[..] else { panic!() };
    let [line] = &rest(vendor)[..] else { panic!() };
    assert_eq!((&line["call_id"], &line["what"]), (&json!(id), &json!("lost")));
    assert_eq!(line["delivered"], Value::Null);
}

#[test]
fn its_state_survives_a_kill() {
    let path = file("vendor-state");
    let state = ["--state", path.to_str().unwrap(), "--seed", "7"];
    let listen = Listen::start(&["--json"]);
    let vendor = start(&state);
    set(&vendor, &listen.url, &[START]);
    set(&vendor, &listen.url, &[END]);
    let mut ids = add(&vendor, &json!([{ "CallId": "a-1" }, {}]));
    let before = all(&vendor);
    // It is killed in the middle of a line.
    drop(vendor);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, [&whole[..], &br#"{"Call":{"CallRec"#[..]].concat()).unwrap();

    let mut vendor = start(&state);
    assert_eq!(all(&vendor), before);
    let answer = ask(&vendor, "call_config/get_callback", &json!({}));
    let expected = json!({ "Url": listen.url, "CallbackCommandList": [END] });
    assert_eq!(answer["Response"], expected);
    // The same seed makes other calls than those that are there.
    ids.extend(add(&vendor, &json!([{}, {}])));
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 4);
    assert_eq!(line(&mut vendor)["what"], "sent");
    assert_eq!(ask(&vendor, "call_config/delete_callback", &json!({}))["ErrorCode"], 0);
    drop(vendor);

    let vendor = start(&state);
    assert_eq!(all(&vendor).len(), 4);
    assert_eq!(ask(&vendor, "call_config/get_callback", &json!({}))["ErrorCode"], 100_301);
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(&path).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    fs::remove_file(&path).unwrap();
}

#[test]
fn a_file_that_is_no_state_of_its_own_is_left_alone() {
    let path = file("vendor-no-state");
    for text in ["hello", "hello\n", "{\"a\":1}\n", "{\"Call\":1}\n"] {
        fs::write(&path, text).unwrap();
        let args = ["vendor", "--addr", "127.0.0.1:0", "--state", path.to_str().unwrap()];
        let output = trtc_call(args).env("TRTC_SECRET_KEY", KEY).output().unwrap();
        assert!(sentence(&output).contains("no state"), "{text}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    fs::remove_file(&path).unwrap();
}

#[test]
fn settings_that_cannot_be_meant_are_told_without_their_values() {
    for (args, variable, word) in [
        (&["vendor"][..], ("TRTC_SECRET_KEY", ""), "TRTC_SECRET_KEY"),
        (&["vendor"], ("OTHER", ""), "TRTC_SECRET_KEY"),
        (&["vendor"], ("TRTC_SECRET_KEY", "s3cret "), "TRTC_SECRET_KEY"),
        (&["vendor", "--secret-key-file", "/nowhere"], ("OTHER", ""), "--secret-key-file"),
        (&["vendor", "--addr", "s3cret"], ("TRTC_SECRET_KEY", "k"), "--addr"),
        (&["vendor", "--lose", "1.5"], ("TRTC_SECRET_KEY", "k"), "--lose"),
        (&["vendor", "--error", "0"], ("TRTC_SECRET_KEY", "k"), "--error"),
        (&["vendor", "--error", "60008:2"], ("TRTC_SECRET_KEY", "k"), "--error"),
        (&["vendor", "--delay", "-1"], ("TRTC_SECRET_KEY", "k"), "--delay"),
        (&["vendor", "--per-second", "0"], ("TRTC_SECRET_KEY", "k"), "--per-second"),
    ] {
        let output = trtc_call(args).env(variable.0, variable.1).output().unwrap();
        let sentence = sentence(&output);
        assert!(sentence.contains(word) && !sentence.contains("s3cret"), "{args:?}: {sentence}");
    }
}

#[test]
fn a_usersig_is_printed_alone_and_valid() {
    let run = |args: &[&str]| {
        let args = ["usersig", "--sdk-app-id", APP].iter().chain(args);
        stdout(&trtc_call(args).env("TRTC_SECRET_KEY", KEY).output().unwrap(), 0)
    };
    let key = SecretKey::new(KEY).unwrap();
    let claims = |text: &str| trtc_call_api::UserSig::verify(text, &key).unwrap();
    let text = run(&[]);
    let made = claims(text.strip_suffix('\n').unwrap());
    assert_eq!((&*made.identifier, made.valid_for), ("administrator", 86_400));
    assert!(made.issued_at.abs_diff(now()) < 60);
    let made = claims(run(&["--user", "10001", "--valid-for", "60"]).trim_end());
    assert_eq!((&*made.identifier, made.valid_for), ("10001", 60));
    let line: Value = serde_json::from_str(&run(&["--admin", "boss", "--json"])).unwrap();
    assert_eq!(claims(line["user_sig"].as_str().unwrap()).identifier, "boss");

    let path = file("secret-key");
    fs::write(&path, format!("{KEY}\n")).unwrap();
    let args = ["usersig", "--sdk-app-id", APP, "--secret-key-file", path.to_str().unwrap()];
    let output = trtc_call(args).env("TRTC_SECRET_KEY", "").output().unwrap();
    claims(stdout(&output, 0).trim_end());
    fs::remove_file(&path).unwrap();

    let output = trtc_call(["usersig"]).env("TRTC_SECRET_KEY", KEY).output().unwrap();
    assert!(sentence(&output).contains("--sdk-app-id"));
}
