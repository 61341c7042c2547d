//! What is sent to wear a server out: bodies and heads far above their limits, deep nesting, more
//! connections than it has room for. Against the example servers, whose memory is counted.
//!
//! Each test ends with a callback on a new connection that is answered as if nothing had been.
//! With `--nocapture` the tests print what each fault cost.

#![cfg(unix)]

use std::time::Duration;

use conformance::descriptors;
use conformance::driver::in_time;
use conformance::example::{Example, TOKEN, signed_query};
use conformance::memory::Memory;
use conformance::programs::{EXAMPLES, Programs};
use conformance::raw::{CHUNKED, QUERY, Raw, head, is_refused, ok, refusal, whole};
use tokio::task::JoinSet;
use tokio::time::timeout;

conformance::against_every_example! {
    a_body_of_100_mib_is_refused_for_its_size_alone
    json_100_000_levels_deep_does_no_harm
    heads_without_end_are_not_kept
    descriptors_that_are_used_up_are_given_back
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
