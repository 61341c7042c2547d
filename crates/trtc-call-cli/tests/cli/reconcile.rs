//! `trtc-call reconcile`, between a fake vendor and an inbox.

use std::process::Output;

use conformance::postgres::Server;
use serde_json::{Value, json};

use crate::common::{APP, Listen, sentence, stdout, trtc_call};
use crate::inbox::kept::{Kept, Store, ended, put};
use crate::vendor::{KEY, add, now, start};

fn reconcile(vendor: &Listen, inbox: &str, args: &[&str]) -> Output {
    let mut command = trtc_call([&["reconcile", "--inbox", inbox], args].concat());
    command.env("SDK_APP_ID", APP).env("TRTC_SECRET_KEY", KEY).env("TRTC_API_URL", &vendor.url);
    command.output().unwrap()
}

fn found(output: &Output) -> Value {
    serde_json::from_str(&stdout(output, 0)).unwrap()
}

fn call_ids(calls: &Value) -> Vec<&str> {
    calls.as_array().unwrap().iter().map(|call| call["call_id"].as_str().unwrap()).collect()
}

/// Does the same on every store there is.
fn on_every_store(name: &str, test: impl Fn(&Kept)) {
    let servers = Server::shared().map(Store::Postgres);
    for store in [Store::Sqlite].into_iter().chain(servers) {
        let kept = store.empty(name);
        // Makes it.
        kept.with(async |_| ());
        test(&kept);
    }
}

#[test]
fn what_never_came_is_found_once() {
    on_every_store("reconcile-found", |kept| {
        let vendor = start(&[]);
        let end = now() - 3600;
        let call = |id: &str, end: u64| {
            json!({ "CallId": id, "Caller_Account": "u1", "StartTime": end - 47,
                "AcceptTime": end - 42, "EndTime": end })
        };
        add(&vendor, &json!([call("lost\u{1b}[2J", end), call("came", end), call("fresh", now())]));
        kept.with(async |inbox| {
            let _ = put(&inbox, APP, &ended("came", "u1", 42, "")).await;
        });
        let report = found(&reconcile(&vendor, &kept.name, &["--since", "2h", "--json"]));
        let counts = ["records", "known", "too_fresh", "unreadable", "differing", "asked"];
        assert_eq!(counts.map(|count| report[count].as_u64().unwrap()), [3, 1, 1, 0, 0, 0]);
        assert_eq!(call_ids(&report["found"]), ["lost\u{1b}[2J"]);
        let text = stdout(&reconcile(&vendor, &kept.name, &["--since", "2h"]), 0);
        assert!(text.contains("known       2 "), "{text}");
        assert!(text.contains("found       0 "), "{text}");
        let item = kept.run(&["list", "--call-id", "lost\u{1b}[2J", "--json"]);
        let item: Value = serde_json::from_str(&stdout(&item, 0)).unwrap();
        assert_eq!((&item["state"], &item["source"]), (&json!("waiting"), &json!("record")));
    });
}

#[test]
fn a_record_corrects_only_where_it_is_believed() {
    on_every_store("reconcile-confirm", |kept| {
        let vendor = start(&[]);
        let end = now() - 3600;
        let call =
            json!({ "CallId": "a", "StartTime": end - 47, "AcceptTime": end - 42, "EndTime": end });
        add(&vendor, &json!([call]));
        kept.with(async |inbox| {
            let _ = put(&inbox, APP, &ended("a", "u1", 4200, "")).await;
        });
        let report = found(&reconcile(&vendor, &kept.name, &["--json"]));
        assert_eq!((&report["differing"], &report["confirmed"]), (&json!(1), &json!([])));
        let text = stdout(&reconcile(&vendor, &kept.name, &["--confirm", "always"]), 0);
        assert!(text.contains("confirmed   1 "), "{text}");
        assert!(text.contains(", call a\n"), "{text}");
    });
}

#[test]
fn what_cannot_be_done_ends_with_status_2() {
    let kept = Store::Sqlite.empty("reconcile-wrong");
    kept.with(async |_| ());
    let vendor = start(&[]);
    let refused = |inbox: &str, args: &[&str]| sentence(&reconcile(&vendor, inbox, args));
    assert!(refused(&format!("{}-not", kept.name), &[]).contains("there is no inbox"));
    assert!(refused(&kept.name, &["--confirm", "perhaps"]).contains("--confirm"));
    assert!(refused(&kept.name, &["--since", "1h", "--until", "2h"]).contains("--until"));
    assert!(refused(&kept.name, &["--admin", "somebody"]).contains("60010"));
    assert!(refused(&kept.name, &["--api-url", "http://127.0.0.1:1"]).contains("vendor"));
}
