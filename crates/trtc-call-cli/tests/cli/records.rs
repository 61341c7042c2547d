//! `trtc-call record` and `trtc-call records`, at a fake vendor.

use std::collections::BTreeSet;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::common::{APP, Listen, lines, sentence, stdout, trtc_call};
use crate::doctor::endpoint::{answer, serve};
use crate::vendor::{KEY, add, now, start};

fn command(vendor: &Listen, args: &[&str]) -> Command {
    command_at(&vendor.url, args)
}

fn command_at(api_url: &str, args: &[&str]) -> Command {
    let mut command = trtc_call(args);
    command.env("SDK_APP_ID", APP).env("TRTC_SECRET_KEY", KEY).env("TRTC_API_URL", api_url);
    command
}

fn run(vendor: &Listen, args: &[&str]) -> Output {
    command(vendor, args).output().unwrap()
}

#[test]
fn a_record_is_shown_with_what_may_be_billed() {
    let vendor = start(&[]);
    let at = now() - 100;
    add(
        &vendor,
        &json!([
            { "CallId": "a-1", "Caller_Account": "u\u{1b}[2J", "StartTime": at, "AcceptTime": at + 5,
              "EndTime": at + 47 },
            { "CallId": "a-2", "CallResult": "NormalEnd", "AcceptTime": 0 },
        ]),
    );
    let text = stdout(&run(&vendor, &["record", "a-1"]), 0);
    for line in [
        "CallId              a-1\n",
        "Caller_Account      u\\u{1b}[2J\n",
        "billing             connected for 42 s\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
    let line = stdout(&run(&vendor, &["record", "a-1", "--json"]), 0);
    assert_eq!(line.lines().count(), 1);
    let record: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&record["CallId"], &record["talk_seconds"]), (&json!("a-1"), &json!(42)));
    assert_eq!(record["EndTime"], at + 47);
    let line = stdout(&run(&vendor, &["record", "a-2", "--json"]), 0);
    let record: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(record.get("talk_seconds"), Some(&Value::Null));
    let text = stdout(&run(&vendor, &["record", "a-2"]), 0);
    let billing =
        "billing             the record does not tell: a normal end without an accept time\n";
    assert!(text.ends_with(billing), "{text}");
}

#[test]
fn a_record_that_is_not_there_ends_with_status_1() {
    let vendor = start(&["--record-delay", "3600"]);
    add(&vendor, &json!({ "CallId": "a-1" }));
    for id in ["a-1", "a-2"] {
        let output = run(&vendor, &["record", id]);
        assert_eq!(stdout(&output, 1), "");
        assert!(output.stderr.starts_with(b"trtc-call: the vendor has no such record"));
    }
    let output = run(&vendor, &["records", "--since", "1d"]);
    assert_eq!(stdout(&output, 1), "");
    assert_eq!(output.stderr, b"trtc-call: the vendor has no record of that time\n");
}

#[test]
fn records_that_cannot_be_read_are_not_taken_for_none() {
    let body = json!({ "ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0, "RequestId": "1",
        "Response": { "TotalNum": 2, "Page": 1, "CallRecordList": [{ "Note": 1 }, { "Note": 2 }] } });
    let addr = serve(move |_| {
        Some(answer("200 OK", "content-type: application/json\r\n", &body.to_string()))
    });
    let run = |more: &[&str]| {
        let args = [&["records", "--since", "1d"], more].concat();
        sentence(&command_at(&format!("http://{addr}"), &args).output().unwrap())
    };
    for more in [&[][..], &["--json"]] {
        assert_eq!(run(more), "trtc-call: 2 records cannot be read, and there are no others\n");
    }
}

#[test]
fn records_of_a_span_are_listed() {
    let vendor = start(&[]);
    let at = now() - 7200;
    let calls: Vec<Value> = (0..230)
        .map(|number| {
            let start = at + number / 2;
            json!({ "CallId": format!("a-{number}"), "StartTime": start, "AcceptTime": start + 5,
                "EndTime": start + 47, "Caller_Account": "u1", "CalleeList_Account": ["u1", "u2", "u3"] })
        })
        .collect();
    add(&vendor, &json!(calls));
    let text = stdout(&run(&vendor, &["records", "--since", "1d"]), 0);
    let row: Vec<&str> = text.lines().nth(2).unwrap().split_whitespace().collect();
    assert_eq!((row[1], row[2], row[3], row[4]), ("u1", "u2,", "u3", "NormalEnd"), "{text}");
    assert_eq!(row.last(), Some(&"42"));
    assert_eq!(text.lines().count(), 232);

    let output = run(&vendor, &["records", "--since", "1d", "--json"]);
    stdout(&output, 0);
    let ids: BTreeSet<String> = lines(&output)
        .into_iter()
        .map(|line| {
            let record: Value = serde_json::from_str(line).unwrap();
            assert_eq!(record["talk_seconds"], 42);
            record["CallId"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!((lines(&output).len(), ids.len()), (230, 230));

    let output = run(&vendor, &["records", "--since", "1d", "--until", "4h"]);
    stdout(&output, 1);
    assert!(
        sentence(&run(&vendor, &["records", "--since", "1h", "--until", "2h"])).contains("--until")
    );
    assert!(sentence(&run(&vendor, &["records", "--since", "noon"])).contains("--since"));
}

#[test]
fn what_may_pass_by_itself_is_tried_again() {
    let vendor = start(&["--error", "60008:0.3", "--seed", "1"]);
    add(&vendor, &json!({ "CallId": "a-1" }));
    for _ in 0..8 {
        stdout(&run(&vendor, &["record", "a-1"]), 0);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_secret_key_is_in_no_output_and_no_process_list() {
    let vendor = start(&["--error", "60008", "--seed", "1"]);
    // It tries again and again, so that there is time to look.
    let mut command = command(&vendor, &["record", "a-1"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let line = loop {
        assert!(child.try_wait().unwrap().is_none(), "it ended before anybody looked");
        let line = std::fs::read_to_string(format!("/proc/{}/cmdline", child.id())).unwrap();
        // Empty while the program is being loaded.
        if !line.is_empty() {
            break line;
        }
    };
    assert!(line.contains("record") && !line.contains(KEY), "{line}");
    let output = child.wait_with_output().unwrap();
    let text = sentence(&output);
    assert!(text.contains("60008"), "{text}");
    let (_, lines, notes) = vendor.stop("-TERM");
    for text in [text, lines, notes] {
        assert!(!text.contains(KEY) && !text.contains("usersig"), "{text}");
    }
}
