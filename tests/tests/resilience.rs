//! What must not take a server down, or hold up its other clients: handlers that are slow or
//! panic, clients that go away, heads without measure, a thousand connections.
//!
//! Each test takes any server, and ends with a callback on a new connection that is answered as
//! if nothing had been.

use std::time::Duration;

use bytes::Bytes;
use conformance::client::{Loopback, Wire};
use conformance::driver::actix_web::{ActixWeb, Way};
use conformance::driver::axum::Axum;
use conformance::driver::in_time;
use conformance::driver::tower::Hyper;
use conformance::raw::{BODY, CHUNKED, QUERY, Raw, head, is_refused, ok, refusal, whole};
use conformance::{
    Driver, Endpoint, Gate, Mood, Notebook, Request, Serve, Server, Table, descriptors,
};
use tokio::time::{sleep, timeout};
use trtc_call_webhook::CallEnded;

conformance::against_every_server! {
    a_slow_handler_holds_nobody_up
    a_client_that_does_not_wait_for_a_slow_handler_does_no_harm
    a_handler_that_panics_takes_nothing_but_its_own_request_along
    clients_that_go_away_in_the_middle_do_no_harm
    a_query_of_64_kib_is_refused
    a_head_of_2_mib_is_refused
}

struct Place {
    server: Server,
    notebook: Notebook,
}

impl Place {
    async fn open(server: &impl Serve) -> Self {
        let notebook = Notebook::default();
        let verifier = Table::load().verifier("open");
        Self { server: server.serve::<CallEnded>(verifier, notebook.clone()).await, notebook }
    }

    async fn raw(&self) -> Raw {
        Raw::connect(self.server.address()).await
    }

    /// A callback on a new connection is answered, and it alone has reached the handler.
    async fn is_well(&self) {
        let mut raw = self.raw().await;
        raw.send(whole(QUERY, BODY)).await;
        assert_eq!(raw.answer().await, ok());
        assert_eq!(self.notebook.runs(), 1);
    }

    /// Requests whose handlers have begun, and wait until the gate is opened.
    async fn wait_at(&self, gate: &Gate) -> Vec<Raw> {
        self.notebook.set_mood(Mood::WaitsFor(gate.clone()));
        let mut slow = Vec::new();
        for _ in 0..20 {
            let mut raw = self.raw().await;
            raw.send(whole(QUERY, BODY)).await;
            slow.push(raw);
        }
        self.begun(slow.len()).await;
        slow
    }

    /// Waits until so many handlers have begun since the notebook was read last.
    async fn begun(&self, handlers: usize) {
        let mut begun = 0;
        let all = async {
            while begun < handlers {
                sleep(Duration::from_millis(5)).await;
                begun += self.notebook.runs();
            }
        };
        timeout(Duration::from_secs(10), all).await.expect("the handlers begin");
        assert_eq!(begun, handlers);
    }
}

async fn a_slow_handler_holds_nobody_up(server: impl Serve) {
    let place = Place::open(&server).await;
    let gate = Gate::default();
    let slow = place.wait_at(&gate).await;

    place.notebook.set_mood(Mood::Answers);
    place.is_well().await;

    gate.open();
    for mut raw in slow {
        assert_eq!(raw.answer().await, ok());
    }
    assert_eq!(place.notebook.runs(), 0);
}

async fn a_client_that_does_not_wait_for_a_slow_handler_does_no_harm(server: impl Serve) {
    let place = Place::open(&server).await;
    let gate = Gate::default();
    let slow = place.wait_at(&gate).await;
    for (index, raw) in slow.into_iter().enumerate() {
        if index % 2 == 0 {
            raw.reset();
        }
    }
    place.notebook.set_mood(Mood::Answers);
    place.is_well().await;
    gate.open();
    place.is_well().await;
}

/// To acknowledge what a handler has not kept would lose it.
async fn a_handler_that_panics_takes_nothing_but_its_own_request_along(server: impl Serve) {
    let place = Place::open(&server).await;
    let mut bystander = place.raw().await;
    bystander.send(head(QUERY, &format!("Content-Length: {}\r\n", BODY.len()))).await;
    bystander.send(&BODY[..10]).await;

    place.notebook.set_mood(Mood::Panics);
    for _ in 0..3 {
        let mut raw = place.raw().await;
        raw.send(whole(QUERY, BODY)).await;
        let answer = raw.try_answer().await;
        assert!(answer.as_ref().is_none_or(|answer| answer.status == 500), "{answer:?}");
        assert_eq!(place.notebook.runs(), 1);
    }

    place.notebook.set_mood(Mood::Answers);
    place.is_well().await;
    bystander.send(&BODY[10..]).await;
    assert_eq!(bystander.answer().await, ok());
}

/// Connections are closed and reset in every state that a request has.
async fn clients_that_go_away_in_the_middle_do_no_harm(server: impl Serve) {
    let place = Place::open(&server).await;
    let sized = head(QUERY, &format!("Content-Length: {}\r\n", BODY.len()));
    let chunked = head(QUERY, CHUNKED);
    for sent in [
        String::new(),
        sized[..20].to_owned(),
        sized.clone(),
        format!("{sized}{}", &BODY[..10]),
        chunked.clone(),
        format!("{chunked}100\r\n{}", &BODY[..10]),
        format!("{chunked}{:x}\r\n{BODY}\r\n", BODY.len()),
    ] {
        for resets in [false, true] {
            for _ in 0..10 {
                let mut raw = place.raw().await;
                raw.send(&sent).await;
                if resets {
                    raw.reset();
                }
            }
        }
    }
    place.is_well().await;
}

async fn a_query_of_64_kib_is_refused(server: impl Serve) {
    let place = Place::open(&server).await;
    let mut raw = place.raw().await;
    raw.send(whole(&format!("{QUERY}&x={}", "x".repeat(60 << 10)), BODY)).await;
    assert_eq!(raw.answer().await, refusal(400, "malformed query"));
    // Beyond 65534 bytes the target is too long for hyper.
    let mut raw = place.raw().await;
    raw.send(whole(&format!("{QUERY}&x={}", "x".repeat(64 << 10)), BODY)).await;
    assert!(is_refused(raw.try_answer().await.as_ref()));
    place.is_well().await;
}

async fn a_head_of_2_mib_is_refused(server: impl Serve) {
    let place = Place::open(&server).await;
    let mut raw = place.raw().await;
    raw.send(head(QUERY, &format!("X: {}\r\n", "x".repeat(2 << 20)))).await;
    assert!(is_refused(raw.try_answer().await.as_ref()));
    place.is_well().await;
}

/// On HTTP/2 other requests share the connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_panics_over_http_2_is_no_acknowledgement() {
    in_time(panics_over_http_2(Axum)).await;
    in_time(panics_over_http_2(Hyper)).await;
}

async fn panics_over_http_2(server: impl Serve) {
    let notebook = Notebook::default();
    let driver = Loopback(server, Wire::Http2);
    let mut endpoint =
        driver.open::<CallEnded>(Table::load().verifier("open"), notebook.clone()).await;
    let request = Request {
        method: "POST".to_owned(),
        query: QUERY.to_owned(),
        headers: Vec::new(),
        body: Bytes::from_static(BODY.as_bytes()),
        announce: None,
    };
    notebook.set_mood(Mood::Panics);
    let answer = endpoint.answer(&request).await;
    assert!(answer.as_ref().is_ok_and(|answer| answer.status == 500) || answer.is_err());
    assert_eq!(notebook.runs(), 1);
    notebook.set_mood(Mood::Answers);
    assert_eq!(endpoint.answer(&request).await, Ok(ok()));
}

/// All of them have a request under way at the same time.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_connections_are_served() {
    // Both ends are in this process.
    if !descriptors::are_enough(4096, "a_thousand_connections_are_served") {
        return;
    }
    in_time(a_thousand_connections(Axum)).await;
    in_time(a_thousand_connections(ActixWeb(Way::Extractor))).await;
    in_time(a_thousand_connections(ActixWeb(Way::Middleware))).await;
    in_time(a_thousand_connections(Hyper)).await;
}

async fn a_thousand_connections(server: impl Serve) {
    let place = Place::open(&server).await;
    let request = whole(QUERY, BODY);
    let (first, rest) = request.split_at(request.len() - 10);
    let mut held = Vec::new();
    for _ in 0..1000 {
        let mut raw = place.raw().await;
        raw.send(first).await;
        held.push(raw);
    }
    place.is_well().await;
    for raw in &mut held {
        raw.send(rest).await;
    }
    for raw in &mut held {
        assert_eq!(raw.answer().await, ok());
    }
    assert_eq!(place.notebook.runs(), held.len());
    place.is_well().await;
}
