//! A vendor in this process, whose records and moods a test sets: for what takes hours, with a clock that is
//! moved by hand. `trtc-call vendor` is the one with sockets, rates and callbacks of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use trtc_call_api::{Client, ClientBuilder, SecretKey, UserSig};
use trtc_call_inbox::Clock;

const KEY: &str = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";

/// A vendor that answers for one app.
#[derive(Clone, Debug)]
pub struct Vendor {
    url: String,
    books: Arc<Mutex<Books>>,
}

#[derive(Debug, Default)]
struct Books {
    records: Vec<Value>,
    mood: Mood,
    /// The calls that were asked for one by one.
    looked_up: Vec<String>,
    /// The spans that were asked for.
    spans: Vec<(i64, i64)>,
}

/// How the vendor answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// As documented.
    #[default]
    Well,
    /// With this code.
    Refuses(i64),
    /// With 503 and a page.
    Down,
}

impl Vendor {
    /// A vendor without calls.
    ///
    /// # Panics
    ///
    /// If it cannot listen.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let vendor = Self { url, books: Arc::default() };
        let router = Router::new().route("/v4/{service}/{command}", post(answer));
        let router = router.with_state(vendor.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        vendor
    }

    /// A client whose clock is that of a store.
    ///
    /// # Panics
    ///
    /// If it cannot be built.
    #[must_use]
    pub fn client(&self, app: u64, clock: &Clock) -> Client {
        self.builder(app, clock).build().expect("a client")
    }

    /// The same, to be set up.
    ///
    /// # Panics
    ///
    /// If the key cannot be used.
    pub fn builder(&self, app: u64, clock: &Clock) -> ClientBuilder {
        let (key, clock) = (SecretKey::new(KEY).expect("a key"), clock.clone());
        Client::builder(app, key)
            .base_url(&self.url)
            .clock(move || clock.now())
            // The answers come from this process.
            .retry_for(std::time::Duration::ZERO)
            .rate_limit(200)
    }

    fn books<T>(&self, look: impl FnOnce(&mut Books) -> T) -> T {
        look(&mut self.books.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has a call in its records, in the place of one of the same id.
    pub fn knows(&self, record: Value) {
        self.books(|books| {
            books.records.retain(|known| known["CallId"] != record["CallId"]);
            books.records.push(record);
        });
    }

    /// Answers in this way from now on.
    pub fn is(&self, mood: Mood) {
        self.books(|books| books.mood = mood);
    }

    /// The calls that were asked for one by one, since this was asked last.
    #[must_use]
    pub fn looked_up(&self) -> Vec<String> {
        self.books(|books| std::mem::take(&mut books.looked_up))
    }

    /// The spans that were asked for, in unix seconds, since this was asked last.
    #[must_use]
    pub fn spans(&self) -> Vec<(i64, i64)> {
        self.books(|books| std::mem::take(&mut books.spans))
    }
}

/// A record of a call that was accepted and ended so many seconds later.
#[must_use]
pub fn record(call_id: &str, ended_at: SystemTime, seconds: u64) -> Value {
    let end = ended_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    json!({
        "CallId": call_id, "Caller_Account": "10001", "MediaType": "Audio", "CallType": "SingleCall",
        "StartTime": end - seconds - 5, "AcceptTime": end - seconds, "EndTime": end,
        "CallResult": "NormalEnd", "CalleeList_Account": ["10001", "10002"],
        "RoomId": "", "RoomIdType": 1,
    })
}

async fn answer(
    State(vendor): State<Vendor>,
    Path((service, command)): Path<(String, String)>,
    Query(query): Query<HashMap<String, String>>,
    body: Bytes,
) -> Response {
    let key = SecretKey::new(KEY).expect("a key");
    let claims = UserSig::verify(&query["usersig"], &key).expect("a UserSig");
    assert_eq!(claims.identifier, query["identifier"]);
    assert_eq!(service, "call_record_http_srv");
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    vendor.books(|books| match books.mood {
        Mood::Well => books.answer(&command, &body),
        Mood::Refuses(code) => refuse(code),
        Mood::Down => (StatusCode::SERVICE_UNAVAILABLE, "<html>").into_response(),
    })
}

impl Books {
    fn answer(&mut self, command: &str, body: &Value) -> Response {
        if command == "get_record_by_callid" {
            let call_id = body["CallId"].as_str().unwrap_or_default();
            self.looked_up.push(call_id.to_owned());
            if call_id.starts_with("poison") {
                return refuse(60_003);
            }
            let known = self.records.iter().find(|known| known["CallId"] == call_id);
            return known
                .map_or_else(|| refuse(101_050), |record| give(&json!({ "CallRecord": record })));
        }
        assert_eq!(command, "get_record_by_filter");
        let number = |name: &str| body[name].as_i64().expect("a number");
        let (from, to, page) = (number("StartTime"), number("EndTime"), number("Page"));
        if page == 1 {
            self.spans.push((from, to));
        }
        // By their start, which is the harder case.
        let is_in = |record: &&Value| {
            record["StartTime"].as_i64().is_some_and(|start| (from..=to).contains(&start))
        };
        let found: Vec<&Value> = self.records.iter().rev().filter(is_in).collect();
        let size = usize::try_from(number("NumberPerPage")).expect("a size").min(100);
        let skipped = size * usize::try_from(page - 1).expect("a page");
        let list: Vec<&&Value> = found.iter().skip(skipped).take(size).collect();
        give(&json!({ "TotalNum": found.len(), "Page": page, "CallRecordList": list }))
    }
}

fn give(response: &Value) -> Response {
    reply(&json!({
        "ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0, "RequestId": "r-1", "Response": response,
    }))
}

fn refuse(code: i64) -> Response {
    reply(&json!({
        "ActionStatus": "FAIL", "ErrorInfo": "no", "ErrorCode": code, "RequestId": "r-1",
    }))
}

fn reply(reply: &Value) -> Response {
    reply.to_string().into_response()
}
