//! `/calls`: no API of the vendor's, but the fake's own, with ordinary HTTP statuses.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::reply::json_response;
use super::{NotAdded, Vendor};

#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    One(Map<String, Value>),
    Several(Vec<Map<String, Value>>),
}

/// Takes one record or a list of them, and answers with the calls' ids.
pub(super) async fn add(State(vendor): State<Vendor>, body: Bytes) -> Response {
    let given = match serde_json::from_slice(&body) {
        Ok(Given::One(record)) => vec![record],
        Ok(Given::Several(records)) => records,
        Err(_) => return refuse(StatusCode::BAD_REQUEST, "send a CallRecord, or a list of them"),
    };
    match vendor.add(given) {
        Ok(ids) => json_response(&json!({ "CallIds": ids })),
        Err(NotAdded::Wrong(why)) => refuse(StatusCode::BAD_REQUEST, &why),
        Err(NotAdded::NotKept) => {
            refuse(StatusCode::INTERNAL_SERVER_ERROR, "the calls cannot be kept")
        }
    }
}

/// Every record, as they were added, also those that are not found yet or no more.
pub(super) async fn all(State(vendor): State<Vendor>) -> Response {
    json_response(&Value::Array(vendor.state().book.all()))
}

fn refuse(status: StatusCode, why: &str) -> Response {
    (status, json_response(&json!({ "error": why }))).into_response()
}
