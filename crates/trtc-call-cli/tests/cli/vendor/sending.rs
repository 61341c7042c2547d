//! Calls, and what befalls their callbacks.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{END, START, add, all, line, now, rest, set, start};
use crate::common::{APP, Listen, TOKEN, http, request};

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
    let (url, served) = request(ok);
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
fn a_reader_that_stalls_stops_neither_the_api_nor_the_end() {
    let vendor = start(&[]);
    set(&vendor, "http://127.0.0.1:1/callback", &[END]);
    // More lines than fit anywhere.
    add(&vendor, &json!((0..1000).map(|_| json!({})).collect::<Vec<_>>()));
    assert_eq!(all(&vendor).len(), 1000);
    assert_eq!(vendor.stop_unread("-TERM"), (Some(0), String::new()));
}
