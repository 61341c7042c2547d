//! The API: what is checked, and what it answers.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trtc_call_api::{Claims, SecretKey};

use super::{END, START, add, all, ask, ask_with, now, query, set, start, user_sig};
use crate::common::http;

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
        (
            "call_config/set_callback",
            &json!({ "Url": "https://h/ ", "CallbackCommandList": commands }).to_string(),
            100_002,
        ),
        (
            "call_config/set_callback",
            &json!({ "Url": "https:h/", "CallbackCommandList": commands }).to_string(),
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
    assert_eq!(&all(&vendor)[0], record);
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
