//! tower services over hyper. It has no extractors of its own, so the hand-written handler calls
//! `serde_urlencoded` and `serde_json`, as axum's extractors do.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_util::service::TowerToHyperService;
use tower::{Layer, Service, ServiceExt, service_fn};
use trtc_call_webhook_tower::{Ack, CallEnded, WebhookBody, WebhookLayer, ack, delivery};

use super::{Variant, Work, accepts, answer, asynchronous, hyper_server, requests};
use crate::cases::{ANSWER, Case};
use crate::op::Op;
use crate::{hand_written, ours};

/// A body as hyper receives it, or one that is there already.
trait RequestBody:
    Body<Data = Bytes, Error: fmt::Debug + Into<Box<dyn Error + Send + Sync>>> + Send + 'static
{
}

impl RequestBody for Incoming {}
impl RequestBody for Full<Bytes> {}

async fn bare<B: RequestBody>(request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
    std::hint::black_box(request.into_body().collect().await.unwrap().to_bytes());
    let mut response = Response::new(Full::new(Bytes::from_static(ANSWER.as_bytes())));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    Ok(response)
}

async fn working<B: RequestBody>(
    work: Work,
    request: Request<B>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    assert!(work(parts.uri.query().unwrap_or_default(), &body));
    bare(Request::from_parts(parts, Full::new(body))).await
}

async fn by_hand<B: RequestBody>(request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let query = serde_urlencoded::from_str(parts.uri.query().unwrap_or_default());
    let body = body.collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&body);
    let (status, answer) = match (query, body) {
        (Ok(query), Ok(body)) if accepts(&query, &body) => {
            (StatusCode::OK, serde_json::to_vec(&hand_written::Answer::OK).unwrap())
        }
        _ => (StatusCode::FORBIDDEN, Vec::new()),
    };
    let response = Response::builder().status(status).header(CONTENT_TYPE, "application/json");
    Ok(response.body(Full::new(Bytes::from(answer))).unwrap())
}

async fn behind_the_layer(
    request: Request<WebhookBody>,
) -> Result<Response<WebhookBody>, Infallible> {
    std::hint::black_box(delivery::<CallEnded, _>(&request).map(|call| &call.call_id));
    Ok(ack(Ack::ok()))
}

pub(super) fn op(variant: Variant, case: &Case) -> Op {
    match variant {
        Variant::Request => {
            let request = requests(case);
            asynchronous(move || {
                std::hint::black_box(request().map(Full::new));
                std::future::ready(200)
            })
        }
        Variant::Bare => op_of(service_fn(bare), case),
        Variant::Floor | Variant::Core => {
            let work = variant.work().unwrap();
            op_of(service_fn(move |request| working(work, request)), case)
        }
        Variant::HandWritten => op_of(service_fn(by_hand), case),
        Variant::Ours => op_of(layer().layer(service_fn(behind_the_layer)), case),
    }
}

fn layer() -> WebhookLayer<CallEnded> {
    WebhookLayer::new(ours::verifier())
}

fn op_of<S, B>(service: S, case: &Case) -> Op
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible> + Clone + 'static,
    B: Body<Error: fmt::Debug>,
{
    let request = requests(case);
    asynchronous(move || {
        let request = request().map(Full::new);
        let service = service.clone();
        async move { answer(service.oneshot(request).await.unwrap()).await }
    })
}

pub(super) fn serve(variant: Variant) {
    match variant {
        Variant::Request | Variant::Bare => {
            hyper_server::serve(TowerToHyperService::new(service_fn(bare::<Incoming>)));
        }
        Variant::Floor | Variant::Core => {
            let work = variant.work().unwrap();
            let service = service_fn(move |request: Request<Incoming>| working(work, request));
            hyper_server::serve(TowerToHyperService::new(service));
        }
        Variant::HandWritten => {
            hyper_server::serve(TowerToHyperService::new(service_fn(by_hand::<Incoming>)));
        }
        Variant::Ours => {
            let service = layer().layer(service_fn(behind_the_layer));
            hyper_server::serve(TowerToHyperService::new(service));
        }
    }
}
