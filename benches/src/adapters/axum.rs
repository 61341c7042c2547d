//! axum.

use axum::Router;
use axum::extract::{Json, Query};
use axum::response::IntoResponse;
use axum::routing::post;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{StatusCode, Uri};
use trtc_call_webhook_axum::{Ack, CallEnded, Webhook};

use super::{PATH, Work, accepts, run_service, work};
use crate::cases::{ANSWER, Case};
use crate::op::Op;
use crate::{bodies, hand_written, ours};

async fn bare(body: Bytes) -> ([(http::HeaderName, &'static str); 1], &'static str) {
    std::hint::black_box(body);
    ([(CONTENT_TYPE, "application/json")], ANSWER)
}

async fn working(work: Work, uri: Uri, body: Bytes) -> impl IntoResponse {
    assert!(work(uri.query().unwrap_or_default(), &body));
    bare(body).await
}

async fn by_hand(
    Query(query): Query<hand_written::Query>,
    Json(body): Json<bodies::CallEnded<String>>,
) -> Result<Json<hand_written::Answer>, StatusCode> {
    accepts(&query, &body).then_some(Json(hand_written::Answer::OK)).ok_or(StatusCode::FORBIDDEN)
}

async fn with_the_extractor(Webhook(call): Webhook<CallEnded>) -> Ack {
    std::hint::black_box(&call.call_id);
    Ack::ok()
}

pub(super) fn run(handler: &str, case: Option<&Case>) -> Option<Op> {
    let route = match (handler, work(handler)) {
        (_, Some(work)) => post(move |uri, body| working(work, uri, body)),
        ("hand-written", _) => post(by_hand),
        ("ours", _) => post(with_the_extractor),
        _ => post(bare),
    };
    let router = Router::new().route(PATH, route).with_state(ours::verifier());
    run_service(router, handler, case)
}
