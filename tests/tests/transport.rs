//! What only a raw connection shows: bodies that do not come, come slowly, or come in odd ways.
//!
//! Each test takes any server. What a server does to a connection after an answer is its own
//! affair, so no test asks for more than the answer.

use std::time::{Duration, Instant};

use conformance::raw::{CHUNKED, QUERY, Raw, head, is_refused, ok, refusal, whole};
use conformance::{Notebook, Serve, Server, Table};
use tokio::time::sleep;
use trtc_call_webhook::{CallEnded, Undecoded};

const FOREIGN: &str = "SdkAppid=1400000009&CallbackCommand=Call.CallbackAfterEndCall";
const BODY: &str = r#"{"CallRecord":{"CallId":"a"}}"#;

/// An answer that needs no more than the head must not wait for the body.
const AT_ONCE: Duration = Duration::from_secs(5);

conformance::against_every_server! {
    a_foreign_app_that_announces_10_gib_is_refused_at_once
    a_slow_foreign_body_is_refused_at_once
    a_foreign_chunked_body_without_end_is_refused_at_once
    an_announced_body_over_the_limit_is_refused_unread
    a_chunked_body_over_the_limit_is_refused
    a_chunked_body_without_a_length_is_taken
    chunk_extensions_and_trailers_are_passed_over
    a_bad_chunk_size_is_an_unreadable_body
    a_body_that_ends_early_is_unreadable
    what_comes_after_the_announced_body_is_no_part_of_it
    a_chunked_body_that_ends_early_is_unreadable
    a_body_that_breaks_off_is_unreadable
    an_unreadable_body_is_refused_in_the_undecoded_form_too
    expect_100_continue_is_answered
    a_foreign_app_is_refused_although_it_expects_100_continue
    several_callbacks_share_one_connection
    callbacks_may_be_pipelined
    a_refused_body_never_becomes_the_next_request
    one_byte_at_a_time_is_taken
    http_1_0_is_answered
    a_request_without_a_body_is_malformed
}

struct Place {
    server: Server,
    notebook: Notebook,
}

impl Place {
    async fn raw(&self) -> Raw {
        Raw::connect(self.server.address()).await
    }
}

async fn open(server: impl Serve, verifier: &str) -> Place {
    let notebook = Notebook::default();
    let verifier = Table::load().verifier(verifier);
    Place { server: server.serve::<CallEnded>(verifier, notebook.clone()).await, notebook }
}

async fn a_foreign_app_that_announces_10_gib_is_refused_at_once(server: impl Serve) {
    let place = open(server, "open").await;
    let mut raw = place.raw().await;
    let start = Instant::now();
    raw.send(head(FOREIGN, "Content-Length: 10737418240\r\n")).await;
    assert_eq!(raw.answer().await, refusal(403, "forbidden"));
    assert!(start.elapsed() < AT_ONCE);
    assert_eq!(place.notebook.runs(), 0);
}

async fn a_slow_foreign_body_is_refused_at_once(server: impl Serve) {
    let place = open(server, "signed").await;
    for (query, body) in [(FOREIGN, BODY), (QUERY, BODY)] {
        let mut raw = place.raw().await;
        let start = Instant::now();
        raw.send(head(query, &format!("Content-Length: {}\r\n", body.len()))).await;
        raw.send("{").await;
        assert_eq!(raw.answer().await, refusal(403, "forbidden"));
        assert!(start.elapsed() < AT_ONCE);
    }
    assert_eq!(place.notebook.runs(), 0);
}

async fn a_foreign_chunked_body_without_end_is_refused_at_once(server: impl Serve) {
    let place = open(server, "open").await;
    let mut raw = place.raw().await;
    let start = Instant::now();
    raw.send(head(FOREIGN, CHUNKED)).await;
    raw.send("1\r\n{\r\n").await;
    assert_eq!(raw.answer().await, refusal(403, "forbidden"));
    assert!(start.elapsed() < AT_ONCE);
}

async fn an_announced_body_over_the_limit_is_refused_unread(server: impl Serve) {
    let place = open(server, "small").await;
    for length in ["65", "10737418240"] {
        let mut raw = place.raw().await;
        let start = Instant::now();
        raw.send(head(QUERY, &format!("Content-Length: {length}\r\n"))).await;
        assert_eq!(raw.answer().await, refusal(413, "body too large"));
        assert!(start.elapsed() < AT_ONCE);
    }
    assert_eq!(place.notebook.runs(), 0);
}

async fn a_chunked_body_over_the_limit_is_refused(server: impl Serve) {
    let place = open(server, "small").await;
    let mut raw = place.raw().await;
    raw.send(head(QUERY, CHUNKED)).await;
    for _ in 0..2 {
        raw.send(format!("20\r\n{}\r\n", " ".repeat(0x20))).await;
    }
    // All 64 bytes are used up; the next is one too many, and the end never comes.
    raw.send("1\r\n \r\n").await;
    assert_eq!(raw.answer().await, refusal(413, "body too large"));
    assert_eq!(place.notebook.runs(), 0);
}

async fn a_chunked_body_without_a_length_is_taken(server: impl Serve) {
    let place = open(server, "open").await;
    let mut raw = place.raw().await;
    raw.send(head(QUERY, CHUNKED)).await;
    for part in BODY.as_bytes().chunks(10) {
        raw.send(format!("{:x}\r\n{}\r\n", part.len(), String::from_utf8_lossy(part))).await;
    }
    raw.send("0\r\n\r\n").await;
    assert_eq!(raw.answer().await, ok());
    assert_eq!(place.notebook.runs(), 1);
}

async fn chunk_extensions_and_trailers_are_passed_over(server: impl Serve) {
    let place = open(server, "open").await;
    let mut raw = place.raw().await;
    raw.send(head(QUERY, &format!("{CHUNKED}Trailer: X-Checksum\r\n"))).await;
    raw.send(format!("{:X};a=b\r\n{BODY}\r\n0\r\nX-Checksum: 1\r\n\r\n", BODY.len())).await;
    assert_eq!(raw.answer().await, ok());
    assert_eq!(place.notebook.runs(), 1);
}

async fn a_bad_chunk_size_is_an_unreadable_body(server: impl Serve) {
    let place = open(server, "open").await;
    for chunk in ["zz\r\n", "-1\r\n", "ffffffffffffffffff\r\n", "1\r\n{}\r\n"] {
        let mut raw = place.raw().await;
        raw.send(head(QUERY, CHUNKED) + chunk).await;
        assert_eq!(raw.answer().await, refusal(400, "unreadable body"), "{chunk:?}");
    }
    assert_eq!(place.notebook.runs(), 0);
}

async fn a_body_that_ends_early_is_unreadable(server: impl Serve) {
    let place = open(server, "open").await;
    // Whole as JSON, but not as long as it said.
    for length in [BODY.len() + 1, 262_144] {
        let mut raw = place.raw().await;
        raw.send(head(QUERY, &format!("Content-Length: {length}\r\n")) + BODY).await;
        raw.finish().await;
        assert_eq!(raw.answer().await, refusal(400, "unreadable body"));
    }
    assert_eq!(place.notebook.runs(), 0);
}

async fn what_comes_after_the_announced_body_is_no_part_of_it(server: impl Serve) {
    let place = open(server, "open").await;
    for (length, expected) in [(BODY.len(), ok()), (BODY.len() - 1, refusal(400, "malformed body"))]
    {
        let mut raw = place.raw().await;
        raw.send(head(QUERY, &format!("Content-Length: {length}\r\n")) + BODY + "}}}\r\n\r\n")
            .await;
        assert_eq!(raw.answer().await, expected);
        // It is taken for the next request, and it is none.
        assert!(is_refused(raw.try_answer().await.as_ref()));
    }
    assert_eq!(place.notebook.runs(), 1);
}

async fn a_chunked_body_that_ends_early_is_unreadable(server: impl Serve) {
    let place = open(server, "open").await;
    let mut raw = place.raw().await;
    raw.send(head(QUERY, CHUNKED) + &format!("{:x}\r\n{BODY}\r\n", BODY.len())).await;
    raw.finish().await;
    assert_eq!(raw.answer().await, refusal(400, "unreadable body"));
    assert_eq!(place.notebook.runs(), 0);
}

/// Nobody is there to read the answer; the handler must not run, and the server goes on.
async fn a_body_that_breaks_off_is_unreadable(server: impl Serve) {
    let place = open(server, "open").await;
    for headers in [CHUNKED.to_owned(), format!("Content-Length: {}\r\n", BODY.len() + 1)] {
        let mut raw = place.raw().await;
        raw.send(head(QUERY, &headers)).await;
        sleep(Duration::from_millis(50)).await;
        drop(raw);
    }
    sleep(Duration::from_millis(50)).await;
    assert_eq!(place.notebook.runs(), 0);
    let mut raw = place.raw().await;
    raw.send(whole(QUERY, BODY)).await;
    assert_eq!(raw.answer().await, ok());
}

async fn an_unreadable_body_is_refused_in_the_undecoded_form_too(server: impl Serve) {
    let notebook = Notebook::default();
    let verifier = Table::load().verifier("open");
    let server = server.serve::<Undecoded>(verifier, notebook.clone()).await;
    let mut raw = Raw::connect(server.address()).await;
    raw.send(head(QUERY, CHUNKED) + "zz\r\n").await;
    assert_eq!(raw.answer().await, refusal(400, "unreadable body"));
    assert_eq!(notebook.runs(), 0);
}

async fn expect_100_continue_is_answered(server: impl Serve) {
    let place = open(server, "open").await;
    let mut raw = place.raw().await;
    let headers = format!("Content-Length: {}\r\nExpect: 100-continue\r\n", BODY.len());
    raw.send(head(QUERY, &headers)).await;
    assert_eq!(raw.answer().await.status, 100);
    raw.send(BODY).await;
    assert_eq!(raw.answer().await, ok());
    assert_eq!(place.notebook.runs(), 1);
}

async fn a_foreign_app_is_refused_although_it_expects_100_continue(server: impl Serve) {
    let place = open(server, "open").await;
    let mut raw = place.raw().await;
    raw.send(head(FOREIGN, "Content-Length: 1000\r\nExpect: 100-continue\r\n")).await;
    let mut answer = raw.answer().await;
    if answer.status == 100 {
        // Some servers say so before anybody asks for the body.
        answer = raw.answer().await;
    }
    assert_eq!(answer, refusal(403, "forbidden"));
}

async fn several_callbacks_share_one_connection(server: impl Serve) {
    let place = open(server, "open").await;
    let mut raw = place.raw().await;
    for _ in 0..3 {
        raw.send(whole(QUERY, BODY)).await;
        assert_eq!(raw.answer().await, ok());
        raw.send(whole(QUERY, "{}")).await;
        assert_eq!(raw.answer().await, refusal(422, "no call id"));
        raw.send(whole(QUERY, "[]")).await;
        assert_eq!(raw.answer().await, refusal(400, "malformed body"));
    }
    assert_eq!(place.notebook.runs(), 3);
}

async fn callbacks_may_be_pipelined(server: impl Serve) {
    let place = open(server, "open").await;
    let mut raw = place.raw().await;
    let requests = [whole(QUERY, BODY), whole(QUERY, "["), whole(QUERY, BODY)];
    raw.send(requests.concat()).await;
    assert_eq!(raw.answer().await, ok());
    assert_eq!(raw.answer().await, refusal(400, "malformed body"));
    assert_eq!(raw.answer().await, ok());
    assert_eq!(place.notebook.runs(), 2);
}

/// The body of a refused request is left unread, and it may hold a request of its own.
async fn a_refused_body_never_becomes_the_next_request(server: impl Serve) {
    let place = open(server, "open").await;
    let mut raw = place.raw().await;
    raw.send(whole(FOREIGN, &whole(QUERY, BODY))).await;
    assert_eq!(raw.answer().await, refusal(403, "forbidden"));
    raw.send(whole(FOREIGN, BODY)).await;
    let next = raw.try_answer().await;
    assert!(next.is_none() || next == Some(refusal(403, "forbidden")), "{next:?}");
    assert_eq!(place.notebook.runs(), 0);
}

async fn one_byte_at_a_time_is_taken(server: impl Serve) {
    let place = open(server, "open").await;
    let mut raw = place.raw().await;
    for byte in whole(QUERY, BODY).as_bytes().chunks(1) {
        raw.send(byte).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(raw.answer().await, ok());
    assert_eq!(place.notebook.runs(), 1);
}

async fn http_1_0_is_answered(server: impl Serve) {
    let place = open(server, "open").await;
    for (query, expected) in [(QUERY, ok()), (FOREIGN, refusal(403, "forbidden"))] {
        let mut raw = place.raw().await;
        let length = BODY.len();
        raw.send(format!(
            "POST /callback?{query} HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{BODY}"
        ))
        .await;
        assert_eq!(raw.answer().await, expected);
    }
    assert_eq!(place.notebook.runs(), 1);
}

/// HTTP/1.1 takes a request without either header for one with an empty body.
async fn a_request_without_a_body_is_malformed(server: impl Serve) {
    let place = open(server, "open").await;
    for headers in ["", "Content-Length: 0\r\n"] {
        let mut raw = place.raw().await;
        raw.send(head(QUERY, headers)).await;
        assert_eq!(raw.answer().await, refusal(400, "malformed body"));
    }
}
