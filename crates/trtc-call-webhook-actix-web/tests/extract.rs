//! What an actix-web user relies on beside the contract's answers.

use std::collections::HashMap;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceResponse};
use actix_web::error::{InternalError, PayloadError};
use actix_web::http::header;
use actix_web::http::{ConnectionType, StatusCode, Version};
use actix_web::middleware::{Compress, Logger, NormalizePath};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::{self, Bytes, PayloadConfig};
use actix_web::{App, FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder, post};
use futures_core::Stream;
use trtc_call_webhook_actix_web::{
    Ack, CallEnded, CallStarted, Callback, Error, ErrorKind, Event, MaybeWebhook, SdkApp,
    Undecoded, Verifier, Webhook, WebhookConfig, WebhookRejection,
};

const ENDED: &str = "/callback?SdkAppid=7&CallbackCommand=Call.CallbackAfterEndCall";
const BODY: &str = r#"{"CallRecord":{"CallId":"a-1"}}"#;
const OK: &str = r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#;
const FORBIDDEN: &str = r#"{"ActionStatus":"FAIL","ErrorInfo":"forbidden","ErrorCode":403}"#;
const NOT_CONFIGURED: &str =
    r#"{"ActionStatus":"FAIL","ErrorInfo":"receiver not configured","ErrorCode":500}"#;

fn verifier(app: u64) -> Verifier {
    Verifier::builder().app(SdkApp::unsigned(app)).build().unwrap()
}

/// Posts a body to an app.
macro_rules! post {
    ($app:expr, $uri:expr, $body:expr) => {{
        let request = TestRequest::post().uri($uri).set_payload($body.to_owned()).to_request();
        call_service($app, request).await
    }};
}

async fn text<B: MessageBody>(response: ServiceResponse<B>) -> String {
    String::from_utf8(read_body(response).await.to_vec()).unwrap()
}

fn kind<B>(response: &ServiceResponse<B>) -> Option<ErrorKind> {
    response.response().extensions().get::<Error>().map(Error::kind)
}

/// A handler that is generic over the event.
async fn acknowledge<E: Event>(_: Webhook<E>) -> Ack {
    Ack::ok()
}

async fn call_id(Webhook(call): Webhook) -> String {
    call.call_id.clone()
}

#[actix_web::test]
async fn the_receiver_is_app_data_as_itself_or_as_data_of_any_scope() {
    let resource = || web::resource("/callback").to(call_id);
    let other = || web::resource("/other").to(|| async { "untouched" });
    let data = web::Data::new(verifier(7));

    let app =
        init_service(App::new().app_data(verifier(7)).service(resource()).service(other())).await;
    assert_eq!(text(post!(&app, ENDED, BODY)).await, "a-1");
    assert_eq!(text(post!(&app, "/other", "anything")).await, "untouched");

    let app = init_service(App::new().app_data(data.clone()).service(resource())).await;
    assert_eq!(text(post!(&app, ENDED, BODY)).await, "a-1");

    // The nearest scope's receiver counts.
    let inner = web::scope("/inner").app_data(verifier(7)).service(resource());
    let outer = web::scope("/outer").app_data(verifier(8)).service(inner).service(resource());
    let app = init_service(App::new().service(outer)).await;
    assert_eq!(text(post!(&app, &format!("/outer/inner{ENDED}"), BODY)).await, "a-1");
    assert_eq!(text(post!(&app, &format!("/outer{ENDED}"), BODY)).await, FORBIDDEN);

    let app = init_service(App::new().service(resource().app_data(data))).await;
    assert_eq!(text(post!(&app, ENDED, BODY)).await, "a-1");
}

#[actix_web::test]
async fn a_route_without_a_receiver_or_with_two_answers_500() {
    let app = init_service(App::new().route("/callback", web::to(call_id))).await;
    let response = post!(&app, ENDED, BODY);
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(kind(&response), Some(ErrorKind::Misconfigured));
    assert_eq!(text(response).await, NOT_CONFIGURED);

    let both = App::new().app_data(verifier(7)).service(
        web::scope("").app_data(web::Data::new(verifier(8))).route("/callback", web::to(call_id)),
    );
    let app = init_service(both).await;
    assert_eq!(text(post!(&app, ENDED, BODY)).await, NOT_CONFIGURED);
}

#[actix_web::test]
async fn beside_other_extractors_in_a_macro_handler_and_behind_middleware() {
    #[post("/callback")]
    async fn handler(
        greeting: web::Data<String>,
        request: HttpRequest,
        Webhook(call): Webhook<CallEnded>,
    ) -> String {
        format!("{} {} {}", greeting.as_str(), call.call_id, request.path())
    }

    let app = App::new()
        .app_data(verifier(7))
        .app_data(web::Data::new("hello".to_owned()))
        .wrap(Compress::default())
        .wrap(Logger::default())
        .wrap(NormalizePath::trim())
        .service(handler);
    let app = init_service(app).await;
    assert_eq!(text(post!(&app, ENDED, BODY)).await, "hello a-1 /callback");
}

#[actix_web::test]
async fn one_handler_takes_all_commands_with_a_match() {
    async fn handler(Webhook(callback): Webhook<Callback>) -> String {
        match callback.event() {
            Callback::CallEnded(call) => format!("ended {}", call.call_id),
            Callback::CallStarted(call) => format!("started {}", call.call_id),
            Callback::MemberChanged(change) => format!("changed {}", change.call_id),
            other => format!("other {}", other.command()),
        }
    }

    let app =
        init_service(App::new().app_data(verifier(7)).route("/callback", web::to(handler))).await;
    for (command, body, expected) in [
        ("Call.CallbackAfterEndCall", BODY, "ended a-1"),
        ("Call.CallbackAfterStartCall", r#"{"CallInfo":{"CallId":"a-1"}}"#, "started a-1"),
        ("Call.CallbackAfterMemberChanged", r#"{"CallId":"a-1"}"#, "changed a-1"),
        ("Call.New", "{}", "other Call.New"),
    ] {
        let uri = format!("/callback?SdkAppid=7&CallbackCommand={command}");
        assert_eq!(text(post!(&app, &uri, body)).await, expected);
    }
}

#[actix_web::test]
async fn a_command_that_is_not_taken_is_acknowledged_and_is_no_error() {
    async fn handler(_: Webhook<CallStarted>) -> Ack {
        panic!("the handler ran");
    }

    let config = WebhookConfig::default().error_handler(|_, _| panic!("it is no refusal"));
    let app =
        App::new().app_data(verifier(7)).app_data(config).route("/callback", web::to(handler));
    let app = init_service(app).await;
    let response = post!(&app, ENDED, BODY);
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers().get(header::CONTENT_TYPE).unwrap(), "application/json");
    assert_eq!(kind(&response), None);
    assert_eq!(text(response).await, OK);
}

#[actix_web::test]
async fn a_handlers_own_error_is_answered_untouched() {
    async fn handler(Webhook(call): Webhook) -> Result<Ack, actix_web::Error> {
        let response = HttpResponseBuilder::new(StatusCode::IM_A_TEAPOT).body(call.call_id.clone());
        Err(InternalError::from_response("own", response).into())
    }

    async fn failing(_: Webhook) -> Ack {
        Ack::fail(3, "no disk")
    }

    let app = App::new()
        .app_data(verifier(7))
        .route("/callback", web::to(handler))
        .route("/failing", web::to(failing));
    let app = init_service(app).await;
    let response = post!(&app, ENDED, BODY);
    assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(text(response).await, "a-1");

    let response = post!(&app, &ENDED.replace("callback?", "failing?"), BODY);
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        text(response).await,
        r#"{"ActionStatus":"FAIL","ErrorInfo":"no disk","ErrorCode":3}"#
    );
}

#[actix_web::test]
async fn the_answer_of_a_refusal_can_be_replaced_and_keeps_its_error() {
    let config = WebhookConfig::default().error_handler(|error, request| {
        let text = format!("{} {}", request.path(), error.kind());
        InternalError::from_response(error, HttpResponse::NotFound().body(text)).into()
    });
    for app in [App::new().app_data(config.clone()), App::new().app_data(web::Data::new(config))] {
        let app =
            init_service(app.app_data(verifier(7)).route("/callback", web::to(call_id))).await;
        for (uri, body, expected) in [
            ("/callback?SdkAppid=8", BODY, ErrorKind::ForeignApp),
            (ENDED, "{", ErrorKind::MalformedBody),
        ] {
            let response = post!(&app, uri, body);
            assert_eq!(response.status(), StatusCode::NOT_FOUND);
            assert_eq!(kind(&response), Some(expected));
            assert_eq!(text(response).await, format!("/callback {expected}"));
        }
    }
}

#[actix_web::test]
async fn it_is_the_raw_payload_whatever_the_app_has_switched_on() {
    let app = App::new()
        .app_data(verifier(7))
        .app_data(PayloadConfig::new(1).mimetype(mime::APPLICATION_JSON))
        .route("/callback", web::to(call_id))
        .route(
            "/raw",
            web::to(|Webhook(call): Webhook<Undecoded>| async move { call.body().clone() }),
        );
    let app = init_service(app).await;
    // `PayloadConfig` is not consulted.
    assert_eq!(text(post!(&app, ENDED, BODY)).await, "a-1");
    // A compressed body is not inflated, although the feature is on.
    let request = TestRequest::post()
        .uri(&ENDED.replace("callback?", "raw?"))
        .insert_header((header::CONTENT_ENCODING, "gzip"))
        .set_payload("\x1f\u{8b}whatever")
        .to_request();
    let response = call_service(&app, request).await;
    assert_eq!(text(response).await, "\x1f\u{8b}whatever");
}

#[actix_web::test]
async fn a_body_that_another_extractor_has_taken_is_never_a_delivery() {
    type Json = web::Json<HashMap<String, HashMap<String, String>>>;

    async fn beside<T: FromRequest>(_: T, _: Webhook<Undecoded>) -> Ack {
        panic!("the handler ran");
    }

    async fn before(Webhook(call): Webhook<Undecoded>, rest: Bytes) -> String {
        format!("{} {}", call.body().len(), rest.len())
    }

    async fn either(either: web::Either<Json, Webhook>) -> String {
        match either {
            web::Either::Left(_) => "own".to_owned(),
            web::Either::Right(Webhook(call)) => call.call_id.clone(),
        }
    }

    let app = App::new()
        .app_data(verifier(7))
        .route("/bytes", web::to(beside::<Bytes>))
        .route("/string", web::to(beside::<String>))
        .route("/payload", web::to(beside::<web::Payload>))
        .route("/json", web::to(beside::<Option<Json>>))
        .route("/either", web::to(beside::<web::Either<Bytes, String>>))
        .route("/webhook", web::to(beside::<Webhook>))
        .route("/before", web::to(before))
        .route("/instead", web::to(either));
    let app = init_service(app).await;
    for path in ["bytes", "string", "payload", "json", "either", "webhook"] {
        let request = TestRequest::post()
            .uri(&ENDED.replace("callback?", &format!("{path}?")))
            .insert_header(header::ContentType::json())
            .set_payload(BODY);
        let response = call_service(&app, request.to_request()).await;
        assert_eq!(kind(&response), Some(ErrorKind::Misconfigured), "{path}");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
    // One that comes after it has an empty body, and one that has looked and put it back is none.
    let all = format!("{} 0", BODY.len());
    assert_eq!(text(post!(&app, &ENDED.replace("callback?", "before?"), BODY)).await, all);
    assert_eq!(text(post!(&app, &ENDED.replace("callback?", "instead?"), BODY)).await, "a-1");
}

#[actix_web::test]
async fn no_body_is_gone_where_none_was_sent() {
    let request = || TestRequest::post().uri(ENDED).app_data(verifier(7));
    for (request, status) in [
        (request(), 400),
        (request().insert_header((header::CONTENT_LENGTH, 0)), 400),
        (request().insert_header((header::UPGRADE, "websocket")), 400),
        (request().insert_header((header::CONTENT_LENGTH, 1)), 500),
        (request().insert_header((header::TRANSFER_ENCODING, "chunked")), 500),
        // Every request has a payload there.
        (request().version(Version::HTTP_2), 500),
    ] {
        let request = request.to_http_request();
        assert_eq!(extract_from(&request, Payload::None).await, Err(status), "{request:?}");
    }
}

/// A payload that yields what it is told.
struct Scripted(Vec<Result<Bytes, PayloadError>>);

impl Stream for Scripted {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready((!self.0.is_empty()).then(|| self.0.remove(0)))
    }
}

/// The outcome of extracting from a payload that is no request's of a server.
async fn extract(
    request: &HttpRequest,
    payload: impl Stream<Item = Result<Bytes, PayloadError>> + 'static,
) -> Result<String, u16> {
    let payload: Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>> = Box::pin(payload);
    extract_from(request, payload.into()).await
}

async fn extract_from(request: &HttpRequest, mut payload: Payload) -> Result<String, u16> {
    match Webhook::<CallEnded>::from_request(request, &mut payload).await {
        Ok(Webhook(call)) => Ok(call.call_id.clone()),
        Err(error) => Err(error.error_response().status().as_u16()),
    }
}

#[actix_web::test]
async fn a_payload_that_fails_or_overflows_is_answered() {
    let verifier = Verifier::builder().app(SdkApp::unsigned(7)).body_limit(40).build().unwrap();
    let request = TestRequest::post().uri(ENDED).app_data(verifier).to_http_request();
    let data = |text: &'static str| Ok(Bytes::from_static(text.as_bytes()));
    let bytewise = BODY.as_bytes().chunks(1).map(|byte| Ok(Bytes::from_static(byte)));
    assert_eq!(extract(&request, Scripted(bytewise.collect())).await, Ok("a-1".to_owned()));
    for (script, status) in [
        (vec![data(BODY), Err(PayloadError::Incomplete(None))], 400),
        (vec![Err(PayloadError::EncodingCorrupted), data(BODY)], 400),
        (vec![data(BODY), Err(PayloadError::Overflow)], 413),
        (vec![data(BODY), data(BODY), data(BODY)], 413),
        (vec![], 400),
    ] {
        assert_eq!(extract(&request, Scripted(script)).await, Err(status));
    }
}

/// A payload that must not be asked for more than it is given.
struct Untouchable(Option<Bytes>);

impl Stream for Untouchable {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(Some(Ok(self.0.take().expect("the payload is left alone"))))
    }
}

#[actix_web::test]
async fn the_announced_length_is_where_the_body_ends() {
    let announced = |length| {
        let request = TestRequest::post().uri(ENDED).app_data(verifier(7));
        request.insert_header((header::CONTENT_LENGTH, length))
    };
    let length = BODY.len();
    let data = |text: &'static str| Ok(Bytes::from_static(text.as_bytes()));
    let request = announced(length).to_http_request();
    let taken = Ok("a-1".to_owned());
    // It is not waited for more, and what has come along is no part of it.
    for text in [BODY.to_owned(), format!("{BODY}POST / HTTP/1.1\r\n")] {
        assert_eq!(extract(&request, Untouchable(Some(text.into()))).await, taken);
    }
    // Less is no body.
    let request = announced(length + 1).to_http_request();
    assert_eq!(extract(&request, Scripted(vec![data(BODY)])).await, Err(400));

    // What another layer has inflated ends where its payload does.
    for length in [1, length + 1] {
        let encoded = announced(length).insert_header((header::CONTENT_ENCODING, "gzip"));
        let request = encoded.to_http_request();
        assert_eq!(extract(&request, Scripted(vec![data(BODY)])).await, taken);
        let put_back = Payload::from(Bytes::from_static(BODY.as_bytes()));
        assert_eq!(extract_from(&request, put_back).await, taken);
    }
}

/// `tests/transport.rs` of the suite has what this looks like on the wire.
#[actix_web::test]
async fn an_answer_that_ends_the_connection_says_so() {
    let config = WebhookConfig::default()
        .error_handler(|_, _| InternalError::new("own", StatusCode::NOT_FOUND).into());
    let app = App::new()
        .app_data(verifier(7))
        .route("/callback", web::to(acknowledge::<CallEnded>))
        .route("/other", web::to(acknowledge::<CallStarted>))
        .service(web::resource("/own").app_data(config).to(acknowledge::<CallEnded>));
    let app = init_service(app).await;
    for (path, body, status) in [
        ("callback", BODY, StatusCode::OK),
        ("callback", "[]", StatusCode::BAD_REQUEST),
        ("other", BODY, StatusCode::OK),
        ("own", "[]", StatusCode::NOT_FOUND),
    ] {
        for (upgrade, expected) in [
            ("websocket", ConnectionType::Close),
            (" WebSocket\t", ConnectionType::Close),
            ("h2c", ConnectionType::KeepAlive),
            ("websocket, h2c", ConnectionType::KeepAlive),
        ] {
            let request = TestRequest::post()
                .uri(&ENDED.replace("callback?", &format!("{path}?")))
                .insert_header((header::UPGRADE, upgrade))
                .set_payload(body);
            let response = call_service(&app, request.to_request()).await;
            assert_eq!(response.status(), status);
            assert_eq!(response.response().head().connection_type(), expected, "{path}");
        }
    }
}

#[actix_web::test]
async fn the_payload_is_not_polled_when_the_head_fails() {
    let verifier =
        Verifier::builder().app(SdkApp::signed(7, "t")).app(SdkApp::unsigned(8)).build().unwrap();
    for (request, query, length, status) in [
        (TestRequest::get(), "SdkAppid=8", "0", 405),
        (TestRequest::post(), "", "0", 400),
        (TestRequest::post(), "SdkAppid=9", "0", 403),
        (TestRequest::post(), "SdkAppid=7", "0", 403),
        (TestRequest::post(), "SdkAppid=8", "262145", 413),
    ] {
        let request = request
            .uri(&format!("/callback?{query}"))
            .insert_header((header::CONTENT_LENGTH, length))
            .app_data(verifier.clone())
            .to_http_request();
        assert_eq!(extract(&request, Untouchable(None)).await, Err(status), "{query}");
    }
}

#[actix_web::test]
async fn a_refused_method_says_which_is_allowed() {
    let app =
        App::new().app_data(verifier(7)).route("/callback", web::to(acknowledge::<CallEnded>));
    let app = init_service(app).await;
    let response = call_service(&app, TestRequest::get().uri(ENDED).to_request()).await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers().get(header::ALLOW).unwrap(), "POST");
}

#[actix_web::test]
async fn a_maybe_webhook_is_none_where_the_command_is_not_taken_and_nowhere_else() {
    async fn handler(MaybeWebhook(call): MaybeWebhook<CallEnded>) -> String {
        call.map_or("none".to_owned(), |call| call.call_id.clone())
    }

    let app = App::new().app_data(verifier(7)).route("/callback", web::to(handler));
    let app = init_service(app).await;
    let started = "/callback?SdkAppid=7&CallbackCommand=Call.CallbackAfterStartCall";
    for (uri, body, status, text) in [
        (ENDED, BODY, 200, "a-1"),
        (started, "{}", 200, "none"),
        (
            "/callback",
            BODY,
            400,
            r#"{"ActionStatus":"FAIL","ErrorInfo":"malformed query","ErrorCode":400}"#,
        ),
        ("/callback?SdkAppid=8", BODY, 403, FORBIDDEN),
        (
            ENDED,
            "not JSON",
            400,
            r#"{"ActionStatus":"FAIL","ErrorInfo":"malformed body","ErrorCode":400}"#,
        ),
        (ENDED, "{}", 422, r#"{"ActionStatus":"FAIL","ErrorInfo":"no call id","ErrorCode":422}"#),
    ] {
        let response = post!(&app, uri, body);
        assert_eq!(response.status().as_u16(), status, "{uri} {body}");
        assert_eq!(self::text(response).await, text, "{uri} {body}");
    }
}

/// The error of a converted refusal is an enum of two.
#[actix_web::test]
async fn a_rejection_is_one_of_two() {
    let app = App::new().app_data(verifier(7)).wrap_fn(|request, service| {
        let response = actix_web::dev::Service::call(service, request);
        async move {
            let response: ServiceResponse = response.await?;
            let said = match response.response().error().and_then(|e| e.as_error()) {
                Some(WebhookRejection::Refused(error)) => error.reason().to_string(),
                Some(WebhookRejection::NotTaken(_)) => "not taken".to_owned(),
                None => "no rejection".to_owned(),
            };
            Ok(response.map_body(|_, _| BoxBody::new(said)))
        }
    });
    let app = init_service(app.route("/callback", web::to(acknowledge::<CallEnded>))).await;
    for (uri, expected) in [
        (ENDED, "no rejection"),
        ("/callback?SdkAppid=7&CallbackCommand=Call.X", "not taken"),
        ("/callback?SdkAppid=8", "the SDKAppID is none of the verifier's"),
    ] {
        let response = post!(&app, uri, BODY);
        assert_eq!(self::text(response).await, expected);
    }
}

#[actix_web::test]
async fn whatever_becomes_an_acknowledgement_can_be_answered() {
    #[derive(Clone, Copy)]
    struct Kept(bool);

    impl From<Kept> for trtc_call_webhook::Ack {
        fn from(Kept(is_kept): Kept) -> Self {
            if is_kept { Self::ok() } else { Self::fail(7, "no room") }
        }
    }

    for (is_kept, status) in [(true, StatusCode::OK), (false, StatusCode::INTERNAL_SERVER_ERROR)] {
        let handler = move |_: Webhook<Undecoded>| async move { Ack::from(Kept(is_kept)) };
        let app = App::new().app_data(verifier(7)).route("/callback", web::post().to(handler));
        let app = init_service(app).await;
        assert_eq!(post!(&app, ENDED, BODY).status(), status);
    }
    assert_eq!(Ack::from(trtc_call_webhook::Ack::ok()), Ack::ok());
}
