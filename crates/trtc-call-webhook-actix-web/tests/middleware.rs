//! The middleware around apps, scopes and resources.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::middleware::{Logger, Next, from_fn};
use actix_web::test::{TestRequest, call_service, init_service, read_body, try_call_service};
use actix_web::{App, HttpResponse, web};
use trtc_call_webhook_actix_web::{
    Ack, CallEnded, CallStarted, Delivery, Error, ErrorKind, SdkApp, Verifier, Webhook,
    WebhookConfig, WebhookMiddleware,
};

const ENDED: &str = "/callback?SdkAppid=7&CallbackCommand=Call.CallbackAfterEndCall";
const BODY: &str = r#"{"CallRecord":{"CallId":"a-1"}}"#;
const OK: &str = r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#;
const FORBIDDEN: &str = r#"{"ActionStatus":"FAIL","ErrorInfo":"forbidden","ErrorCode":403}"#;

fn middleware() -> WebhookMiddleware<CallEnded> {
    WebhookMiddleware::new(Verifier::builder().app(SdkApp::unsigned(7)).build().unwrap())
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

async fn handler(call: web::ReqData<Delivery<CallEnded>>, body: String) -> String {
    format!("{} {body}", call.call_id)
}

#[actix_web::test]
async fn around_an_app_a_scope_and_a_resource_it_puts_delivery_and_bytes_into_the_request() {
    let expected = format!("a-1 {BODY}");

    let app =
        App::new().wrap(middleware()).wrap(Logger::default()).route("/callback", web::to(handler));
    let app = init_service(app).await;
    assert_eq!(text(post!(&app, ENDED, BODY)).await, expected);
    assert_eq!(text(post!(&app, "/callback?SdkAppid=8", BODY)).await, FORBIDDEN);

    let scope = web::scope("/scope").wrap(middleware()).route("/callback", web::to(handler));
    let app = App::new().service(scope).route("/other", web::to(|| async { "untouched" }));
    let app = init_service(app).await;
    assert_eq!(text(post!(&app, &format!("/scope{ENDED}"), BODY)).await, expected);
    assert_eq!(text(post!(&app, "/other", "anything")).await, "untouched");

    let resource = web::resource("/callback").wrap(middleware()).to(handler);
    let app = init_service(App::new().service(resource)).await;
    assert_eq!(text(post!(&app, ENDED, BODY)).await, expected);
}

#[actix_web::test]
async fn no_handler_runs_for_what_is_refused_or_not_taken() {
    let route = || web::to(|| async { panic!("the handler ran") as Ack });
    let app = init_service(App::new().wrap(middleware()).route("/callback", route())).await;
    for (uri, body, status, expected) in [
        ("/callback?SdkAppid=8", BODY, StatusCode::FORBIDDEN, Some(ErrorKind::ForeignApp)),
        (ENDED, "[]", StatusCode::BAD_REQUEST, Some(ErrorKind::MalformedBody)),
        (ENDED, "{}", StatusCode::UNPROCESSABLE_ENTITY, Some(ErrorKind::NoCallId)),
        ("/callback?SdkAppid=7&CallbackCommand=Call.New", "{}", StatusCode::OK, None),
    ] {
        let response = post!(&app, uri, body);
        assert_eq!(response.status(), status);
        assert_eq!(kind(&response), expected);
        if status == StatusCode::OK {
            assert_eq!(text(response).await, OK);
        }
    }
}

#[actix_web::test]
async fn the_extractor_and_a_second_middleware_work_inside_it() {
    async fn both(outer: web::ReqData<Delivery<CallEnded>>, Webhook(inner): Webhook) -> String {
        format!("{} {}", outer.call_id, inner.call_id)
    }

    let verifier = Verifier::builder().app(SdkApp::unsigned(7)).build().unwrap();
    let scope = web::scope("")
        .app_data(verifier.clone())
        .wrap(WebhookMiddleware::<CallStarted>::new(verifier))
        .wrap(middleware())
        .route("/callback", web::to(both));
    let app = init_service(App::new().service(scope)).await;
    // `CallStarted` does not take it: acknowledged by the inner middleware.
    assert_eq!(text(post!(&app, ENDED, BODY)).await, OK);

    let verifier = Verifier::builder().app(SdkApp::unsigned(7)).build().unwrap();
    let app = App::new().app_data(verifier).wrap(middleware()).route("/callback", web::to(both));
    let app = init_service(app).await;
    assert_eq!(text(post!(&app, ENDED, BODY)).await, "a-1 a-1");
}

#[actix_web::test]
async fn the_answer_of_a_refusal_can_be_replaced_and_keeps_its_error() {
    let config = WebhookConfig::default().error_handler(|error, _| {
        let text = error.kind().to_string();
        InternalError::from_response(error, HttpResponse::NotFound().body(text)).into()
    });
    let app = App::new().app_data(config).wrap(middleware()).route("/callback", web::to(handler));
    let app = init_service(app).await;
    let response = post!(&app, "/callback?SdkAppid=8", BODY);
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(kind(&response), Some(ErrorKind::ForeignApp));
    assert_eq!(text(response).await, "foreign app");
}

#[actix_web::test]
async fn a_handlers_own_error_goes_through_untouched() {
    async fn failing() -> Result<Ack, actix_web::Error> {
        Err(actix_web::error::ErrorImATeapot("own"))
    }

    let app =
        init_service(App::new().wrap(middleware()).route("/callback", web::to(failing))).await;
    let response = post!(&app, ENDED, BODY);
    assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(text(response).await, "own");
}

#[actix_web::test]
async fn a_body_that_an_outer_middleware_has_kept_is_never_a_delivery() {
    let untouched = || web::to(|| async { panic!("the handler ran") as Ack });
    let keeping = from_fn(|mut request: ServiceRequest, next: Next<_>| {
        drop(request.parts_mut().1.take());
        next.call(request)
    });
    let app = App::new().wrap(middleware()).wrap(keeping).route("/callback", untouched());
    let app = init_service(app).await;
    assert_eq!(kind(&post!(&app, ENDED, BODY)), Some(ErrorKind::Misconfigured));

    // Reading it is fine where it is put back.
    let logging = from_fn(async |mut request: ServiceRequest, next: Next<_>| {
        let body = request.extract::<web::Bytes>().await?;
        request.set_payload(Payload::from(body));
        next.call(request).await
    });
    let app = App::new().wrap(middleware()).wrap(logging).route("/callback", web::to(handler));
    let app = init_service(app).await;
    assert_eq!(text(post!(&app, ENDED, BODY)).await, format!("a-1 {BODY}"));
}

/// Whatever the handler makes of it.
#[actix_web::test]
async fn an_answer_that_ends_the_connection_says_so() {
    async fn failing() -> Result<Ack, actix_web::Error> {
        Err(actix_web::error::ErrorImATeapot("own"))
    }

    let inner = from_fn(async |request: ServiceRequest, next: Next<BoxBody>| {
        let answer = next.call(request).await?;
        match answer.status() {
            StatusCode::IM_A_TEAPOT => Err(actix_web::error::ErrorGatewayTimeout("no answer")),
            _ => Ok(answer),
        }
    });
    let app = App::new()
        .wrap(inner)
        .wrap(middleware())
        .route("/callback", web::to(handler))
        .route("/failing", web::to(failing));
    let app = init_service(app).await;
    for (uri, body) in [
        (ENDED, BODY),
        (ENDED, "[]"),
        ("/callback?SdkAppid=8", BODY),
        ("/callback?SdkAppid=7&CallbackCommand=Call.New", "{}"),
        (&ENDED.replace("callback?", "failing?"), BODY),
    ] {
        for (kind, expected) in [
            (ConnectionType::Upgrade, ConnectionType::Close),
            (ConnectionType::KeepAlive, ConnectionType::KeepAlive),
        ] {
            let mut request =
                TestRequest::post().uri(uri).set_payload(body.to_owned()).to_request();
            request.head_mut().set_connection_type(kind);
            let response = match try_call_service(&app, request).await {
                Ok(response) => response.into_parts().1.map_into_boxed_body(),
                Err(error) => error.error_response(),
            };
            assert_eq!(response.head().connection_type(), expected, "{uri} {body}");
        }
    }
}

/// Old versions of actix-web dropped the middleware there without a word.
#[actix_web::test]
async fn no_handler_is_bare_because_its_route_was_wrapped_too_early() {
    let build = || web::post().wrap(middleware()).to(|| async { "the handler ran" });
    let Ok(route) = std::panic::catch_unwind(build) else { return };
    let app = init_service(App::new().route("/callback", route)).await;
    assert_eq!(text(post!(&app, "/callback?SdkAppid=8", BODY)).await, FORBIDDEN);
}
