//! The three frameworks, each with the same handlers: `bare` reads the body's bytes and returns the
//! constant answer, `bare+floor` and `bare+core` do the floor's work or core's before,
//! `hand-written` takes the framework's own query and JSON extractors, `ours` takes the adapter. The
//! same services run in process, without a socket, and behind one.

use std::convert::Infallible;
use std::time::SystemTime;

use ::axum::BoxError;
use ::axum::body::{Body, HttpBody};
use ::axum::serve::ListenerExt;
use ::tower::make::Shared;
use ::tower::{Service, ServiceExt};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{Request, Response};
use http_body_util::BodyExt;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

use crate::cases::Case;
use crate::op::Op;
use crate::{bodies, floor, hand_written, ours};

mod actix_web;
mod axum;
mod tower;

/// Where the handlers are.
pub const PATH: &str = "/callback";
/// The frameworks.
pub const FRAMEWORKS: [&str; 3] = ["axum", "actix-web", "tower"];
/// What runs in process. `request` is no handler: the request is made and dropped.
pub const HANDLERS: [&str; 4] = ["request", "bare", "hand-written", "ours"];
/// What is served. `bare+core` is the adapter's work without the adapter.
pub const SERVED: [&str; 5] = ["bare", "bare+floor", "bare+core", "hand-written", "ours"];

/// What a bare handler does with its query and its body before it answers; `false` is no answer.
type Work = fn(&str, &[u8]) -> bool;

fn work(handler: &str) -> Option<Work> {
    match handler {
        "bare+floor" => Some(floor::accepts_now),
        "bare+core" => Some(ours::accepts_now),
        _ => None,
    }
}

/// Serves a framework's handler on one thread, for ever. Says the address once it listens.
pub fn serve(framework: &str, handler: &str) -> bool {
    run(framework, handler, None).is_none()
}

/// Makes requests of a case to a handler; or without a case serves it.
pub(crate) fn run(framework: &str, handler: &str, case: Option<&Case>) -> Option<Op> {
    match framework {
        "axum" => axum::run(handler, case),
        "actix-web" => actix_web::run(handler, case),
        _ => tower::run(handler, case),
    }
}

/// What the hand-written handlers do with what they extracted; `false` is answered with 403.
fn accepts(query: &hand_written::Query, body: &bodies::CallEnded<String>) -> bool {
    let is_accepted = hand_written::check(query, SystemTime::now());
    std::hint::black_box(&body.call_record.call_id);
    is_accepted && body.callback_command == query.callback_command
}

fn target(case: &Case) -> String {
    format!("{PATH}?{}", case.query)
}

/// The same for a service of axum's or tower's.
fn run_service<S, B>(service: S, handler: &str, case: Option<&Case>) -> Option<Op>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible, Future: Send>,
    S: Clone + Send + 'static,
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let Some(case) = case else {
        Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            println!("{}", listener.local_addr().unwrap());
            let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
            let service = service.map_response(|response| response.map(Body::new));
            ::axum::serve(listener, Shared::new(service)).await.unwrap();
        });
        return None;
    };
    let uri = http::Uri::try_from(target(case)).unwrap();
    let (body, is_handled) = (Bytes::from(case.body.clone()), handler != "request");
    let once = async move || {
        let request = Request::post(uri.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_LENGTH, body.len())
            .body(Body::from(body.clone()))
            .unwrap();
        if is_handled {
            let response = service.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), 200);
            std::hint::black_box(response.into_body().collect().await.ok());
        } else {
            std::hint::black_box(request);
        }
    };
    Some(Op::awaited(once))
}
