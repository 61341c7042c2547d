//! axum.

use axum::Router;
use axum::body::Body;
use axum::extract::{Json, Query};
use axum::response::IntoResponse;
use axum::routing::post;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{StatusCode, Uri};
use hyper_util::service::TowerToHyperService;
use tower::ServiceExt;
use trtc_call_webhook_axum::{Ack, CallEnded, Webhook};

use super::{Variant, Work, accepts, answer, asynchronous, hyper_server, requests};
use crate::cases::{ANSWER, Case};
use crate::op::Op;
use crate::{hand_written, ours};

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
    Json(body): Json<hand_written::CallEnded>,
) -> Result<Json<hand_written::Answer>, StatusCode> {
    if accepts(&query, &body) {
        Ok(Json(hand_written::Answer::OK))
    } else {
        Err(StatusCode::FORBIDDEN)
    }
}

async fn with_the_extractor(Webhook(call): Webhook<CallEnded>) -> Ack {
    std::hint::black_box(&call.call_id);
    Ack::ok()
}

fn router(variant: Variant) -> Router {
    let handler = match variant {
        Variant::Request | Variant::Bare => post(bare),
        Variant::Floor | Variant::Core => {
            let work = variant.work().unwrap();
            post(move |uri, body| working(work, uri, body))
        }
        Variant::HandWritten => post(by_hand),
        Variant::Ours => post(with_the_extractor),
    };
    Router::new().route(super::PATH, handler).with_state(ours::verifier())
}

pub(super) fn op(variant: Variant, case: &Case) -> Op {
    let router = router(variant);
    let request = requests(case);
    asynchronous(move || {
        let request = request().map(Body::from);
        let router = router.clone();
        async move {
            if variant == Variant::Request {
                std::hint::black_box(request);
                return 200;
            }
            answer(router.oneshot(request).await.unwrap()).await
        }
    })
}

pub(super) fn serve(variant: Variant) {
    hyper_server::serve(TowerToHyperService::new(router(variant)));
}
