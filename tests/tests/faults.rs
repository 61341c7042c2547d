//! What is sent to wear a server out: bodies and heads far above their limits, deep nesting, more
//! connections than it has room for. Against the example servers, whose memory is counted.
//!
//! Each test ends with a callback on a new connection that is answered as if nothing had been.
//! With `--nocapture` the tests print what each fault cost.

#![cfg(unix)]

use std::convert::Infallible;
use std::fs;
use std::time::{Duration, Instant};

use bytes::Bytes;
use conformance::descriptors::{self, skipped};
use conformance::driver::in_time;
use conformance::example::{Example, TOKEN, signed_query};
use conformance::memory::Memory;
use conformance::programs::{EXAMPLES, Programs};
use conformance::raw::{CHUNKED, QUERY, Raw, head, is_refused, ok, refusal, whole};
use conformance::{Answer, PATH};
use http_body_util::channel::{Channel, SendError};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

conformance::against_every_example! {
    a_body_of_100_mib_is_refused_for_its_size_alone
    json_100_000_levels_deep_does_no_harm
    heads_without_end_are_not_kept
    descriptors_that_are_used_up_are_given_back
    a_reader_that_stalls_stops_no_answer
    a_reader_that_stalls_stops_no_end
    requests_that_are_no_http_are_not_logged_without_bound
}

fn programs() -> &'static Programs {
    Programs::build(env!("CARGO_TARGET_TMPDIR"))
}

/// Connections on which nothing is sent.
async fn idle(example: &Example, number: usize) -> Vec<Raw> {
    let mut idle = Vec::new();
    for _ in 0..number {
        idle.push(Raw::connect(example.address()).await);
    }
    idle
}

/// The sender does not stop at the answer, as a well-behaved one would.
async fn a_body_of_100_mib_is_refused_for_its_size_alone(name: &str) {
    let example = programs().start(name, &[("CALLBACK_TOKEN", TOKEN)]);
    let memory = Memory::of(example.id());
    let piece = " ".repeat(1 << 20);
    let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
    let announced = format!("Content-Length: {}\r\n", 100 * piece.len());
    for (headers, piece) in [(announced.as_str(), &piece), (CHUNKED, &chunk)] {
        let mut raw = Raw::connect(example.address()).await;
        raw.send(head(&signed_query(), headers)).await;
        assert_eq!(raw.flood(piece, 100).await, Some(refusal(413, "body too large")));
    }
    example.is_well().await;
    memory.has_hardly_grown(name, "100 MiB of body");
    example.stops();
}

/// Neither to the stack nor, for a tree that nobody asked for, to the memory.
async fn json_100_000_levels_deep_does_no_harm(name: &str) {
    let example = programs().start(name, &[]);
    let memory = Memory::of(example.id());
    let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
    let mut answers = JoinSet::new();
    for (body, expected) in [
        (format!(r#"{{"New":{open}{close},"CallRecord":{{}}}}"#), refusal(422, "no call id")),
        (format!(r#"{{"CallRecord":{{"New":{open}{close}}}}}"#), refusal(422, "no call id")),
        (format!(r#"{{"CallRecord":{{"CallId":{open}{close}}}}}"#), refusal(422, "no call id")),
        (format!(r#"{{"CallRecord":{open}{close}}}"#), refusal(422, "no call id")),
        (format!(r#"{{"CallbackCommand":{open}{close}}}"#), refusal(400, "command mismatch")),
        (format!("{open}{close}"), refusal(400, "malformed body")),
        (open.clone(), refusal(400, "malformed body")),
    ] {
        for _ in 0..5 {
            let mut raw = Raw::connect(example.address()).await;
            let (request, expected) = (whole(QUERY, &body), expected.clone());
            answers.spawn(async move {
                raw.send(request).await;
                assert_eq!(raw.answer().await, expected);
            });
        }
    }
    answers.join_all().await;
    example.is_well().await;
    memory.has_hardly_grown(name, "35 bodies 100,000 levels deep");
    example.stops();
}

/// All of them have sent 64 KiB before one of them goes on.
async fn heads_without_end_are_not_kept(name: &str) {
    let example = programs().start(name, &[]);
    let memory = Memory::of(example.id());
    let mut held = idle(&example, 200).await;
    let more = "x".repeat(64 << 10);
    for raw in &mut held {
        raw.send(format!("POST /callback?{QUERY} HTTP/1.1\r\nHost: localhost\r\nX: {more}")).await;
    }
    example.is_well().await;
    let mut answers = JoinSet::new();
    for mut raw in held {
        let more = more.clone();
        answers.spawn(async move {
            let answer = raw.flood(more, 10).await;
            assert!(is_refused(answer.as_ref()), "{answer:?}");
        });
    }
    answers.join_all().await;
    example.is_well().await;
    memory.has_hardly_grown(name, "200 heads without end");
    example.stops();
}

async fn descriptors_that_are_used_up_are_given_back(name: &str) {
    let example = programs().start_with_descriptors(name, 64);
    let held = idle(&example, 100).await;
    waits_until_they_leave(&example, held).await;
    let ended = example.stops();
    // It neither ends nor runs in circles.
    assert!(ended.stderr.lines().count() < 200, "{}", ended.stderr);
}

/// Nobody has room for one more connection, and then for all.
async fn waits_until_they_leave(example: &Example, held: Vec<Raw>) {
    let mut late = Raw::connect(example.address()).await;
    late.send(whole(QUERY, r#"{"CallRecord":{"CallId":"late"}}"#)).await;
    assert!(timeout(Duration::from_millis(500), late.try_answer()).await.is_err());
    drop(held);
    assert_eq!(late.answer().await, ok());
    assert_eq!(example.line()["call_id"], "late");
    example.is_well().await;
}

/// Sends calls of 4 KiB to a server whose lines nobody reads, until one is not acknowledged, and gives
/// the ids of those that are.
async fn until_the_pipe_is_full(example: &Example) -> Vec<String> {
    let mut raw = Raw::connect(example.address()).await;
    let mut kept = Vec::new();
    loop {
        let id = format!("{}-{}", kept.len(), "x".repeat(4096));
        raw.send(whole(&signed_query(), &ended(&id))).await;
        match raw.answer().await {
            answer if answer == ok() => kept.push(id),
            answer => {
                is_failure(&answer);
                return kept;
            }
        }
        assert!(kept.len() < 1000, "who reads all of it?");
    }
}

fn ended(call_id: &str) -> String {
    format!(r#"{{"CallRecord":{{"CallId":"{call_id}"}}}}"#)
}

fn is_failure(answer: &Answer) {
    assert_eq!(answer.status, 500, "{answer:?}");
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["ActionStatus"], "FAIL");
    assert_ne!(body["ErrorCode"], 0);
}

/// Whether anybody reads the lines is no affair of those that leave none.
async fn a_reader_that_stalls_stops_no_answer(name: &str) {
    // The vendor waits no longer.
    const VENDOR_WAITS: Duration = Duration::from_secs(2);
    let example = programs().start_stalled(name, &[("CALLBACK_TOKEN", TOKEN)]);
    let kept = until_the_pipe_is_full(&example).await;

    // More than any server has threads.
    let mut failed = JoinSet::new();
    for _ in 0..100 {
        let mut raw = Raw::connect(example.address()).await;
        failed.spawn(async move {
            raw.send(whole(&signed_query(), &ended("failed"))).await;
            is_failure(&timeout(VENDOR_WAITS, raw.answer()).await.expect("an answer in time"));
        });
    }
    let unsigned = whole(QUERY, &ended("refused"));
    let get = unsigned.replacen("POST", "GET", 1);
    for (sent, status) in [(get, 405), (unsigned, 403)] {
        for _ in 0..50 {
            let mut raw = Raw::connect(example.address()).await;
            raw.send(&sent).await;
            let answer = timeout(VENDOR_WAITS / 4, raw.answer()).await.expect("an answer at once");
            assert_eq!(answer.status, status);
        }
    }
    failed.join_all().await;

    example.is_read();
    for id in kept {
        assert_eq!(example.line()["call_id"], id);
    }
    // What was under way when the pipe was full may still come; what was given up on may not.
    let call_id = example.line()["call_id"].clone();
    assert!(call_id != "failed", "{call_id}");
    example.is_well().await;
    example.stops();
}

async fn a_reader_that_stalls_stops_no_end(name: &str) {
    let example = programs().start_stalled(name, &[("CALLBACK_TOKEN", TOKEN)]);
    let kept = until_the_pipe_is_full(&example).await;
    let start = Instant::now();
    let ended = example.stop("-TERM");
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    // What was acknowledged is in the pipe.
    for (id, line) in kept.iter().zip(ended.stdout.lines()) {
        assert!(line.contains(id), "{line}");
    }
    assert!(ended.stdout.lines().count() >= kept.len());
}

/// Strangers decide how many there are.
async fn requests_that_are_no_http_are_not_logged_without_bound(name: &str) {
    let example = programs().start(name, &[]);
    for _ in 0..100 {
        let mut raw = Raw::connect(example.address()).await;
        raw.send("nonsense\r\n\r\n").await;
        assert!(is_refused(raw.try_answer().await.as_ref()));
    }
    example.is_well().await;
    let ended = example.stops();
    assert!(ended.stderr.lines().count() < 20, "{}", ended.stderr);
}

/// One half of them has never sent anything, the other half is kept after an answer.
#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_idle_connections_hold_nobody_up() {
    if !descriptors::are_enough(4096, "two_thousand_idle_connections_hold_nobody_up") {
        return;
    }
    in_time(two_thousand_idle_connections()).await;
}

async fn two_thousand_idle_connections() {
    for name in EXAMPLES {
        let example = programs().start(name, &[]);
        let memory = Memory::of(example.id());
        let mut held = idle(&example, 2000).await;
        for raw in held.iter_mut().step_by(2) {
            raw.send(whole(QUERY, "{}")).await;
        }
        for raw in held.iter_mut().step_by(2) {
            assert_eq!(raw.answer().await, refusal(422, "no call id"), "{name}");
        }
        example.is_well().await;
        memory.has_hardly_grown(name, "2,000 idle connections");
        example.stops();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_without_room_wait_until_others_leave() {
    if !descriptors::are_enough(8192, "connections_without_room_wait_until_others_leave") {
        return;
    }
    in_time(connections_without_room()).await;
}

/// As many as the examples have room for, and some more.
async fn connections_without_room() {
    for name in EXAMPLES {
        let example = programs().start(name, &[]);
        let held = idle(&example, 4096 + 100).await;
        waits_until_they_leave(&example, held).await;
        example.stops();
    }
}

/// All the connections that a server's host may keep for it until it takes them.
#[tokio::test(flavor = "multi_thread")]
async fn six_hundred_connections_at_once_need_no_second_attempt() {
    const TEST: &str = "six_hundred_connections_at_once_need_no_second_attempt";
    if !descriptors::are_enough(2048, TEST) {
        return;
    }
    let most = fs::read_to_string("/proc/sys/net/core/somaxconn").ok();
    if most.and_then(|most| most.trim().parse().ok()).is_some_and(|most: u32| most < 1024) {
        return skipped(&format!("{TEST}: net.core.somaxconn is less than 1024"));
    }
    in_time(six_hundred_connections()).await;
}

async fn six_hundred_connections() {
    for name in EXAMPLES {
        let example = programs().start(name, &[]);
        // While it does nothing at all.
        example.signal("-STOP");
        let connected = timeout(Duration::from_secs(10), idle(&example, 600)).await;
        example.signal("-CONT");
        let mut connected = connected.expect("room for them all");
        for raw in &mut connected {
            raw.send(whole(QUERY, "{}")).await;
        }
        for raw in &mut connected {
            assert_eq!(raw.answer().await, refusal(422, "no call id"), "{name}");
        }
        example.is_well().await;
        example.stops();
    }
}

/// Each of two hundred would send nearly as much as it may, and no end.
#[tokio::test(flavor = "multi_thread")]
async fn an_http_2_connection_holds_few_bodies() {
    in_time(bodies_on_one_connection()).await;
}

async fn bodies_on_one_connection() {
    let example = programs().start("example-hyper", &[]);
    let memory = Memory::of(example.id());
    let stream = TcpStream::connect(example.address()).await.unwrap();
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (sender, connection) = handshake.unwrap();
    let connection = tokio::spawn(connection);
    let (mut answers, mut bodies) = (JoinSet::new(), JoinSet::new());
    for _ in 0..200 {
        let (mut body, sent) = Channel::<Bytes, Infallible>::new(1);
        let uri = format!("http://{}{PATH}?{QUERY}", example.address());
        let request = http::Request::post(uri).body(sent).unwrap();
        answers.spawn(sender.clone().send_request(request));
        bodies.spawn(async move {
            for _ in 0..255 {
                body.send_data(Bytes::from_static(&[b' '; 1 << 10])).await?;
            }
            Ok::<_, SendError>(body)
        });
    }
    // As many as the example takes; the others are refused, or wait for these.
    let mut held = Vec::new();
    while held.len() < 16 {
        held.extend(bodies.join_next().await.unwrap().unwrap().ok());
    }
    example.is_well().await;
    let fault = "bodies without end on one HTTP/2 connection";
    memory.has_grown_by_less(12 << 10, "example-hyper", fault);
    answers.shutdown().await;
    bodies.shutdown().await;
    connection.abort();
    example.is_well().await;
    example.stops();
}

/// Ten seconds, as the examples have it; and no heap for what is not sent.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes ten seconds"]
async fn whoever_does_not_read_answers_is_given_up_on() {
    let mut waiting = JoinSet::new();
    let examples = EXAMPLES.map(|name| (name, programs().start(name, &[])));
    for (_, example) in &examples {
        for _ in 0..4 {
            let mut raw = Raw::connect(example.address()).await;
            waiting.spawn(async move {
                let gets = format!("GET {PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n").repeat(1000);
                // Until the server closes: it neither takes more nor is anything read of it.
                while raw.is_taken(&gets).await {}
            });
        }
    }
    let start = Instant::now();
    timeout(Duration::from_secs(60), waiting.join_all()).await.expect("an end");
    println!("given up on after {:?}", start.elapsed());
    for (_, example) in examples {
        example.is_well().await;
        example.stops();
    }
}
