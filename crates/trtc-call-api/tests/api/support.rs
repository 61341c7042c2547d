//! A vendor that answers as the test says and keeps the requests as they came.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use trtc_call_api::{Client, ClientBuilder, SecretKey};

pub(crate) const KEY: &str = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";
pub(crate) const APP: u64 = 1_400_000_001;

/// A request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// The first line and the headers, with their line ends.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn path(&self) -> &str {
        let target = self.head.split(' ').nth(1).unwrap();
        target.split('?').next().unwrap()
    }

    /// The parameters in their order, not decoded.
    pub(crate) fn query(&self) -> Vec<(&str, &str)> {
        let target = self.head.split(' ').nth(1).unwrap();
        let query = target.split_once('?').unwrap().1;
        query.split('&').map(|pair| pair.split_once('=').unwrap()).collect()
    }

    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.query().into_iter().find(|(key, _)| *key == name).unwrap().1
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What the vendor does with a request.
pub(crate) enum Answer {
    /// Status 200 with this body.
    Body(String),
    /// These bytes, then the end of the connection.
    Raw(Vec<u8>),
    /// These bytes, and then nothing for ever.
    Half(&'static str),
}

impl Answer {
    pub(crate) fn ok() -> Self {
        Self::json(&json!({ "ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0 }))
    }

    pub(crate) fn response(response: &Value) -> Self {
        Self::json(&json!({ "ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0,
            "RequestId": "Id-1", "Response": response }))
    }

    pub(crate) fn code(code: i64) -> Self {
        Self::json(&json!({ "ActionStatus": "FAIL", "ErrorInfo": "told", "ErrorCode": code,
            "RequestId": "Id-1" }))
    }

    pub(crate) fn json(json: &Value) -> Self {
        Self::Body(json.to_string())
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Raw(format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\n{{}}").into_bytes())
    }
}

/// The vendor: it takes connections until it is dropped.
pub(crate) struct Vendor {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
    connections: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Vendor {
    /// Answers each request as `answer` says, which is told how many were there before.
    pub(crate) async fn start(
        answer: impl FnMut(usize, &Received) -> Answer + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicU64::new(0));
        let answer = Arc::new(Mutex::new(answer));
        let (all, count) = (Arc::clone(&received), Arc::clone(&connections));
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                let (answer, all) = (Arc::clone(&answer), Arc::clone(&all));
                tokio::spawn(async move {
                    while let Some(request) = read(&mut stream).await {
                        let answer = {
                            let mut all = all.lock().unwrap();
                            let answer = (answer.lock().unwrap())(all.len(), &request);
                            all.push(request);
                            answer
                        };
                        if !write(&mut stream, answer).await {
                            return;
                        }
                    }
                });
            }
        });
        Self { url, received, connections, task }
    }

    /// Answers every request the same way.
    pub(crate) async fn always(answer: impl Fn() -> Answer + Send + 'static) -> Self {
        Self::start(move |_, _| answer()).await
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }

    /// A client of this vendor that gives up at once and does not wait.
    pub(crate) fn builder(&self) -> ClientBuilder {
        builder().base_url(&self.url)
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A client that gives up at once, hardly waits, and asks nobody in particular.
pub(crate) fn builder() -> ClientBuilder {
    Client::builder(APP, SecretKey::new(KEY).unwrap())
        .rate_limit(1_000_000)
        .retry_for(Duration::ZERO)
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let headers: HashMap<String, &str> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect();
    let length: usize = headers["content-length"].parse().unwrap();
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Received { body: String::from_utf8(bytes[end..].to_vec()).unwrap(), head })
}

/// Whether the connection stays.
async fn write(stream: &mut TcpStream, answer: Answer) -> bool {
    match answer {
        Answer::Body(body) => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).await.is_ok()
        }
        Answer::Raw(bytes) => {
            let _ = stream.write_all(&bytes).await;
            false
        }
        Answer::Half(bytes) => {
            let _ = stream.write_all(bytes.as_bytes()).await;
            std::future::pending().await
        }
    }
}

/// A clock that stands until it is set.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(crate) fn at(seconds: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seconds)))
    }

    pub(crate) fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> SystemTime {
        seconds(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) fn seconds(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// The record that the vendor's pages print (647/68930).
pub(crate) fn record(call_id: &str) -> Value {
    json!({ "CallId": call_id, "Caller_Account": "10001", "MediaType": "Audio",
        "CallType": "SingleCall", "StartTime": 1741231146, "EndTime": 1741231296,
        "AcceptTime": 0, "CallResult": "NotAnswer", "CalleeList_Account": ["10001", "user2"],
        "RoomId": "roomid-1434", "RoomIdType": 2 })
}
