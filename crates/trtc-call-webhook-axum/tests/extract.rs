//! What an axum user relies on beside the contract's answers.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRef, FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use http_body::Frame;
use http_body_util::BodyExt;
use tower::ServiceExt;
use trtc_call_webhook_axum::{
    Ack, CallEnded, CallStarted, Callback, Error, ErrorKind, Event, Reason, SdkApp, Undecoded,
    Verifier, Webhook, WebhookRejection,
};

const ENDED: &str = "/callback?SdkAppid=7&CallbackCommand=Call.CallbackAfterEndCall";
const BODY: &str = r#"{"CallRecord":{"CallId":"a-1"}}"#;
const OK: &str = r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#;

fn verifier() -> Verifier {
    Verifier::builder().app(SdkApp::unsigned(7)).build().unwrap()
}

fn request(uri: &str, body: impl Into<Body>) -> Request {
    Request::post(uri).body(body.into()).unwrap()
}

async fn send(router: Router, request: Request) -> Response {
    router.oneshot(request).await.unwrap()
}

async fn text(response: Response) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

/// A handler that is generic over the event.
async fn acknowledge<E: Event>(_: Webhook<E>) -> Ack {
    Ack::ok()
}

#[tokio::test]
async fn the_receiver_comes_from_any_state_and_other_extractors_stand_beside_it() {
    #[derive(Clone)]
    struct AppState {
        verifier: Verifier,
        greeting: &'static str,
    }

    impl FromRef<AppState> for Verifier {
        fn from_ref(state: &AppState) -> Self {
            state.verifier.clone()
        }
    }

    async fn handler(
        State(state): State<AppState>,
        headers: HeaderMap,
        Webhook(call): Webhook,
    ) -> String {
        format!("{} {} {}", state.greeting, call.call_id, headers.len())
    }

    let state = AppState { verifier: verifier(), greeting: "hello" };
    let router = Router::new().route("/callback", post(handler)).with_state(state);
    let response =
        send(Router::new().nest("/nested", router), request(&format!("/nested{ENDED}"), BODY))
            .await;
    assert_eq!(text(response).await, "hello a-1 0");
}

#[tokio::test]
async fn one_handler_takes_all_commands_with_a_match() {
    async fn handler(Webhook(callback): Webhook<Callback>) -> String {
        match callback.event() {
            Callback::CallEnded(call) => format!("ended {}", call.call_id),
            Callback::CallStarted(call) => format!("started {}", call.call_id),
            Callback::MemberChanged(change) => format!("changed {}", change.call_id),
            other => format!("other {}", other.command()),
        }
    }

    let router = Router::new().route("/callback", post(handler)).with_state(verifier());
    for (command, body, expected) in [
        ("Call.CallbackAfterEndCall", BODY, "ended a-1"),
        ("Call.CallbackAfterStartCall", r#"{"CallInfo":{"CallId":"a-1"}}"#, "started a-1"),
        ("Call.CallbackAfterMemberChanged", r#"{"CallId":"a-1"}"#, "changed a-1"),
        ("Call.New", "{}", "other Call.New"),
    ] {
        let uri = format!("/callback?SdkAppid=7&CallbackCommand={command}");
        let response = send(router.clone(), request(&uri, body)).await;
        assert_eq!(text(response).await, expected);
    }
}

#[tokio::test]
async fn several_receivers_serve_several_paths() {
    let path = |app: u64| {
        let verifier = Verifier::builder().app(SdkApp::unsigned(app)).build().unwrap();
        Router::new().route("/callback", post(acknowledge::<CallEnded>)).with_state(verifier)
    };
    let router: Router = Router::new().nest("/7", path(7)).nest("/8", path(8));
    let status = async |prefix: &str| {
        send(router.clone(), request(&format!("{prefix}{ENDED}"), BODY)).await.status()
    };
    assert_eq!(status("/7").await, StatusCode::OK);
    assert_eq!(status("/8").await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_lower_of_both_body_limits_holds() {
    let body = format!("{BODY}{}", " ".repeat(1000));
    let status = async |ours: usize, theirs: usize| {
        let verifier =
            Verifier::builder().app(SdkApp::unsigned(7)).body_limit(ours).build().unwrap();
        let router: Router = Router::new()
            .route("/callback", post(acknowledge::<CallEnded>))
            .layer(DefaultBodyLimit::max(theirs))
            .with_state(verifier);
        // Without a length, so that both limits have to count.
        let stream = Body::new(Body::from(body.clone()).map_frame(|frame| frame).boxed_unsync());
        let response = send(router, request(ENDED, stream)).await;
        (response.status().as_u16(), response.extensions().get::<Error>().map(Error::kind))
    };
    assert_eq!(status(2000, 2000).await, (200, None));
    assert_eq!(status(500, 2000).await, (413, Some(ErrorKind::BodyTooLarge)));
    assert_eq!(status(2000, 500).await, (413, Some(ErrorKind::BodyTooLarge)));
}

#[tokio::test]
async fn a_command_that_is_not_taken_is_acknowledged_and_is_no_error() {
    let router = Router::new()
        .route(
            "/callback",
            post(|_: Webhook<CallStarted>| async { panic!("the handler ran") as Ack }),
        )
        .with_state(verifier());
    let response = send(router, request(ENDED, BODY)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.extensions().get::<Error>().is_none());
    assert_eq!(text(response).await, OK);
}

#[tokio::test]
async fn an_optional_webhook_is_none_where_the_command_is_not_taken_and_nowhere_else() {
    async fn handler(call: Option<Webhook<CallEnded>>) -> String {
        call.map_or("none".to_owned(), |call| call.call_id.clone())
    }

    let router = Router::new().route("/callback", any(handler)).with_state(verifier());
    let answer = async |uri: &str, body: &'static str| {
        let response = send(router.clone(), request(uri, body)).await;
        (response.status().as_u16(), text(response).await)
    };
    assert_eq!(answer(ENDED, BODY).await, (200, "a-1".to_owned()));
    let started = "/callback?SdkAppid=7&CallbackCommand=Call.CallbackAfterStartCall";
    assert_eq!(answer(started, "{}").await, (200, "none".to_owned()));
    for (uri, body, status) in [
        ("/callback", BODY, 400),
        ("/callback?SdkAppid=8", BODY, 403),
        (ENDED, "", 400),
        (ENDED, "not JSON", 400),
        (ENDED, "{}", 422),
        (started, r#"{"CallbackCommand":"Call.CallbackAfterEndCall"}"#, 400),
    ] {
        let (got, text) = answer(uri, body).await;
        assert_eq!(got, status, "{uri} {body}");
        assert!(text.starts_with(r#"{"ActionStatus":"FAIL""#), "{text}");
    }
}

/// An extractor of the user's own around ours: a converted rejection has to say what becomes of both.
#[tokio::test]
async fn a_converted_rejection_acknowledges_what_is_not_taken() {
    #[derive(FromRequest)]
    #[from_request(state(Verifier), rejection(ApiError))]
    struct Call {
        call: Webhook,
    }

    async fn handler(call: Call) -> Ack {
        Ack::fail(1, call.call.call_id.clone())
    }

    struct ApiError(Response);

    impl From<WebhookRejection> for ApiError {
        fn from(rejection: WebhookRejection) -> Self {
            Self(match rejection {
                WebhookRejection::Refused(_) => StatusCode::BAD_REQUEST.into_response(),
                WebhookRejection::NotTaken(ack) => ack.into_response(),
            })
        }
    }

    impl IntoResponse for ApiError {
        fn into_response(self) -> Response {
            self.0
        }
    }

    let router = Router::new().route("/callback", post(handler)).with_state(verifier());
    let started = "/callback?SdkAppid=7&CallbackCommand=Call.CallbackAfterStartCall";
    let response = send(router.clone(), request(started, "{}")).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(text(response).await, OK);
    let response = send(router, request("/callback?SdkAppid=8", "{}")).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_body_that_something_else_has_taken_is_the_servers_fault() {
    async fn taken(request: Request, next: Next) -> Response {
        let (parts, body) = request.into_parts();
        body.collect().await.unwrap();
        next.run(Request::from_parts(parts, Body::empty())).await
    }

    let router = Router::new()
        .route("/callback", any(acknowledge::<Undecoded>))
        .layer(from_fn(taken))
        .with_state(verifier());
    for (name, value) in [("content-length", "31"), ("transfer-encoding", "chunked")] {
        let mut request = request(ENDED, BODY);
        request.headers_mut().insert(name, value.parse().unwrap());
        let response = send(router.clone(), request).await;
        let reason = response.extensions().get::<Error>().map(Error::reason);
        assert_eq!(reason, Some(Reason::BodyTaken));
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
    // Nothing was announced, and so nothing is missed.
    assert_eq!(send(router, request(ENDED, "")).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_announced_length_above_the_apps_limit_is_refused_without_a_poll() {
    let router = Router::new()
        .route("/callback", any(acknowledge::<Undecoded>))
        .layer(DefaultBodyLimit::max(500))
        .with_state(verifier());
    let polled = |_| -> Frame<Bytes> { panic!("the body was polled") };
    let mut request = request(ENDED, Body::new(Body::from(BODY).map_frame(polled)));
    request.headers_mut().insert("content-length", "501".parse().unwrap());
    let response = send(router, request).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let reason = response.extensions().get::<Error>().map(Error::reason);
    assert_eq!(reason, Some(Reason::AnnouncedTooLarge));
}

#[tokio::test]
async fn a_body_is_as_long_as_announced() {
    let router =
        Router::new().route("/callback", any(acknowledge::<Undecoded>)).with_state(verifier());
    for (announced, status) in [("30", 200), ("31", 200), ("32", 400)] {
        let mut request = request(ENDED, BODY);
        request.headers_mut().insert("content-length", announced.parse().unwrap());
        assert_eq!(send(router.clone(), request).await.status().as_u16(), status, "{announced}");
        // What an outer layer has inflated has another length.
        let mut request = self::request(ENDED, BODY);
        request.headers_mut().insert("content-length", announced.parse().unwrap());
        request.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
        assert_eq!(send(router.clone(), request).await.status().as_u16(), 200, "{announced}");
    }
}

#[tokio::test]
async fn the_error_of_a_refusal_is_in_the_responses_extensions() {
    let router =
        Router::new().route("/callback", post(acknowledge::<CallEnded>)).with_state(verifier());
    for (uri, body, kind) in [
        ("/callback?SdkAppid=8", BODY, ErrorKind::ForeignApp),
        (ENDED, "[]", ErrorKind::MalformedBody),
        (ENDED, "{}", ErrorKind::NoCallId),
    ] {
        let response = send(router.clone(), request(uri, body)).await;
        assert_eq!(response.extensions().get::<Error>().map(Error::kind), Some(kind));
    }
}

#[tokio::test]
async fn a_handlers_own_error_is_answered_untouched() {
    async fn handler(Webhook(call): Webhook) -> Result<Ack, (StatusCode, String)> {
        Err((StatusCode::IM_A_TEAPOT, call.call_id.clone()))
    }

    async fn failing(_: Webhook) -> Ack {
        Ack::fail(3, "no disk")
    }

    let router = Router::new()
        .route("/callback", post(handler))
        .route("/failing", post(failing))
        .with_state(verifier());
    let response = send(router.clone(), request(ENDED, BODY)).await;
    assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(text(response).await, "a-1");

    let response = send(router, request(&ENDED.replace("callback?", "failing?"), BODY)).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        text(response).await,
        r#"{"ActionStatus":"FAIL","ErrorInfo":"no disk","ErrorCode":3}"#
    );
}

#[tokio::test]
async fn the_answer_of_a_refusal_can_be_replaced() {
    async fn handler(call: Result<Webhook, WebhookRejection>) -> Response {
        match call {
            Ok(_) => Ack::ok().into_response(),
            Err(WebhookRejection::Refused(error)) => {
                (StatusCode::NOT_FOUND, format!("{:?}", error.kind())).into_response()
            }
            Err(WebhookRejection::NotTaken(ack)) => ack.into_response(),
        }
    }

    let router = Router::new().route("/callback", post(handler)).with_state(verifier());
    let response = send(router.clone(), request("/callback?SdkAppid=8", BODY)).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(text(response).await, "ForeignApp");

    let started = "/callback?SdkAppid=7&CallbackCommand=Call.CallbackAfterStartCall";
    assert_eq!(text(send(router, request(started, "{}")).await).await, OK);
}

#[tokio::test]
async fn a_rejection_tells_its_answer() {
    async fn handler(call: Result<Webhook, WebhookRejection>) -> String {
        let rejection = call.unwrap_err();
        format!("{} {} {rejection}", rejection.status(), rejection.body_text())
    }

    let router = Router::new().route("/callback", post(handler)).with_state(verifier());
    let response = send(router, request("/callback?SdkAppid=8", BODY)).await;
    assert_eq!(
        text(response).await,
        "403 Forbidden {\"ActionStatus\":\"FAIL\",\"ErrorInfo\":\"forbidden\",\"ErrorCode\":403} \
         foreign app: the SDKAppID is none of the verifier's"
    );
}

#[tokio::test]
async fn whatever_becomes_an_acknowledgement_can_be_answered() {
    struct Kept(bool);

    impl From<Kept> for trtc_call_webhook::Ack {
        fn from(Kept(is_kept): Kept) -> Self {
            if is_kept { Self::ok() } else { Self::fail(7, "no room") }
        }
    }

    for (is_kept, status) in [(true, StatusCode::OK), (false, StatusCode::INTERNAL_SERVER_ERROR)] {
        let handler = move |_: Webhook<Undecoded>| async move { Ack::from(Kept(is_kept)) };
        let router = Router::new().route("/callback", post(handler)).with_state(verifier());
        assert_eq!(send(router, request(ENDED, BODY)).await.status(), status);
    }
    assert_eq!(Ack::from(trtc_call_webhook::Ack::ok()), Ack::ok());
}
