//! What only a raw connection shows: bodies that do not come, come slowly, or come in odd ways.
//!
//! Each test takes any server. What a server does to a connection after an answer is its own
//! affair, as long as it does not end one without a word: a proxy would send the next callback
//! into it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use conformance::raw::{BODY, CHUNKED, QUERY, Raw, head, is_refused, ok, refusal, whole};
use conformance::{Answer, Notebook, Serve, Server, Table};
use tokio::task::JoinSet;
use tokio::time::sleep;
use trtc_call_webhook::{CallEnded, Undecoded};

const FOREIGN: &str = "SdkAppid=1400000009&CallbackCommand=Call.CallbackAfterEndCall";

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
    an_upgrade_says_nothing_of_the_body
    what_comes_after_the_body_of_an_upgrade_is_no_part_of_it
    an_upgrade_without_a_body_is_malformed
    an_upgrade_whose_body_ends_early_is_unreadable
    an_upgrade_is_refused_or_acknowledged_at_once
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
    for headers in UPGRADES.into_iter().chain([""]) {
        for length in ["65", "10737418240"] {
            let mut raw = place.raw().await;
            let start = Instant::now();
            raw.send(head(QUERY, &format!("{headers}Content-Length: {length}\r\n"))).await;
            assert_eq!(final_answer(&mut raw).await, refusal(413, "body too large"), "{headers}");
            assert!(start.elapsed() < AT_ONCE);
        }
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
    assert_eq!(final_answer(&mut raw).await, refusal(403, "forbidden"));
}

/// Some servers say 100 before anybody asks for the body.
async fn final_answer(raw: &mut Raw) -> Answer {
    let answer = raw.answer().await;
    if answer.status == 100 { raw.answer().await } else { answer }
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

/// What may stand in a head and says nothing of the body, though actix-web and others believe it.
const UPGRADES: [&str; 18] = [
    "Upgrade: websocket\r\n",
    "upgrade: WebSocket\r\n",
    "Connection: Upgrade\r\nUpgrade: websocket\r\n",
    "Connection: keep-alive, UPGRADE\r\nUpgrade: WEBSOCKET\r\nSec-WebSocket-Version: 13\r\n",
    "Connection: keep-alive\r\nUpgrade: websocket\r\n",
    "Connection: close\r\nUpgrade: websocket\r\n",
    "Connection: Upgrade, close\r\nUpgrade: websocket\r\n",
    "Upgrade: h2c, websocket\r\n",
    "Upgrade: h2c\r\nUpgrade: websocket\r\n",
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
    "Upgrade: h2c\r\n",
    "Connection: upgrade\r\nUpgrade: TLS/1.0\r\n",
    "Upgrade:\r\n",
    "Connection: upgrade\r\n",
    "Connection: Upgrade\r\nConnection: keep-alive\r\n",
    "Connection: keep-alive\r\nConnection: Upgrade\r\n",
    // Nothing inflates here, so this says nothing either.
    "Upgrade: websocket\r\nContent-Encoding: gzip\r\n",
    "Expect: 100-continue\r\nUpgrade: websocket\r\n",
];

/// Sends a request on a connection of its own and compares the answer, which has to come although
/// the client says no more and waits. Then another callback goes on the same connection, or has
/// gone in one piece with the first: it is answered as well, unless the first answer has said that
/// the connection ends; then it does.
async fn exchange(address: SocketAddr, request: String, expected: Answer, is_pipelined: bool) {
    let mut raw = Raw::connect(address).await;
    let start = Instant::now();
    let next = whole(QUERY, BODY);
    raw.send(if is_pipelined { format!("{request}{next}") } else { request.clone() }).await;
    assert_eq!(final_answer(&mut raw).await, expected, "{request}");
    assert!(start.elapsed() < AT_ONCE, "{request}");
    let ends = raw.says_close();
    if !is_pipelined {
        raw.send(next).await;
    }
    let next = raw.try_answer().await;
    assert!(next == Some(ok()) || next.is_none() && ends, "{next:?} after {request}");
    if ends {
        assert_eq!(raw.closed().await, b"", "{request}");
    }
}

/// All at once: some servers take a while to end a connection.
async fn exchange_all(
    place: &Place,
    requests: impl IntoIterator<Item = (String, Answer)>,
    is_pipelined: bool,
) {
    let address = place.server.address();
    let mut exchanges = JoinSet::new();
    for (request, expected) in requests {
        exchanges.spawn(exchange(address, request, expected, is_pipelined));
    }
    exchanges.join_all().await;
}

/// Every upgrade, with each way to send a body.
fn upgrades_with_bodies() -> impl Iterator<Item = String> {
    let length = BODY.len();
    UPGRADES.into_iter().flat_map(move |headers| {
        let announced = format!("{headers}Content-Length: {length}\r\n");
        let chunked = format!("{CHUNKED}{headers}");
        [
            head(QUERY, &announced) + BODY,
            head(QUERY, &chunked) + &format!("{length:x}\r\n{BODY}\r\n0\r\n\r\n"),
        ]
    })
}

async fn an_upgrade_says_nothing_of_the_body(server: impl Serve) {
    let place = open(server, "open").await;
    let requests = upgrades_with_bodies().map(|request| (request, ok()));
    exchange_all(&place, requests, false).await;
    let bodies = place.notebook.bodies();
    assert!(bodies.len() >= 2 * UPGRADES.len());
    assert!(bodies.iter().all(|body| body == BODY.as_bytes()));
}

async fn what_comes_after_the_body_of_an_upgrade_is_no_part_of_it(server: impl Serve) {
    let place = open(server, "open").await;
    let requests = upgrades_with_bodies().map(|request| (request, ok()));
    exchange_all(&place, requests, true).await;
    let bodies = place.notebook.bodies();
    assert!(bodies.len() >= 2 * UPGRADES.len());
    assert!(bodies.iter().all(|body| body == BODY.as_bytes()));
}

async fn an_upgrade_without_a_body_is_malformed(server: impl Serve) {
    let place = open(server, "open").await;
    let requests = UPGRADES.into_iter().flat_map(|headers| {
        ["", "Content-Length: 0\r\n"].map(|length| {
            (head(QUERY, &format!("{headers}{length}")), refusal(400, "malformed body"))
        })
    });
    exchange_all(&place, requests, false).await;
}

async fn an_upgrade_whose_body_ends_early_is_unreadable(server: impl Serve) {
    let place = open(server, "open").await;
    for headers in UPGRADES {
        for framing in [format!("Content-Length: {}\r\n", BODY.len() + 1), CHUNKED.to_owned()] {
            let is_chunked = framing == CHUNKED;
            let mut raw = place.raw().await;
            raw.send(head(QUERY, &format!("{headers}{framing}"))).await;
            if is_chunked {
                raw.send(format!("{:x}\r\n", BODY.len())).await;
            }
            raw.send(BODY).await;
            raw.finish().await;
            let expected = refusal(400, "unreadable body");
            assert_eq!(final_answer(&mut raw).await, expected, "{headers}{framing}");
        }
    }
    assert_eq!(place.notebook.runs(), 0);
}

async fn an_upgrade_is_refused_or_acknowledged_at_once(server: impl Serve) {
    let place = open(server, "open").await;
    let other = QUERY.replace("AfterEndCall", "AfterStartCall");
    let requests = UPGRADES.into_iter().flat_map(|headers| {
        [
            (FOREIGN, "29", BODY, refusal(403, "forbidden")),
            (QUERY, "2", "[]", refusal(400, "malformed body")),
            (QUERY, "2", "{}", refusal(422, "no call id")),
            (other.as_str(), "2", "{}", ok()),
        ]
        .map(|(query, length, body, expected)| {
            let headers = format!("{headers}Content-Length: {length}\r\n");
            (head(query, &headers) + body, expected)
        })
    });
    exchange_all(&place, requests, false).await;
}
