//! How the billing example is driven: callbacks of calls, and what it has to make of them.

use std::net::SocketAddr;

use serde_json::json;

use crate::Answer;
use crate::books::{Bill, Books};
use crate::example::Example;
use crate::programs::{BILLING, Programs};
use crate::raw::{QUERY, Raw, head, refusal};

/// Unix seconds on which the times of a call are counted.
pub const DAY: u64 = 1_741_231_000;

/// A call that was connected from 5 on, in seconds of [`DAY`].
#[must_use]
pub fn body(call_id: &str, end_time: u64) -> String {
    let (accept_time, end_time) = (DAY + 5, DAY + end_time);
    let record = json!({ "CallId": call_id, "AcceptTime": accept_time, "EndTime": end_time });
    json!({ "CallRecord": record }).to_string()
}

/// Its bill.
#[must_use]
pub fn bill(call_id: &str, seconds: i64) -> Bill {
    let call_id = call_id.to_owned();
    Bill { call_id, caller: None, result: None, seconds: Some(seconds), times_billed: 1 }
}

/// Starts the example on these books.
///
/// # Panics
///
/// If it ends instead.
#[must_use]
pub fn start_with(programs: &Programs, books: &Books, switches: &[(&str, &str)]) -> Example {
    programs.start(BILLING, &[&[("INBOX", books.inbox())], switches].concat())
}

/// Sends an ended call.
///
/// # Panics
///
/// If it is not answered.
pub async fn post(address: SocketAddr, body: impl AsRef<[u8]>) -> Answer {
    post_to(address, QUERY, body).await
}

/// Sends a callback.
///
/// # Panics
///
/// If it is not answered.
pub async fn post_to(address: SocketAddr, query: &str, body: impl AsRef<[u8]>) -> Answer {
    let body = body.as_ref();
    let mut raw = Raw::connect(address).await;
    raw.send(head(query, &format!("Content-Length: {}\r\n", body.len()))).await;
    raw.send(body).await;
    raw.answer().await
}

/// The status that a load balancer sees.
///
/// # Panics
///
/// If it is not answered.
pub async fn health(example: &Example) -> u16 {
    let mut raw = Raw::connect(example.address()).await;
    raw.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    raw.answer().await.status
}

/// The answer to what is not stored.
#[must_use]
pub fn not_stored() -> Answer {
    let body =
        r#"{"ActionStatus":"FAIL","ErrorInfo":"the callback is not stored","ErrorCode":503}"#;
    Answer { body: body.into(), ..refusal(500, "") }
}
