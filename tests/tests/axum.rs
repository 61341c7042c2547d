//! What only axum has: its own body limit, its extensions, errors of the user's own.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{any, post};
use bytes::Bytes;
use conformance::driver::axum::router;
use conformance::raw::{BODY, QUERY};
use conformance::{Answer, Kind, Notebook, PATH, Sent, Table};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tower::ServiceExt;
use trtc_call_webhook::{CallEnded, SdkApp};
use trtc_call_webhook_axum::{Error, Webhook};

const TOO_LARGE: &str = r#"{"ActionStatus":"FAIL","ErrorInfo":"body too large","ErrorCode":413}"#;

fn request(method: &str, query: &str, body: Body) -> http::Request<Body> {
    let target = format!("{PATH}?{query}");
    http::Request::builder().method(method).uri(target).body(body).unwrap()
}

async fn answer(router: Router, request: http::Request<Body>) -> Answer {
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let kind = Kind::of(parts.extensions.get::<Error>());
    let body = body.collect().await.unwrap().to_bytes();
    Answer::from_parts(&parts, &body, kind)
}

fn open(verifier: &str) -> Router {
    router::<CallEnded>(Table::load().verifier(verifier), Notebook::default())
}

#[tokio::test]
async fn the_lower_limit_of_the_app_gives_the_same_answer() {
    let body = Bytes::from_static(BODY.as_bytes());
    let sent = || [Body::from(body.clone()), Body::new(Sent::pieces(&body))];
    for body in sent() {
        let router = open("open").layer(DefaultBodyLimit::max(BODY.len() - 1));
        let answer = answer(router, request("POST", QUERY, body)).await;
        assert_eq!((answer.status, answer.body.as_slice()), (413, TOO_LARGE.as_bytes()));
        assert_eq!(answer.content_type, ["application/json"]);
        assert_eq!(answer.kind, Kind::Some("body too large".to_owned()));
    }
    for limit in [DefaultBodyLimit::max(BODY.len()), DefaultBodyLimit::disable()] {
        for body in sent() {
            let router = open("open").layer(limit);
            assert_eq!(answer(router, request("POST", QUERY, body)).await.status, 200);
        }
    }
}

#[tokio::test]
async fn the_receivers_limit_holds_where_the_apps_is_switched_off() {
    let body = Bytes::from(" ".repeat(65));
    for body in [Body::from(body.clone()), Body::new(Sent::pieces(&body))] {
        let router = open("small").layer(DefaultBodyLimit::disable());
        assert_eq!(answer(router, request("POST", QUERY, body)).await.body, TOO_LARGE.as_bytes());
    }
}

/// Larger than axum's own default of 2 MB, which is lower than this receiver's limit.
#[tokio::test]
async fn the_lower_of_two_limits_is_axums_own_default() {
    let verifier = trtc_call_webhook::Verifier::builder()
        .app(SdkApp::unsigned(1_400_000_001))
        .body_limit(1 << 30)
        .build();
    let router = router::<CallEnded>(verifier.unwrap(), Notebook::default());
    let body = Body::from(BODY.to_owned() + &" ".repeat(3 << 20));
    assert_eq!(answer(router, request("POST", QUERY, body)).await.body, TOO_LARGE.as_bytes());
}

/// A body that is not to be touched.
struct Untouchable(SizeHint);

impl http_body::Body for Untouchable {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        panic!("the body was polled");
    }

    fn size_hint(&self) -> SizeHint {
        self.0
    }
}

#[tokio::test]
async fn nothing_of_a_body_is_polled_when_the_head_fails() {
    let signed = format!("{QUERY}&Sign={}&RequestTime=1669872112", "0".repeat(64));
    let stale = format!(
        "{QUERY}&Sign=17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061\
         &RequestTime=1669872112"
    );
    let foreign = QUERY.replace("1400000001", "1400000009");
    let huge = SizeHint::with_exact(10_737_418_240);
    let mut at_least = SizeHint::new();
    at_least.set_lower(65);
    let unknown = SizeHint::new();
    for (verifier, method, query, hint, kind) in [
        ("open", "PUT", QUERY, &unknown, "method not allowed"),
        ("open", "POST", "SdkAppid=1400000001&SdkAppid=2", &unknown, "malformed query"),
        ("open", "POST", "", &unknown, "malformed query"),
        ("open", "POST", &foreign, &huge, "foreign app"),
        ("signed", "POST", QUERY, &huge, "unsigned"),
        ("signed", "POST", &signed, &unknown, "bad signature"),
        ("signed", "POST", &stale, &huge, "stale signature"),
        ("small", "POST", QUERY, &at_least, "body too large"),
        ("open", "POST", QUERY, &huge, "body too large"),
    ] {
        let body = Body::new(Untouchable(*hint));
        let answer = answer(open(verifier), request(method, query, body)).await;
        assert_eq!(answer.kind, Kind::Some(kind.to_owned()));
    }
    let mut announced = request("POST", QUERY, Body::new(Untouchable(unknown)));
    announced.headers_mut().insert("content-length", "65".parse().unwrap());
    let answer = answer(open("small"), announced).await;
    assert_eq!(answer.kind, Kind::Some("body too large".to_owned()));
}

#[tokio::test]
#[should_panic(expected = "the body was polled")]
async fn a_body_is_polled_when_the_head_passes() {
    let body = Body::new(Untouchable(SizeHint::new()));
    answer(open("open"), request("POST", QUERY, body)).await;
}

#[tokio::test]
async fn an_error_of_the_users_own_type_is_untouched() {
    let handler =
        |_: Webhook| async { Err::<(), _>((StatusCode::IM_A_TEAPOT, "tea, no database")) };
    let router = Router::new().route(PATH, any(handler)).with_state(Table::load().verifier("open"));
    let answer = answer(router, request("POST", QUERY, Body::from(BODY))).await;
    assert_eq!((answer.status, answer.body.as_slice()), (418, b"tea, no database".as_slice()));
    assert_eq!(answer.content_type, ["text/plain; charset=utf-8"]);
    assert_eq!(answer.kind, Kind::None);
}

#[tokio::test]
async fn a_router_that_refuses_the_method_answers_itself() {
    let handler = |_: Webhook| async {};
    let router =
        Router::new().route(PATH, post(handler)).with_state(Table::load().verifier("open"));
    let answer = answer(router, request("PUT", QUERY, Body::empty())).await;
    assert_eq!((answer.status, answer.body.as_slice()), (405, b"".as_slice()));
    assert_eq!(answer.allow, ["POST"]);
}

/// An outer layer counts refusals by the error in the response, and an acknowledgement that no
/// handler saw is none.
#[tokio::test]
async fn an_acknowledgement_that_no_handler_saw_is_no_error() {
    let query = "SdkAppid=1400000001&CallbackCommand=Call.X";
    let answer = answer(open("open"), request("POST", query, Body::from("{}"))).await;
    assert_eq!((answer.status, answer.kind), (200, Kind::None));
}
