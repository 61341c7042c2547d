//! `trtc-call send`.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{
    APP, Listen, TOKEN, endpoint, lines, request, send, sentence, stdout, trtc_call, with_input,
};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

#[test]
fn a_signed_callback_is_delivered() {
    let listen = Listen::start(&[]);
    let text = stdout(&send(&listen.url, &["--token", TOKEN]), 0);
    assert!(text.contains("Call.CallbackAfterEndCall  NormalEnd  call "), "{text}");
    assert!(text.contains("HTTP 200  application/json  "), "{text}");
    assert!(text.contains(r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#), "{text}");
    assert!(text.ends_with("delivered: yes — HTTP 200 and a JSON body\n"), "{text}");
}

#[test]
fn a_signature_can_be_left_out_or_made_wrong_or_stale() {
    let mut listen = Listen::start(&[]);
    for more in [
        [].as_slice(),
        &["--token", "another"],
        &["--token", TOKEN, "--unsigned"],
        &["--token", TOKEN, "--wrong-signature"],
        &["--token", TOKEN, "--stale"],
    ] {
        let text = stdout(&send(&listen.url, more), 1);
        assert!(text.contains(r#""ErrorInfo":"forbidden""#), "{text}");
        assert!(text.ends_with("delivered: no — HTTP 403, not 200\n"), "{text}");
    }
    // The next line is the first that a handler saw.
    stdout(&send(&listen.url, &["--token", TOKEN, "--call-id", "first"]), 0);
    assert!(listen.line().contains("first"));
    // The operator is told more than the peer.
    let (_, _, stderr) = listen.stop("-TERM");
    for kind in ["unsigned", "bad signature", "stale signature"] {
        assert!(stderr.contains(&format!("refused with 403: {kind}: ")), "{stderr}");
    }
}

#[test]
fn the_first_token_of_the_environment_signs() {
    let listen = Listen::start(&[]);
    let mut send = trtc_call(["send", "--url", &listen.url]);
    let output = send.env("SDK_APP_ID", APP).env("CALLBACK_TOKEN", "xxxxyyyy,old").output();
    stdout(&output.unwrap(), 0);
}

#[test]
fn every_result_can_be_sent() {
    let mut listen = Listen::start(&["--json"]);
    let text = stdout(&send(&listen.url, &["--token", TOKEN, "--all-results"]), 0);
    assert!(text.contains("\ndelivered: 7 of 7 in "), "{text}");
    for result in ["NormalEnd", "Cancel", "Reject", "NotAnswer", "CallBusy", "Interrupt", "Offline"]
    {
        assert!(text.contains(&format!("Call.CallbackAfterEndCall  {result}  call ")), "{text}");
        assert!(listen.line().contains(&format!(r#""result":"{result}""#)));
    }
}

#[test]
fn repeated_callbacks_are_summed_up() {
    let listen = Listen::start(&["--json"]);
    let args = ["--token", TOKEN, "--count", "50", "--concurrency", "4"];
    let text = stdout(&send(&listen.url, &args), 0);
    assert!(text.contains("\n 50  200 OK\ndelivered: 50 of 50 in "), "{text}");
    for quantile in ["p50", "p90", "p99", "p99.9", "max"] {
        assert!(text.contains(&format!(" {quantile} ")), "{text}");
    }
    let (_, lines, _) = listen.stop("-TERM");
    let ids: std::collections::BTreeSet<&str> =
        lines.lines().map(|line| line.split(r#""call_id":"#).nth(1).unwrap()).collect();
    assert_eq!(ids.len(), 50);
}

/// The server closes the connection of a request whose body it does not read: that is no loss.
#[test]
fn refused_callbacks_are_summed_up_too() {
    let listen = Listen::start(&[]);
    let text = stdout(&send(&listen.url, &["--count", "50", "--concurrency", "4"]), 1);
    assert!(text.contains("\n 50  403 FAIL forbidden\ndelivered: 0 of 50 in "), "{text}");
}

#[test]
fn with_a_call_id_it_is_delivered_again_to_the_byte() {
    let mut listen = Listen::start(&["--json"]);
    stdout(&send(&listen.url, &["--token", TOKEN, "--call-id", "a-1", "--count", "2"]), 0);
    let first = listen.line();
    assert!(first.contains(r#""call_id":"a-1""#), "{first}");
    assert_eq!(first, listen.line());
}

#[test]
fn the_other_commands_can_be_sent() {
    let mut listen = Listen::start(&["--json"]);
    for (command, wire) in [
        ("CallStarted", "Call.CallbackAfterStartCall"),
        ("Call.CallbackAfterStartCall", "Call.CallbackAfterStartCall"),
        ("MemberChanged", "Call.CallbackAfterMemberChanged"),
        ("CallEnded", "Call.CallbackAfterEndCall"),
        ("Some.Other", "Some.Other"),
    ] {
        let text = stdout(&send(&listen.url, &["--token", TOKEN, "--command", command]), 0);
        assert!(text.contains(&format!("\n{wire}")), "{text}");
        let line = listen.line();
        assert!(line.starts_with(&format!(r#"{{"command":"{wire}","#)), "{line}");
    }
}

/// A callback that was stored can be sent again.
#[test]
fn a_body_that_is_sent_again_says_what_it_is() {
    let mut listen = Listen::start(&[]);
    let url = listen.url.clone();
    let args = ["send", "--sdk-app-id", APP, "--token", TOKEN, "--url", &url, "--body", "-"];
    for (body, more, command, call_id, result) in [
        (r#"{"CallRecord":{"CallId":"a"}}"#, &[][..], "AfterEndCall", "a".into(), Value::Null),
        (
            r#"{"CallbackCommand":"Call.CallbackAfterEndCall","CallRecord":{"CallId":"b","CallResult":"Offline"}}"#,
            &[],
            "AfterEndCall",
            "b".into(),
            "Offline".into(),
        ),
        (
            r#"{"CallbackCommand":"Call.CallbackAfterStartCall","CallInfo":{"CallId":"c"}}"#,
            &[],
            "AfterStartCall",
            "c".into(),
            Value::Null,
        ),
        (
            r#"{"CallId":"d"}"#,
            &["--command", "MemberChanged"],
            "AfterMemberChanged",
            "d".into(),
            Value::Null,
        ),
    ] {
        let command_line = trtc_call([&args[..], &["--json"], more].concat());
        let output = with_input(command_line, body.as_bytes());
        let line: Value = serde_json::from_str(&stdout(&output, 0)).unwrap();
        assert_eq!(line["command"], format!("Call.Callback{command}"));
        assert_eq!((&line["call_id"], &line["result"]), (&call_id, &result), "{line}");
        assert!(listen.line().contains(command));
    }
    // What tells nothing is sent all the same.
    let text = stdout(&with_input(trtc_call(args), b"no JSON"), 1);
    assert!(text.contains("Call.CallbackAfterEndCall  a body of 7 bytes"), "{text}");
}

#[test]
fn with_a_start_time_another_command_sends_the_same() {
    let mut listen = Listen::start(&["--json"]);
    let args = ["--token", TOKEN, "--call-id", "a-1", "--start-time", "1741231141"];
    for command in ["CallEnded", "CallStarted", "MemberChanged"] {
        let (first, second) = (bodies(command), bodies(command));
        assert_eq!(first, second, "{command}");
        stdout(&send(&listen.url, &[&args[..], &["--command", command]].concat()), 0);
    }
    let ended = listen.line();
    for field in [r#""talk_seconds":42"#, r#""ring_seconds":5"#] {
        assert!(ended.contains(field), "{ended}");
    }

    /// The body that is sent with these switches.
    fn bodies(command: &str) -> String {
        let (url, served) = request(OK);
        let args = ["--call-id", "a-1", "--start-time", "1741231141", "--command", command];
        stdout(&send(&url, &args), 0);
        served.join().unwrap()[1].clone()
    }
}

#[test]
fn each_answer_has_a_line_of_json_and_all_have_a_summary() {
    let listen = Listen::start(&[]);
    let more = ["--token", TOKEN, "--json", "--count", "3", "--result", "Cancel", "--call-id", "a"];
    let output = send(&listen.url, &more);
    stdout(&output, 0);
    let lines: Vec<Value> =
        lines(&output).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [exchanges @ .., summary] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!(exchanges.len(), 3);
    for line in exchanges {
        assert_eq!((&line["call_id"], &line["result"]), (&"a".into(), &"Cancel".into()));
        assert_eq!(line["answer"]["status"], 200);
        assert_eq!(line["undocumented"], Value::Array(Vec::new()));
    }
    assert_eq!((&summary["total"], &summary["delivered"]), (&3.into(), &3.into()));
}

#[test]
fn what_of_an_answer_is_not_as_documented_is_told() {
    const TEXT: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n\
        {\"ActionStatus\":\"OK\",\"ErrorInfo\":\"\",\"ErrorCode\":\"0\"}";
    const WRAPPED: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n\
        {\"data\":{\"ActionStatus\":\"OK\",\"ErrorInfo\":\"\",\"ErrorCode\":0}} ";
    for (answer, says) in [
        (TEXT, "not as documented: `ErrorCode` is a text, not a number\n"),
        (WRAPPED, "not as documented: the acknowledgement is inside `data`\n"),
        (OK, "not as documented: `ErrorCode` is missing\n"),
    ] {
        let (url, served) = endpoint(answer);
        let text = stdout(&send(&url, &[]), 0);
        let delivered = "\ndelivered: yes — HTTP 200 and a JSON body\n";
        assert!(text.contains(delivered) && text.ends_with(says), "{text}");
        served.join().unwrap();
    }
}

#[test]
fn the_request_is_as_documented() {
    let (url, served) = endpoint(OK);
    let text = stdout(&send(&url, &["--token", TOKEN]), 0);
    let head = served.join().unwrap();
    let (line, headers) = head.split_once("\r\n").unwrap();
    let query = "/callback?SdkAppid=1400000001&CallbackCommand=Call.CallbackAfterEndCall\
                 &contenttype=json&ClientIP=127.0.0.1&OptPlatform=Android&Sign=";
    assert!(line.starts_with(&format!("POST {query}")), "{line}");
    let mut names: Vec<String> = headers
        .lines()
        .filter_map(|header| header.split_once(':'))
        .map(|(name, _)| name.to_lowercase())
        .collect();
    names.sort();
    // The first is the client's own, and says nothing: `*/*`.
    assert_eq!(names, ["accept", "content-length", "host", "user-agent"]);
    // The query is a secret.
    assert!(!text.contains("Sign"), "{text}");
}

#[test]
fn what_is_not_http_200_and_json_is_not_delivered() {
    for (answer, why) in [
        (
            &b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"[..],
            "HTTP 200, but the body is not JSON",
        ),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "HTTP 200, but the body is not JSON"),
        (b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}", "HTTP 201, not 200"),
        (
            b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 2\r\n\r\n{}",
            "HTTP 302, not 200",
        ),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}",
            "the connection was closed without a whole answer",
        ),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", "the answer is not HTTP"),
    ] {
        let (url, served) = endpoint(answer);
        let text = stdout(&send(&url, &[]), 1);
        assert!(text.ends_with(&format!("delivered: no — {why}\n")), "{text}");
        served.join().unwrap();
    }
}

#[test]
fn an_endpoint_that_never_answers_is_given_up_after_two_seconds() {
    let (url, served) = endpoint(b"");
    let started = Instant::now();
    let text = stdout(&send(&url, &[]), 1);
    let took = started.elapsed();
    assert!(text.ends_with("delivered: no — no whole answer within 2s\n"), "{text}");
    assert!(took >= Duration::from_secs(2) && took < Duration::from_secs(20), "{took:?}");
    served.join().unwrap();
}

#[test]
fn what_cannot_be_sent_is_one_sentence() {
    // Bound and dropped: nobody listens there now.
    let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refusing = format!("http://{addr}/callback?token=secret");
    let text =
        sentence(&send(&refusing, &["--token", TOKEN, "--count", "9", "--concurrency", "3"]));
    assert!(text.contains("cannot reach http://"), "{text}");
    assert!(!text.contains("secret") && !text.contains("Sign"), "{text}");

    for (url, more, expected) in [
        ("nonsense", [].as_slice(), "--url must be"),
        ("ftp://127.0.0.1/callback", &[], "--url must be"),
        ("http://127.0.0.1:1/", &["--body", "/no/such/file"], "cannot read /no/such/file"),
        ("http://127.0.0.1:1/", &["--ca-cert", "/no/such/file"], "cannot use /no/such/file"),
        ("http://127.0.0.1:1/", &["--stale"], "need a --token"),
        ("http://127.0.0.1:1/", &["--wrong-signature"], "need a --token"),
        ("http://127.0.0.1:1/", &["--token", ""], "--token must be"),
        ("http://127.0.0.1:1/", &["--result", "Cancel", "--command", "X"], "--command"),
    ] {
        let text = sentence(&send(url, more));
        assert!(text.contains(expected), "{text}");
    }
    let without_app = trtc_call(["send", "--url", "http://127.0.0.1:1/"]).output().unwrap();
    assert!(sentence(&without_app).contains("--sdk-app-id"));
}

#[test]
fn a_time_has_three_decimals_at_most() {
    let listen = Listen::start(&[]);
    let output = send(&listen.url, &["--token", TOKEN, "--json", "--all-results"]);
    let text = stdout(&output, 0);
    for line in text.lines() {
        for behind_point in line.split('.').skip(1) {
            let decimals = behind_point.bytes().take_while(u8::is_ascii_digit).count();
            assert!(decimals <= 3, "{line}");
        }
    }
    assert_eq!(text.matches("took_ms").count(), 8);
}

/// Whoever reads standard output alone is told too.
#[test]
fn what_cannot_be_sent_is_an_object_as_well() {
    let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let unreachable = [format!("http://{addr}/callback?x=y"), "http://no-host.invalid/".to_owned()];
    for url in unreachable {
        let output = send(&url, &["--json", "--call-id", "a-1"]);
        assert!(sentence(&output).contains("cannot reach http://"));
        let line: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(line["command"], "Call.CallbackAfterEndCall");
        assert_eq!(line["call_id"], "a-1");
        assert_eq!(line["answer"], Value::Null);
        assert_eq!(line["delivered"], false);
        assert!(line["why"].as_str().unwrap().starts_with("cannot reach http://"), "{line}");
        // Of several, there is a summary behind it.
        let output = send(&url, &["--json", "--count", "9"]);
        sentence(&output);
        let line: Value = serde_json::from_str(lines(&output)[1]).unwrap();
        assert_eq!((&line["total"], &line["delivered"]), (&1.into(), &0.into()));
        let (why, count) = line["answers"].as_object().unwrap().iter().next().unwrap();
        assert!(why.starts_with("cannot reach http://") && *count == 1, "{line}");
        // People have the sentence.
        let text = stdout(&send(&url, &[]), 2);
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

#[test]
fn a_value_that_is_not_allowed_is_told_from_an_unknown_switch() {
    let days = "a number of seconds above 0, and at most 86400";
    for (more, says) in [
        (["--timeout", "-1"], days),
        (["--timeout", "0"], days),
        (["--timeout", "soon"], days),
        (["--talk-seconds", "-5"], "a whole number from 0 to 4294967295"),
        (["--ring-seconds", "4294967296"], "a whole number from 0 to 4294967295"),
        (["--count", "-1"], "a whole number from 1 to 4294967295"),
        (["--concurrency", "1001"], "a whole number from 1 to 1000"),
    ] {
        let text = sentence(&send("http://127.0.0.1:1/", &more));
        assert!(text.contains(&format!("the value of {} ", more[0])), "{text}");
        assert!(text.contains(&format!("is not allowed: it must be {says}")), "{text}");
    }
}

#[test]
fn switches_that_exclude_each_other_are_refused() {
    for more in [
        ["--unsigned", "--stale"].as_slice(),
        &["--wrong-signature", "--stale"],
        &["--result", "Cancel", "--all-results"],
        &["--body", "-", "--result", "Cancel"],
        &["--count", "0"],
        &["--timeout", "0"],
    ] {
        stdout(&send("http://127.0.0.1:1/", more), 2);
    }
}
