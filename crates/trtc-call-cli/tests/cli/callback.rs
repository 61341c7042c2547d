//! `trtc-call callback`, at a fake vendor.

use std::process::Output;

use serde_json::{Value, json};

use crate::common::{APP, Listen, sentence, stdout, trtc_call};
use crate::doctor::endpoint::{answer, serve};
use crate::vendor::{KEY, start};

const SECRET_URL: &str = "https://example.com/callback/0f8fad5bd9cb469fa16570867728950e";
const OTHER_URL: &str = "https://example.com/callback/7c9e6679742540de944be07fc1f90ae7";

fn callback(vendor: &Listen, args: &[&str]) -> Output {
    callback_at(&vendor.url, args)
}

fn callback_at(api_url: &str, args: &[&str]) -> Output {
    let mut command = trtc_call(["callback"].iter().chain(args));
    command.env("SDK_APP_ID", APP).env("TRTC_SECRET_KEY", KEY).env("TRTC_API_URL", api_url);
    command.output().unwrap()
}

/// What it prints for a program.
#[track_caller]
fn object(vendor: &Listen, args: &[&str]) -> Value {
    let output = callback(vendor, &[args, &["--json"]].concat());
    serde_json::from_str(&stdout(&output, 0)).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn none_is_set_at_first() {
    let vendor = start(&[]);
    for args in [&["get"][..], &["get", "--json"], &["delete"], &["delete", "--yes"]] {
        let output = callback(&vendor, args);
        assert_eq!(stdout(&output, 1), "");
        assert_eq!(output.stderr, b"trtc-call: no callback is set\n");
    }
}

#[test]
fn what_is_set_is_overwritten_only_if_it_is_meant() {
    let vendor = start(&[]);
    let set = |url, more: &[&str]| callback(&vendor, &[&["set", "--url", url], more].concat());
    // Nor is anything set.
    assert!(sentence(&set(SECRET_URL, &[])).contains("--yes"));
    stdout(&callback(&vendor, &["get"]), 1);
    let output = set(SECRET_URL, &["--yes"]);
    let added = format!("url         + {SECRET_URL}\n");
    assert!(stdout(&output, 0).starts_with(&added), "{output:?}");
    assert_eq!(output.stderr, b"");
    let all = json!({ "url": SECRET_URL, "commands": ["Call.CallbackAfterEndCall",
        "Call.CallbackAfterStartCall", "Call.CallbackAfterMemberChanged"] });
    assert_eq!(object(&vendor, &["get"]), all);
    // The same is set again: nobody is asked.
    assert!(stdout(&set(SECRET_URL, &[]), 0).ends_with("it was set already\n"));

    let output = set(OTHER_URL, &["--command", "CallEnded"]);
    assert!(sentence(&output).contains("--yes"));
    let shown = stdout(&output, 2);
    let expected = format!(
        "url         - {SECRET_URL}\n            + {OTHER_URL}\n\
         commands    - Call.CallbackAfterStartCall\n            \
         - Call.CallbackAfterMemberChanged\n            Call.CallbackAfterEndCall\n"
    );
    assert_eq!(shown, expected);
    assert_eq!(object(&vendor, &["get"]), all);

    let changed = object(&vendor, &["set", "--url", OTHER_URL, "--command", "CallEnded", "--yes"]);
    let commands = json!(["Call.CallbackAfterEndCall"]);
    let expected =
        json!({ "url": OTHER_URL, "commands": commands, "changed": true, "before": all });
    assert_eq!(changed, expected);
    let text = stdout(&callback(&vendor, &["get"]), 0);
    let expected = format!("url         {OTHER_URL}\ncommands    Call.CallbackAfterEndCall\n");
    assert_eq!(text, expected);
}

#[test]
fn what_is_set_is_deleted_only_if_it_is_meant() {
    let vendor = start(&[]);
    stdout(&callback(&vendor, &["set", "--url", SECRET_URL, "--yes"]), 0);
    for args in [&["delete"][..], &["delete", "--json"]] {
        let output = callback(&vendor, args);
        stdout(&output, 2);
        assert!(stderr(&output).ends_with("--yes says so where nobody can be asked\n"));
        assert_eq!(object(&vendor, &["get"])["url"], SECRET_URL);
    }
    let text = stdout(&callback(&vendor, &["delete", "--yes"]), 0);
    assert!(text.starts_with(&format!("url         - {SECRET_URL}\n")), "{text}");
    stdout(&callback(&vendor, &["get"]), 1);
}

#[test]
fn a_bad_choice_of_a_url_is_warned_of() {
    let vendor = start(&[]);
    for (url, words) in [
        (SECRET_URL, &[][..]),
        ("https://example.com/callback", &["random segment"]),
        ("http://example.com/callback?token=abc", &["not HTTPS", "a query", "random segment"]),
    ] {
        let output = callback(&vendor, &["set", "--yes", "--url", url]);
        stdout(&output, 0);
        let warnings = stderr(&output);
        assert_eq!(warnings.lines().count(), words.len(), "{warnings}");
        for word in words {
            assert!(warnings.contains(word), "{url}: {warnings}");
        }
        // They are for the terminal's log as well.
        assert!(!warnings.contains("example.com"), "{warnings}");
    }
}

#[test]
fn a_url_that_cannot_work_is_not_set() {
    let vendor = start(&[]);
    for url in [
        "",
        "ftp://example.com/",
        "example.com/callback",
        // These a lenient parser repairs, and the vendor is sent them to the byte.
        "https://example.com/callback ",
        "https://example.com/callback\n",
        "https://exam\tple.com/callback",
        " https://example.com/callback",
        "https:example.com/callback",
        "https:///example.com/callback",
        "HTTPS://example.com/callback",
        "https://example.com\\callback",
    ] {
        for more in [&[][..], &["--random-segment"]] {
            let output = callback(&vendor, &[&["set", "--yes", "--url", url], more].concat());
            assert!(sentence(&output).contains("--url"), "{url:?}");
        }
    }
    stdout(&callback(&vendor, &["get"]), 1);
}

#[test]
fn a_command_that_is_not_documented_is_told() {
    let vendor = start(&[]);
    let set = |command| {
        let args = ["set", "--yes", "--url", SECRET_URL, "--command", "CallEnded", "--command"];
        callback(&vendor, &[&args[..], &[command]].concat())
    };
    assert!(sentence(&set("")).contains("--command"));
    stdout(&callback(&vendor, &["get"]), 1);
    for (command, notes) in [
        ("MemberChanged", ""),
        ("Call.CallbackAfterStartCall", ""),
        ("Call.Other\u{1b}", "Call.Other\\u{1b} is not documented: nothing may come of it\n"),
    ] {
        let output = set(command);
        stdout(&output, 0);
        assert_eq!(stderr(&output), notes);
    }
}

#[test]
fn a_change_whose_answer_does_not_come_may_have_happened() {
    let json = "content-type: application/json\r\n";
    let reply = |code: i64, more: &str| {
        let status = if code == 0 { "OK" } else { "FAIL" };
        let body = format!(
            r#"{{"ActionStatus":"{status}","ErrorInfo":"","ErrorCode":{code},"RequestId":"1"{more}}}"#
        );
        answer("200 OK", json, &body)
    };
    let get = r#","Response":{"Url":"https://example.com/","CallbackCommandList":["a"]}"#;
    for (answer, may_be) in [
        ("no HTTP\r\n\r\n".to_owned(), true),
        (answer("504 Gateway Timeout", "", ""), true),
        (reply(60008, ""), true),
        (reply(100_002, ""), false),
    ] {
        let get = reply(0, get);
        let failing = answer.clone();
        let addr = serve(move |head| {
            Some(if head.contains("get_callback") { get.clone() } else { failing.clone() })
        });
        let run = |args: &[&str]| callback_at(&format!("http://{addr}"), args);
        let is_said = |text: &str, what: &str| {
            let words =
                format!("; it may be {what} nevertheless: `trtc-call callback get` tells\n");
            assert_eq!(text.ends_with(&words), may_be, "{answer}: {text}");
        };
        is_said(&sentence(&run(&["set", "--yes", "--url", SECRET_URL])), "set");
        is_said(&sentence(&run(&["delete", "--yes"])), "deleted");
        // What was made up is not lost.
        let args = ["set", "--url", "https://example.com/callback", "--random-segment", "--yes"];
        let output = run(&[&args[..], &["--json"]].concat());
        assert_eq!(stdout(&output, 2), "");
        is_said(&stderr(&output), "set");
        let added = stderr(&output).lines().any(|line| {
            let segment = line.split_once("+ https://example.com/callback/");
            segment.is_some_and(|(_, segment)| segment.len() == 32)
        });
        assert!(added, "{output:?}");
        let output = run(&["delete", "--yes", "--json"]);
        is_said(&stderr(&output), "deleted");
        assert!(stderr(&output).contains("- https://example.com/\n"), "{output:?}");
    }
}

#[test]
fn a_random_segment_is_made_and_printed() {
    let vendor = start(&[]);
    let args = ["set", "--url", "https://example.com/callback", "--random-segment", "--yes"];
    let output = callback(&vendor, &args);
    let text = stdout(&output, 0);
    assert_eq!(stderr(&output), "");
    let url = object(&vendor, &["get"])["url"].as_str().unwrap().to_owned();
    assert!(text.contains(&format!("+ {url}\n")), "{text}");
    let segment = url.strip_prefix("https://example.com/callback/").unwrap();
    assert!(segment.len() == 32 && segment.bytes().all(|b| b.is_ascii_hexdigit()), "{url}");
}

#[test]
fn a_refusal_says_the_code_what_it_means_and_what_to_do() {
    let vendor = start(&[]);
    let args = ["get", "--admin", "somebody"];
    let text = sentence(&callback(&vendor, &args));
    for word in ["60010", "administrator is needed", "name one", "request id "] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let mut command = trtc_call(["callback", "get", "--sdk-app-id", APP]);
    command.env("TRTC_SECRET_KEY", "another").env("TRTC_API_URL", &vendor.url);
    let text = sentence(&command.output().unwrap());
    assert!(text.contains("70009") && text.contains("secret key"), "{text}");
}

#[test]
fn whom_to_ask_is_not_guessed() {
    let run = |args: &[&str], [key, value]: [&str; 2]| {
        let mut command = trtc_call(["callback", "get", "--sdk-app-id", APP].iter().chain(args));
        command.env("TRTC_SECRET_KEY", KEY).env(key, value).output().unwrap()
    };
    let text = sentence(&run(&[], ["OTHER", ""]));
    assert!(text.contains("--region") && text.contains("singapore"), "{text}");
    for url in ["", "s3cret", "http://h/?s3cret"] {
        let text = sentence(&run(&[], ["TRTC_API_URL", url]));
        assert!(text.contains("TRTC_API_URL must be") && !text.contains("s3cret"), "{text}");
    }
    for (args, word) in [
        (&["--region", "s3cret"][..], "--region"),
        (&["--region", "china", "--api-url", "http://s3cret"], "--region"),
        (&["--api-url", "s3cret"], "--api-url must be an http:// or https:// URL"),
        (&["--api-url", "http://h/?s3cret"], "--api-url must be an http:// or https:// URL"),
        (&["--admin", ""], "--admin must be 1 to 32 bytes of printable ASCII"),
    ] {
        let url = if args[0] == "--admin" { "http://127.0.0.1:1" } else { "" };
        let text =
            sentence(&run(args, [if url.is_empty() { "OTHER" } else { "TRTC_API_URL" }, url]));
        assert!(text.contains(word) && !text.contains("s3cret"), "{args:?}: {text}");
    }
}
