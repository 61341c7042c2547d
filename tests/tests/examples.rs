//! The example servers, driven from outside: as programs, over sockets, by signals.
//!
//! Most tests take the name of any example. What all three must do alike is compared in one test.

#![cfg(unix)]

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use conformance::descriptors::{self, skipped};
use conformance::driver::in_time;
use conformance::example::{Example, TOKEN};
use conformance::programs::{EXAMPLES, Programs};
use conformance::raw::{CHUNKED, QUERY, Raw, head, is_refused, ok, refusal, whole};
use conformance::{PATH, Sent};
use http_body_util::BodyExt;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const ACK: &str = r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#;

conformance::against_every_example! {
    its_first_line_says_where_it_accepts
    an_ended_call_is_one_line_of_json
    what_a_callback_does_not_tell_is_null
    a_switch_that_cannot_be_meant_ends_it_with_status_2
    without_a_token_it_says_so
    several_tokens_are_valid_to_the_last_byte
    another_app_may_be_served
    another_method_is_answered_by_the_contract
    a_signal_stops_it_with_status_0
    idle_connections_do_not_keep_it
    a_request_in_flight_is_answered_before_it_stops
    a_call_that_cannot_be_printed_is_not_acknowledged
    clients_that_go_away_do_no_harm
    a_client_that_says_it_sends_nothing_more_is_answered
    a_head_of_64_kib_does_no_harm
    a_head_without_measure_is_refused
}

fn programs() -> &'static Programs {
    Programs::build(env!("CARGO_TARGET_TMPDIR"))
}

fn start(name: &str, switches: &[(&str, &str)]) -> Example {
    programs().start(name, switches)
}

fn body(call_id: &str) -> String {
    format!(r#"{{"CallRecord":{{"CallId":"{call_id}"}}}}"#)
}

/// The head of a callback, and the two halves of its body.
fn halves(call_id: &str, headers: &str) -> [String; 3] {
    let body = body(call_id);
    let (first, second) = body.split_at(10);
    let headers = format!("Content-Length: {}\r\n{headers}", body.len());
    [head(QUERY, &headers), first.to_owned(), second.to_owned()]
}

async fn its_first_line_says_where_it_accepts(name: &str) {
    let example = start(name, &[]);
    let address = example.address();
    assert_ne!(address.port(), 0);
    assert_eq!(example.first_line(), format!("listening on http://{address}/callback\n"));
    example.is_well().await;
    let mut elsewhere = Raw::connect(address).await;
    elsewhere.send(whole(QUERY, &body("a")).replace("/callback", "/elsewhere")).await;
    assert_eq!(elsewhere.answer().await.status, 404);
    example.stops();
}

async fn an_ended_call_is_one_line_of_json(name: &str) {
    let example = start(name, &[("CALLBACK_TOKEN", TOKEN)]);
    for (result, talked, talk_seconds) in
        [("NormalEnd", "7", 7), ("NotAnswer", "7", 0), ("SomethingNew", "1", 1)]
    {
        let call = ["--call-id", "a-1", "--caller", "1", "--callee", "2", "--callee", "3"];
        let args = [&call[..], &["--result", result, "--talk-seconds", talked]].concat();
        let sending = programs().send(example.url(), Some(TOKEN), &args, "");
        assert_eq!(sending.status, Some(0), "{}", sending.text);
        assert_eq!(sending.answers, [["200", "application/json", ACK].map(str::to_owned)]);
        let line = example.line();
        let expected = json!({
            "call_id": "a-1", "result": result, "caller": "1", "callees": ["2", "3"],
            "talk_seconds": talk_seconds,
        });
        for (field, expected) in expected.as_object().unwrap() {
            assert_eq!(&line[field], expected, "{field} of {line}");
        }
    }
    example.stops();
}

async fn what_a_callback_does_not_tell_is_null(name: &str) {
    let example = start(name, &[]);
    let mut raw = Raw::connect(example.address()).await;
    for (record, talk_seconds) in [
        // Nobody knows whether anybody answered.
        (json!({ "CallId": 7 }), Value::Null),
        // Answered, but nobody knows for how long.
        (json!({ "CallId": 7, "AcceptTime": 1741231005 }), Value::Null),
        (json!({ "CallId": 7, "AcceptTime": 1741231005, "EndTime": 1741231004 }), Value::Null),
        (json!({ "CallId": 7, "AcceptTime": 5, "EndTime": 9 }), Value::Null),
        (json!({ "CallId": 7, "AcceptTime": 1741231005, "EndTime": 1741231009 }), json!(4)),
    ] {
        raw.send(whole(QUERY, &json!({ "CallRecord": record }).to_string())).await;
        assert_eq!(raw.answer().await, ok());
        let line = example.line();
        assert_eq!(line["call_id"], "7");
        for field in ["result", "caller"] {
            assert_eq!(line.get(field), Some(&Value::Null), "{field} of {line}");
        }
        assert_eq!(line["callees"], json!([]));
        assert_eq!(line["talk_seconds"], talk_seconds, "{record}");
    }
    example.stops();
}

async fn a_switch_that_cannot_be_meant_ends_it_with_status_2(name: &str) {
    let taken = start(name, &[]);
    let address = taken.address().to_string();
    let more_than_64_bits = "18446744073709551616";
    for (switch, values) in [
        ("ADDR", vec!["", "8080", "localhost", "127.0.0.1:65536", " 127.0.0.1:0", &address]),
        ("SDK_APP_ID", vec!["", "0", "01", "+1", "-1", " 1", "1 ", "1x", "1,2", more_than_64_bits]),
        ("CALLBACK_TOKEN", vec!["", ",", "s3cret,", ",s3cret", "s3cret,,s3cret"]),
        (
            "CALLBACK_TOKEN",
            vec!["s3cret\n", "\u{feff}s3cret", "\ts3cret", "x, s3cret", "s3cret\r\n"],
        ),
    ] {
        let values = values.iter().map(OsStr::new);
        for value in values.chain([OsStr::from_bytes(b"s3cret\xff")]) {
            let mut command = programs().command(name);
            if switch != "ADDR" {
                command.env("ADDR", "127.0.0.1:0");
            }
            // That the signature is not checked is another sentence, where it is a matter at all.
            if switch != "CALLBACK_TOKEN" {
                command.env("CALLBACK_TOKEN", TOKEN);
            }
            let ended = Example::start(command_with(command, switch, value)).unwrap_err();
            assert_eq!(ended.status, Some(2), "{switch}={value:?} {ended:?}");
            assert_eq!(ended.stdout, "", "{switch}={value:?}");
            assert_eq!(ended.stderr.lines().count(), 1, "{switch}={value:?} {ended:?}");
            let subject = if value == OsStr::new(&address) { &address } else { switch };
            assert!(ended.stderr.contains(subject), "{switch}={value:?} {ended:?}");
            assert!(!ended.stderr.contains("s3cret"), "{ended:?}");
        }
    }
    taken.stops();
}

fn command_with(mut command: Command, switch: &str, value: &OsStr) -> Command {
    command.env(switch, value);
    command
}

async fn without_a_token_it_says_so(name: &str) {
    let ended = start(name, &[]).stops();
    assert!(ended.stderr.contains("CALLBACK_TOKEN"), "{}", ended.stderr);
    let ended = start(name, &[("CALLBACK_TOKEN", TOKEN)]).stops();
    assert!(!ended.stderr.contains("CALLBACK_TOKEN"), "{}", ended.stderr);
}

async fn several_tokens_are_valid_to_the_last_byte(name: &str) {
    let example = start(name, &[("CALLBACK_TOKEN", "n3w,0ld one")]);
    for (token, status) in
        [(Some("n3w"), 0), (Some("0ld one"), 0), (Some("0ld"), 1), (Some("0ldone"), 1), (None, 1)]
    {
        let sending = programs().send(example.url(), token, &["--call-id", "a"], "");
        assert_eq!(sending.status, Some(status), "{token:?}: {}", sending.text);
        if status == 0 {
            assert_eq!(example.line()["call_id"], "a");
        } else {
            assert_eq!(sending.answers[0][0], "403", "{token:?}");
        }
    }
    let ended = example.stops();
    assert!(!ended.stderr.contains("n3w") && !ended.stderr.contains("0ld"), "{}", ended.stderr);
}

async fn another_app_may_be_served(name: &str) {
    let largest = u64::MAX.to_string();
    let example = start(name, &[("SDK_APP_ID", &largest)]);
    for (app, status) in [(largest.as_str(), "200"), ("1400000001", "403")] {
        let sending = programs().send(example.url(), None, &["--sdk-app-id", app], "");
        assert_eq!(sending.answers[0][0], status, "{app}: {}", sending.text);
    }
    let _ = example.line();
    example.stops();
}

async fn another_method_is_answered_by_the_contract(name: &str) {
    let example = start(name, &[]);
    for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "post"] {
        let mut raw = Raw::connect(example.address()).await;
        raw.send(whole(QUERY, &body("a")).replacen("POST", method, 1)).await;
        let mut answer = raw.answer().await;
        assert_eq!(std::mem::take(&mut answer.allow), ["POST"], "{method}");
        assert_eq!(answer, refusal(405, "method not allowed"), "{method}");
    }
    example.is_well().await;
    example.stops();
}

async fn a_signal_stops_it_with_status_0(name: &str) {
    for signal in ["-TERM", "-INT"].repeat(5) {
        // At once: whoever has read the first line may stop it.
        let ended = start(name, &[]).stop(signal);
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), ""), "{signal}");
    }
}

async fn idle_connections_do_not_keep_it(name: &str) {
    let example = start(name, &[]);
    let mut used = Raw::connect(example.address()).await;
    used.send(whole(QUERY, &body("a"))).await;
    assert_eq!(used.answer().await, ok());
    let _ = example.line();
    let unused = Raw::connect(example.address()).await;
    let start = Instant::now();
    example.stops();
    // Some servers wait a little; none may wait for as long as it would for a request.
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    drop((used, unused));
}

async fn a_request_in_flight_is_answered_before_it_stops(name: &str) {
    for signal in ["-TERM", "-INT"] {
        let example = start(name, &[]);
        let address = example.address();
        let [head, first, second] = halves("a", "Expect: 100-continue\r\n");
        let mut raw = Raw::connect(address).await;
        raw.send(head).await;
        // It is in flight: somebody waits for its body.
        assert_eq!(raw.answer().await.status, 100);
        raw.send(first).await;

        example.signal(signal);
        // It has heard the signal: it takes no more connections.
        timeout(Duration::from_secs(10), async {
            while TcpStream::connect(address).await.is_ok() {
                sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .expect("it stops to listen");

        raw.send(second).await;
        assert_eq!(raw.answer().await, ok(), "{signal}");
        assert_eq!(example.line()["call_id"], "a");
        let ended = example.ended();
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), ""), "{signal}");
    }
}

/// Nobody would know of a call that is acknowledged then.
async fn a_call_that_cannot_be_printed_is_not_acknowledged(name: &str) {
    let example = programs().start_unread(name, &[("CALLBACK_TOKEN", TOKEN)]);
    for _ in 0..3 {
        let sending = programs().send(example.url(), Some(TOKEN), &[], "");
        assert_eq!(sending.status, Some(1), "{}", sending.text);
        let [status, kind, body] = &sending.answers[0];
        assert_eq!((status.as_str(), kind.as_str()), ("500", "application/json"));
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["ActionStatus"], "FAIL");
        assert_ne!(body["ErrorCode"], 0);
    }
    // Nothing is to be printed of these.
    let others = ["--command", "CallStarted"];
    assert_eq!(programs().send(example.url(), Some(TOKEN), &others, "").status, Some(0));
    example.stops();
}

async fn clients_that_go_away_do_no_harm(name: &str) {
    let example = start(name, &[]);
    let [head, first, _] = halves("gone", "");
    let whole = whole(QUERY, &body("gone"));
    for sent in ["", &head[..20], &head, &format!("{head}{first}"), &whole[..whole.len() - 1]] {
        for resets in [false, true] {
            for _ in 0..10 {
                let mut raw = Raw::connect(example.address()).await;
                raw.send(sent).await;
                if resets {
                    raw.reset();
                }
            }
        }
    }
    example.is_well().await;
    example.stops();
}

/// As `nc -N` and some libraries do; the other direction is open.
async fn a_client_that_says_it_sends_nothing_more_is_answered(name: &str) {
    let example = start(name, &[]);
    for _ in 0..20 {
        let mut raw = Raw::connect(example.address()).await;
        raw.send(whole(QUERY, &body("half"))).await;
        raw.finish().await;
        assert_eq!(raw.answer().await, ok());
        assert_eq!(example.line()["call_id"], "half");
        assert_eq!(raw.closed().await, b"");
    }
    example.stops();
}

/// hyper refuses it. actix-web takes it, but for a target beyond 65534 bytes, and then the query is
/// too long for the contract.
async fn a_head_of_64_kib_does_no_harm(name: &str) {
    let example = start(name, &[]);
    let long = "x".repeat(64 << 10);
    let is_taken = name == "example-actix-web";

    for length in [60 << 10, long.len()] {
        let mut raw = Raw::connect(example.address()).await;
        raw.send(whole(&format!("{QUERY}&x={}", &long[..length]), &body("query"))).await;
        let answer = raw.try_answer().await;
        if is_taken && length < 65_000 {
            assert_eq!(answer, Some(refusal(400, "malformed query")));
        } else {
            assert!(is_refused(answer.as_ref()), "{answer:?}");
        }
    }

    let mut raw = Raw::connect(example.address()).await;
    let headers = format!("X: {long}\r\nContent-Length: {}\r\n", body("head").len());
    raw.send(head(QUERY, &headers) + &body("head")).await;
    let answer = raw.try_answer().await;
    if is_taken && answer == Some(ok()) {
        assert_eq!(example.line()["call_id"], "head");
    } else {
        assert!(is_refused(answer.as_ref()), "{answer:?}");
    }

    example.is_well().await;
    example.stops();
}

/// It never ends, so that whoever waits for its end keeps all of it.
async fn a_head_without_measure_is_refused(name: &str) {
    let example = start(name, &[]);
    for start in [
        format!("POST /callback?{QUERY}&x="),
        format!("POST /callback?{QUERY} HTTP/1.1\r\nHost: localhost\r\nX: "),
    ] {
        let mut raw = Raw::connect(example.address()).await;
        raw.send(start).await;
        let all = raw.send("x".repeat(8 << 20));
        timeout(Duration::from_secs(10), all).await.expect("it reads or closes");
        let answer = raw.try_answer().await;
        assert!(is_refused(answer.as_ref()), "{answer:?}");
    }
    example.is_well().await;
    example.stops();
}

/// The port may be taken; then it says that.
#[test]
fn without_an_address_it_is_port_8080_of_this_machine() {
    for name in EXAMPLES {
        match Example::start(programs().command(name)) {
            Ok(example) => {
                assert_eq!(example.first_line(), "listening on http://127.0.0.1:8080/callback\n");
                example.stops();
            }
            Err(ended) => {
                assert_eq!(ended.status, Some(2), "{name}: {ended:?}");
                assert!(ended.stderr.contains("127.0.0.1:8080"), "{name}: {ended:?}");
            }
        }
    }
}

/// Everything that can be sent, with the statuses that are due, to each of them.
#[test]
fn all_three_answer_and_print_the_same() {
    let call = ["--call-id", "a-1"];
    let sent: [(&[&str], &str, &[u16]); 12] = [
        (&["--all-results"], "", &[200; 7]),
        (&["--result", "SomethingNew"], "", &[200]),
        (&["--command", "CallStarted"], "", &[200]),
        (&["--command", "MemberChanged"], "", &[200]),
        (&["--command", "Call.CallbackAfterSomethingNew"], "", &[200]),
        (&["--wrong-signature"], "", &[403]),
        (&["--stale"], "", &[403]),
        (&["--unsigned"], "", &[403]),
        (&["--sdk-app-id", "1400000009"], "", &[403]),
        (&["--body", "-"], r#"{"CallRecord":"#, &[400]),
        (&["--body", "-"], r#"{"CallRecord":{}}"#, &[422]),
        (
            &["--body", "-", "--command", "CallEnded"],
            r#"{"CallbackCommand":"Call.CallbackAfterStartCall"}"#,
            &[400],
        ),
    ];
    // The second token of a rotation signs.
    let tokens = [("CALLBACK_TOKEN", "0ther,xxxxyyyy")];
    let of_each = EXAMPLES.map(|name| {
        let example = start(name, &tokens);
        let mut answers = Vec::new();
        for (args, input, statuses) in sent {
            let args = if input.is_empty() { [args, &call].concat() } else { args.to_vec() };
            let sending = programs().send(example.url(), Some(TOKEN), &args, input);
            let got: Vec<_> = sending.answers.iter().map(|[status, ..]| status.clone()).collect();
            let due: Vec<_> = statuses.iter().map(u16::to_string).collect();
            assert_eq!(got, due, "{name} {args:?}: {}", sending.text);
            answers.push(sending.answers);
        }
        // Of all these only the ended calls are printed.
        let lines: Vec<_> = (0..8).map(|_| example.line()).collect();
        example.stops();
        (answers, lines)
    });
    let [axum, others @ ..] = &of_each;
    for other in others {
        assert_eq!(axum, other);
    }
    let results: BTreeSet<_> = axum.1.iter().map(|line| line["result"].as_str().unwrap()).collect();
    assert_eq!(results.len(), 8, "{results:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_connections_are_served() {
    if !descriptors::are_enough(4096, "a_thousand_connections_are_served") {
        return;
    }
    in_time(a_thousand_connections()).await;
}

/// Each has a callback under way on every connection, and a good one comes through nevertheless.
async fn a_thousand_connections() {
    for name in EXAMPLES {
        let example = start(name, &[]);
        let [head, first, second] = halves("held", "");
        let mut held = Vec::new();
        for _ in 0..1000 {
            let mut raw = Raw::connect(example.address()).await;
            raw.send(format!("{head}{first}")).await;
            held.push(raw);
        }
        example.is_well().await;
        for raw in &mut held {
            raw.send(&second).await;
        }
        for raw in &mut held {
            assert_eq!(raw.answer().await, ok(), "{name}");
            assert_eq!(example.line()["call_id"], "held");
        }
        example.is_well().await;
        example.stops();
    }
}

/// A byte a second would take a minute; a limit between two bytes would not stop it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes ten seconds"]
async fn a_body_that_trickles_is_ended_after_a_while() {
    let mut trickles = JoinSet::new();
    let examples = EXAMPLES.map(|name| start(name, &[]));
    for example in &examples {
        for (headers, byte) in [("Content-Length: 60\r\n", " "), (CHUNKED, "1\r\n \r\n")] {
            let address = example.address();
            trickles.spawn(async move {
                let mut raw = Raw::connect(address).await;
                raw.send(head(QUERY, headers)).await;
                loop {
                    raw.send(byte).await;
                    if let Ok(answer) = timeout(Duration::from_secs(1), raw.answer()).await {
                        return answer;
                    }
                }
            });
        }
    }
    let answers = timeout(Duration::from_secs(25), trickles.join_all()).await.expect("an end");
    for answer in answers {
        assert_eq!(answer, refusal(400, "unreadable body"));
    }
    for example in examples {
        example.is_well().await;
        example.stops();
    }
}

/// Its body never comes, and the server would wait a little longer than it does for bodies.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes ten seconds"]
async fn a_request_that_never_ends_does_not_keep_it() {
    let mut stopping = JoinSet::new();
    for name in EXAMPLES {
        let example = start(name, &[]);
        let [head, first, _] = halves("a", "Expect: 100-continue\r\n");
        let mut raw = Raw::connect(example.address()).await;
        raw.send(head).await;
        assert_eq!(raw.answer().await.status, 100);
        raw.send(first).await;
        stopping.spawn_blocking(move || {
            example.stops();
        });
        stopping.spawn(async move {
            raw.closed().await;
        });
    }
    timeout(Duration::from_secs(60), stopping.join_all()).await.expect("an end");
}

/// Half a minute, as the examples have it. actix-web leaves a connection's later heads to a proxy.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes half a minute"]
async fn a_head_that_does_not_come_is_given_up_on() {
    let mut waiting = JoinSet::new();
    let examples = EXAMPLES.map(|name| (name, start(name, &[])));
    let whole = whole(QUERY, &body("a"));
    let half = "POST /call";
    for (name, example) in &examples {
        // Nothing, half of a head, a request and then nothing.
        let mut heads = vec![("", ""), (half, ""), (&whole, "")];
        let whole_and_half = format!("{whole}{half}");
        let bounds_later_heads = *name != "example-actix-web";
        if bounds_later_heads {
            // At once, or after the answer.
            heads.extend([(whole_and_half.as_str(), ""), (&whole, half)]);
        }
        if *name == "example-hyper" {
            // HTTP/2, or what may still become that, without a request.
            heads.extend([("PRI", ""), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "")]);
        }
        for (sent, then) in heads {
            let (address, sent) = (example.address(), sent.to_owned());
            let is_answered = sent.starts_with("POST /callback");
            waiting.spawn(async move {
                let mut raw = Raw::connect(address).await;
                raw.send(&sent).await;
                if is_answered {
                    assert_eq!(raw.answer().await, ok());
                }
                raw.send(then).await;
                raw.closed().await;
            });
        }
        // Whoever goes on is not meant.
        let address = example.address();
        waiting.spawn(async move {
            let mut raw = Raw::connect(address).await;
            for _ in 0..8 {
                raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
                assert_eq!(raw.answer().await.status, 404);
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        });
        if !bounds_later_heads {
            continue;
        }
        // A byte a second is no head either.
        let address = example.address();
        waiting.spawn(async move {
            let mut raw = Raw::connect(address).await;
            raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
            assert_eq!(raw.answer().await.status, 404);
            while timeout(Duration::from_secs(1), raw.closed()).await.is_err() {
                raw.send("G").await;
            }
        });
    }
    timeout(Duration::from_secs(60), waiting.join_all()).await.expect("an end");
    for (name, example) in examples {
        for _ in 0..if name == "example-actix-web" { 1 } else { 3 } {
            let _ = example.line();
        }
        example.is_well().await;
        example.stops();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hyper_example_speaks_http_2_too() {
    let example = start("example-hyper", &[]);
    let long = "x".repeat(64 << 10);
    let status = post_over_http_2(&example, "long", Some(&long)).await;
    assert!(status.is_none_or(|status| (400..500).contains(&status)), "{status:?}");
    assert_eq!(post_over_http_2(&example, "a", None).await, Some(200));
    assert_eq!(example.line()["call_id"], "a");
    example.is_well().await;
    example.stops();
}

/// The status of the answer, if there is one.
async fn post_over_http_2(example: &Example, call_id: &str, header: Option<&str>) -> Option<u16> {
    let stream = TcpStream::connect(example.address()).await.unwrap();
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.unwrap();
    let connection = tokio::spawn(connection);
    let uri = format!("http://{}{PATH}?{QUERY}", example.address());
    let mut request = http::Request::post(uri);
    if let Some(value) = header {
        request = request.header("x", value);
    }
    let request = request.body(Sent::whole(Bytes::from(body(call_id)))).unwrap();
    let answer = async {
        let response = sender.send_request(request).await.ok()?;
        let (parts, body) = response.into_parts();
        body.collect().await.ok()?;
        Some(parts.status.as_u16())
    };
    let status = timeout(Duration::from_secs(10), answer).await.expect("an answer in time");
    connection.abort();
    status
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hyper_example_speaks_tls() {
    let Some((cert, key)) = certificate() else {
        skipped("the_hyper_example_speaks_tls: there is no openssl to make a certificate");
        return;
    };
    let tls = [("TLS_CERT", cert.as_str()), ("TLS_KEY", key.as_str())];
    let token = ("CALLBACK_TOKEN", TOKEN);
    let example = start("example-hyper", &[tls[0], tls[1], token]);
    let address = example.address();
    assert_eq!(example.first_line(), format!("listening on https://{address}/callback\n"));

    // Whoever does not speak TLS, or goes away in the middle of it, holds nobody up.
    let mut plain = Raw::connect(address).await;
    plain.send(whole(QUERY, &body("a"))).await;
    let silent = Raw::connect(address).await;

    let args = ["--ca-cert", &cert, "--call-id", "a-1"];
    let sending = programs().send(example.url(), Some(TOKEN), &args, "");
    assert_eq!(sending.status, Some(0), "{}", sending.text);
    assert_eq!(sending.answers, [["200", "application/json", ACK].map(str::to_owned)]);
    assert_eq!(example.line()["call_id"], "a-1");
    drop((plain, silent));
    example.stops();

    for switches in [
        vec![tls[0]],
        vec![tls[1]],
        vec![("TLS_CERT", "missing.pem"), tls[1]],
        vec![tls[0], ("TLS_KEY", "missing.pem")],
        vec![("TLS_CERT", &key), ("TLS_KEY", &cert)],
        vec![("TLS_CERT", ""), tls[1]],
    ] {
        let mut command = programs().command("example-hyper");
        command.envs([("ADDR", "127.0.0.1:0"), token]).envs(switches);
        let ended = Example::start(command).unwrap_err();
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
        assert!(ended.stderr.contains("TLS_"), "{ended:?}");
    }
}

/// The files of a certificate for 127.0.0.1 and of its key, if there is a program to make them.
fn certificate() -> Option<(String, String)> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tls");
    fs::create_dir_all(&folder).unwrap();
    let config = folder.join("openssl.cnf");
    let text = "[req]\nprompt = no\ndistinguished_name = name\nx509_extensions = extensions\n\
                [name]\nCN = conformance\n\
                [extensions]\nsubjectAltName = IP:127.0.0.1\nbasicConstraints = CA:FALSE\n";
    fs::write(&config, text).unwrap();
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.join(name));
    let output = Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-days", "2", "-newkey", "ec"])
        .args(["-pkeyopt", "ec_paramgen_curve:prime256v1", "-config"])
        .arg(&config)
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .output();
    let text = |path: PathBuf| path.into_os_string().into_string().unwrap();
    output.ok().filter(|output| output.status.success()).map(|_| (text(cert), text(key)))
}
