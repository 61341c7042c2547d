//! `trtc-call listen`.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::common::{APP, Listen, TOKEN, send, sentence, stdout, trtc_call};
use serde_json::{Value, json};

#[test]
fn a_signal_stops_it_with_status_0() {
    for signal in ["-TERM", "-INT"] {
        let (status, rest, _) = Listen::start(&[]).stop(signal);
        assert_eq!((status, rest.as_str()), (Some(0), ""));
    }
}

#[test]
fn connections_that_idle_do_not_keep_it() {
    let listen = Listen::start(&[]);
    let idle = TcpStream::connect(listen.addr()).unwrap();
    let (status, ..) = listen.stop("-TERM");
    assert_eq!(status, Some(0));
    drop(idle);
}

#[test]
fn it_prints_a_readable_line_for_each_callback() {
    let mut listen = Listen::start(&[]);
    stdout(
        &send(
            &listen.url,
            &["--token", TOKEN, "--call-id", "a-1", "--callee", "2", "--callee", "3"],
        ),
        0,
    );
    assert_eq!(
        listen.line(),
        "Call.CallbackAfterEndCall  a-1  NormalEnd  10001 -> 2, 3  talked 42 s  rang 5 s\n"
    );
    stdout(&send(&listen.url, &["--token", TOKEN, "--command", "Other"]), 0);
    assert_eq!(listen.line(), "Other  {\"CallbackCommand\":\"Other\"}\n");
}

#[test]
fn a_peer_cannot_steer_the_terminal() {
    let mut listen = Listen::start(&[]);
    stdout(&send(&listen.url, &["--token", TOKEN, "--call-id", "a\u{1b}[2J\nb"]), 0);
    assert!(listen.line().contains(r"  a\u{1b}[2J\nb  "));
}

#[test]
fn it_prints_a_line_of_json_for_each_callback() {
    let mut listen = Listen::start(&["--json"]);
    let mut line = |more: &[&str]| -> Value {
        let args = [&["--token", TOKEN], more].concat();
        stdout(&send(&listen.url, &args), 0);
        serde_json::from_str(&listen.line()).unwrap()
    };

    let line_of_end = line(&["--call-id", "a-1", "--talk-seconds", "7", "--ring-seconds", "3"]);
    let expected = json!({
        "command": "Call.CallbackAfterEndCall", "call_id": "a-1", "result": "NormalEnd",
        "caller": "10001", "callees": ["10002"], "talk_seconds": 7, "ring_seconds": 3,
        "media_type": "Audio", "call_type": "SingleCall", "room": "roomid-1434",
        "sdk_app_id": 1400000001, "signature": "valid",
        "idempotency_key": "1400000001:Call.CallbackAfterEndCall:a-1",
    });
    assert_eq!(line_of_end, expected);

    let unanswered = line(&["--result", "NotAnswer"]);
    assert_eq!(
        (&unanswered["result"], &unanswered["talk_seconds"]),
        (&json!("NotAnswer"), &json!(0))
    );

    let started = line(&["--command", "CallStarted", "--call-id", "a-2"]);
    assert_eq!(
        (&started["command"], &started["call_id"]),
        (&json!("Call.CallbackAfterStartCall"), &json!("a-2"))
    );
    assert_eq!(started["members"][1], json!({ "account": "10002", "status": "Waiting" }));

    let changed = line(&["--command", "MemberChanged", "--call-id", "a-3"]);
    assert_eq!(
        (&changed["command"], &changed["call_id"]),
        (&json!("Call.CallbackAfterMemberChanged"), &json!("a-3"))
    );
    assert_eq!(changed["changes"], json!([{ "account": "10002", "action": "Accept" }]));

    let other = line(&["--command", "Some.Other"]);
    assert_eq!((&other["command"], &other["call_id"]), (&json!("Some.Other"), &Value::Null));
    assert_eq!(other["body"], r#"{"CallbackCommand":"Some.Other"}"#);
}

#[test]
fn what_the_callback_does_not_tell_is_null() {
    let mut listen = Listen::start(&["--json"]);
    let body = r#"{"CallRecord":{"CallId":7,"CallResult":"NormalEnd"}}"#;
    let file = std::env::temp_dir().join(format!("trtc-call-null-{}.json", std::process::id()));
    std::fs::write(&file, body).unwrap();
    let output = send(&listen.url, &["--token", TOKEN, "--body", file.to_str().unwrap()]);
    std::fs::remove_file(&file).unwrap();
    stdout(&output, 0);
    let line: Value = serde_json::from_str(&listen.line()).unwrap();
    assert_eq!(line["call_id"], "7");
    assert_eq!((&line["caller"], &line["talk_seconds"]), (&Value::Null, &Value::Null));
    assert_eq!(line["callees"], json!([]));
}

#[test]
fn a_client_that_says_it_sends_nothing_more_is_answered() {
    let listen = Listen::start(&["--json"]);
    for _ in 0..20 {
        let mut stream = TcpStream::connect(listen.addr()).unwrap();
        stream.write_all(b"GET /callback HTTP/1.1\r\nhost: h\r\n\r\n").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 405 "), "{answer:?}");
    }
}

#[test]
fn another_method_is_answered_by_the_contract() {
    let listen = Listen::start(&[]);
    let mut stream = TcpStream::connect(listen.addr()).unwrap();
    stream.write_all(b"GET /callback HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    assert!(answer.contains("\r\nallow: POST\r\n"), "{answer}");
    assert!(
        answer.ends_with(
            r#"{"ActionStatus":"FAIL","ErrorInfo":"method not allowed","ErrorCode":405}"#
        ),
        "{answer}"
    );
}

/// Nobody would know of a callback that is acknowledged then.
#[test]
fn a_callback_that_nobody_can_read_is_not_acknowledged() {
    let mut listen = Listen::start(&["--json"]);
    listen.close();
    let text = stdout(&send(&listen.url, &["--token", TOKEN]), 1);
    assert!(text.contains("HTTP 500"), "{text}");
    assert!(text.contains("the callback is not kept"), "{text}");
    let (status, ..) = listen.stop("-TERM");
    assert_eq!(status, Some(0));
}

/// A pipe holds 64 KiB, and then holds whoever writes to it.
#[test]
fn a_reader_that_stalls_does_not_stop_it() {
    // Nobody reads either of its outputs from here on.
    let listen = Listen::start(&["--json"]);
    let long = "x".repeat(100_000);
    let more = ["--token", TOKEN, "--call-id", &long, "--count", "2", "--concurrency", "2"];
    let text = stdout(&send(&listen.url, &[&more[..], &["--timeout", "20"]].concat()), 1);
    assert!(text.contains(" 2  500 FAIL the callback is not kept\n"), "{text}");
    // More than what waits at most: those are refused at once.
    let more = ["--token", TOKEN, "--count", "600", "--concurrency", "300", "--timeout", "20"];
    let text = stdout(&send(&listen.url, &more), 1);
    assert!(text.contains(" 600  500 FAIL the callback is not kept\n"), "{text}");
    let more = ["--count", "2000", "--concurrency", "8", "--timeout", "20"];
    let started = Instant::now();
    let text = stdout(&send(&listen.url, &more), 1);
    assert!(text.contains(" 2000  403 FAIL forbidden\n"), "{text}");
    assert_eq!(listen.stop_unread("-TERM").0, Some(0));
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

#[test]
fn the_environment_is_read_where_no_flag_is_given() {
    let mut command = trtc_call(["listen"]);
    command.env("ADDR", "127.0.0.1:0").env("SDK_APP_ID", "7").env("CALLBACK_TOKEN", "a,b");
    let listen = Listen::spawn(&mut command);
    for (token, status) in [("a", 0), ("b", 0), ("c", 1)] {
        let args = ["send", "--url", &listen.url, "--sdk-app-id", "7", "--token", token];
        stdout(&trtc_call(args).output().unwrap(), status);
    }
    stdout(&send(&listen.url, &["--token", "a"]), 1);
    let (_, _, stderr) = listen.stop("-TERM");
    assert!(stderr.contains("foreign app") && !stderr.contains("no token"), "{stderr}");
}

#[test]
fn a_flag_hides_the_environment() {
    let args = ["listen", "--addr", "127.0.0.1:0", "--sdk-app-id", APP, "--token", TOKEN];
    let mut command = trtc_call(args);
    command.env("ADDR", "").env("SDK_APP_ID", "x").env("CALLBACK_TOKEN", ",");
    let listen = Listen::spawn(&mut command);
    stdout(&send(&listen.url, &["--token", TOKEN]), 0);
}

#[test]
fn without_a_token_it_says_so() {
    let mut command = trtc_call(["listen", "--addr", "127.0.0.1:0"]);
    let listen = Listen::spawn(&mut command);
    stdout(&send(&listen.url, &[]), 0);
    let (_, _, stderr) = listen.stop("-TERM");
    assert_eq!(stderr, "there is no token: only the SDKAppID is checked\n");
}

/// What a roll-out of signatures begins with.
#[test]
fn what_is_wrong_with_a_signature_may_be_only_reported() {
    let mut listen = Listen::start(&["--json", "--report-only"]);
    for (more, signature) in [
        (["--token", TOKEN].as_slice(), "valid"),
        (&[], "missing"),
        (&["--token", TOKEN, "--wrong-signature"], "invalid"),
        (&["--token", TOKEN, "--stale"], "invalid"),
    ] {
        stdout(&send(&listen.url, more), 0);
        let line: Value = serde_json::from_str(&listen.line()).unwrap();
        assert_eq!(line["signature"], signature, "{more:?}");
    }
    let (_, _, stderr) = listen.stop("-TERM");
    let lines: Vec<&str> = stderr.lines().collect();
    let [first, unsigned, bad, stale] = lines[..] else { panic!("{stderr}") };
    assert_eq!(first, "what is wrong with a signature is only reported");
    for (line, kind) in [(unsigned, "unsigned"), (bad, "bad signature"), (stale, "stale signature")]
    {
        assert!(line.starts_with(&format!("would be refused with 403: {kind}: ")), "{stderr}");
    }
    let without_token = trtc_call(["listen", "--report-only"]).output().unwrap();
    assert!(sentence(&without_token).contains("--report-only needs a --token"));
}

/// Without a token a signature that is there is not verified, and that is told.
#[test]
fn a_signature_that_nobody_can_verify_is_unverified() {
    let mut command = trtc_call(["listen", "--addr", "127.0.0.1:0", "--json"]);
    let mut listen = Listen::spawn(&mut command);
    for (more, signature) in [(["--token", TOKEN].as_slice(), "unverified"), (&[], "missing")] {
        stdout(&send(&listen.url, more), 0);
        let line: Value = serde_json::from_str(&listen.line()).unwrap();
        assert_eq!(line["signature"], signature);
    }
}

/// No line has seconds of a call that only the vendor's record tells.
#[test]
fn a_call_that_must_not_be_billed_has_no_seconds() {
    let folder = std::env::temp_dir();
    let file = folder.join(format!("trtc-call-ask-{}.json", std::process::id()));
    let times = r#""StartTime":1741231146,"EndTime":1741231296"#;
    let (mut text, mut json) = (Listen::start(&[]), Listen::start(&["--json"]));
    for (record, says) in [
        (
            r#""CallResult":"NotAnswer","AcceptTime":1741231156"#,
            "NotAnswer  nobody -> nobody  ask the record: an accept time, but a result that says \
             nobody answered",
        ),
        (
            r#""CallResult":"NormalEnd""#,
            "NormalEnd  nobody -> nobody  ask the record: a normal end without an accept time",
        ),
    ] {
        let body = format!(r#"{{"CallRecord":{{"CallId":"a",{record},{times}}}}}"#);
        std::fs::write(&file, body).unwrap();
        let more = ["--token", TOKEN, "--body", file.to_str().unwrap()];
        for listen in [&text, &json] {
            stdout(&send(&listen.url, &more), 0);
        }
        assert_eq!(text.line(), format!("Call.CallbackAfterEndCall  a  {says}\n"));
        let line: Value = serde_json::from_str(&json.line()).unwrap();
        assert_eq!(line["talk_seconds"], Value::Null);
        assert_eq!(line["ring_seconds"], Value::Null);
    }
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn what_cannot_be_meant_is_one_sentence() {
    for (variable, value) in [
        ("ADDR", ""),
        ("ADDR", "localhost"),
        ("SDK_APP_ID", ""),
        ("SDK_APP_ID", "0"),
        ("SDK_APP_ID", "01400000001"),
        ("SDK_APP_ID", "+1400000001"),
        ("SDK_APP_ID", " 1400000001"),
        ("SDK_APP_ID", "18446744073709551616"),
        ("CALLBACK_TOKEN", ""),
        ("CALLBACK_TOKEN", "secret,"),
        ("CALLBACK_TOKEN", "secret,,old"),
    ] {
        let output = trtc_call(["listen"]).env(variable, value).output().unwrap();
        let text = sentence(&output);
        assert!(text.contains(variable) && !text.contains("secret"), "{text}");
        assert!(output.stdout.is_empty());
    }
}

/// What comes from the end of a file's line would make every signature wrong.
#[test]
fn a_token_with_an_odd_end_is_one_sentence() {
    let listen = ["listen"].as_slice();
    let send = &["send", "--url", "http://127.0.0.1:1/", "--sdk-app-id", APP];
    let explain = &["explain", "--url", "/c?SdkAppid=1400000001", "--body", "{}"];
    for token in ["secret\n", "old,secret ", "\u{feff}secret", "secret\u{7f},old", "old,,secret"] {
        for args in [listen, send, explain] {
            let in_variable = trtc_call(args).env("CALLBACK_TOKEN", token).output().unwrap();
            let in_switch = trtc_call(args).args(["--token", token]).output().unwrap();
            for (output, name) in [(in_variable, "CALLBACK_TOKEN"), (in_switch, "--token")] {
                let text = sentence(&output);
                let says = format!("trtc-call: {name} must be one token or several");
                assert!(text.starts_with(&says) && text.contains("at its ends"), "{text}");
                assert!(!text.contains("secret") && output.stdout.is_empty(), "{text}");
            }
        }
    }
}

#[test]
fn an_address_that_is_taken_is_one_sentence() {
    let listen = Listen::start(&[]);
    let addr = listen.addr().to_string();
    let text =
        sentence(&trtc_call(["listen", "--addr", &addr, "--token", TOKEN]).output().unwrap());
    assert!(text.contains(&format!("cannot listen on {addr}")), "{text}");
}
