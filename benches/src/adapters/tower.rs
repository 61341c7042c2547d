//! tower services over hyper. It has no extractors of its own, so the hand-written handler calls
//! `serde_urlencoded` and `serde_json`, as axum's extractors do.

use std::convert::Infallible;

use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::{Layer, service_fn};
use trtc_call_webhook_tower::{Ack, CallEnded, WebhookBody, WebhookLayer, ack, delivery};

use super::{Work, accepts, run_service, work};
use crate::cases::{ANSWER, Case};
use crate::op::Op;
use crate::{hand_written, ours};

type Answer = Result<Response<Full<Bytes>>, Infallible>;

fn answer(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    Ok(response)
}

async fn bare(request: Request<Body>) -> Answer {
    std::hint::black_box(request.into_body().collect().await.unwrap().to_bytes());
    answer(StatusCode::OK, ANSWER)
}

async fn working(work: Work, request: Request<Body>) -> Answer {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    assert!(work(parts.uri.query().unwrap_or_default(), &body));
    answer(StatusCode::OK, ANSWER)
}

async fn by_hand(request: Request<Body>) -> Answer {
    let (parts, body) = request.into_parts();
    let query = serde_urlencoded::from_str(parts.uri.query().unwrap_or_default());
    let body = body.collect().await.unwrap().to_bytes();
    match (query, serde_json::from_slice(&body)) {
        (Ok(query), Ok(body)) if accepts(&query, &body) => {
            answer(StatusCode::OK, serde_json::to_vec(&hand_written::Answer::OK).unwrap())
        }
        _ => answer(StatusCode::FORBIDDEN, ""),
    }
}

async fn behind_the_layer(
    request: Request<WebhookBody>,
) -> Result<Response<WebhookBody>, Infallible> {
    std::hint::black_box(delivery::<CallEnded, _>(&request).map(|call| &call.call_id));
    Ok(ack(Ack::ok()))
}

pub(super) fn run(handler: &str, case: Option<&Case>) -> Option<Op> {
    if let Some(work) = work(handler) {
        return run_service(service_fn(move |request| working(work, request)), handler, case);
    }
    match handler {
        "hand-written" => run_service(service_fn(by_hand), handler, case),
        "ours" => {
            let layer = WebhookLayer::<CallEnded>::new(ours::verifier());
            run_service(layer.layer(service_fn(behind_the_layer)), handler, case)
        }
        _ => run_service(service_fn(bare), handler, case),
    }
}
