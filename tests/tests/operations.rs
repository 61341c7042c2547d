//! The recipes of the guide's chapter on operations: what becomes of callbacks is counted.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::SystemTime;

use conformance::chapter;
use trtc_call_webhook::{CallEnded, Command, SdkApp, Token, Verifier, sender};

const PATH: &str = "/callback/SECRET-SEGMENT";

#[test]
fn every_recipe_of_the_chapter_is_run_here() {
    chapter::assert_is_run("operations.md", include_str!("operations.rs"));
}

thread_local! {
    static COUNTS: RefCell<BTreeMap<&'static str, u32>> = const { RefCell::new(BTreeMap::new()) };
}

fn count(outcome: &'static str) {
    COUNTS.with_borrow_mut(|counts| *counts.entry(outcome).or_default() += 1);
}

fn verifier() -> Verifier {
    Verifier::builder().app(SdkApp::signed(1_400_000_001, "the token")).build().unwrap()
}

/// One that is kept, one that is not, one that no handler takes, and three that are refused.
fn callbacks() -> [sender::Request; 6] {
    let (token, now) = (Token::new("the token"), SystemTime::now());
    let sample = |command| sender::Request::sample(1_400_000_001, command);
    let ended = || sample(Command::CallEnded);
    [
        ended().signed(&token, now),
        sender::Request::new(1_400_000_001, CallEnded::new("a-1")).signed(&token, now),
        sample(Command::CallStarted).signed(&token, now),
        ended(),
        ended().signed(&Token::new("another"), now),
        ended().with_body("{").signed(&token, now),
    ]
}

#[track_caller]
fn assert_counted() {
    let expected = [
        ("acknowledged", 2),
        ("bad signature", 1),
        ("failed", 1),
        ("malformed body", 1),
        ("unsigned", 1),
    ];
    assert_eq!(COUNTS.take(), BTreeMap::from(expected));
}

use trtc_call_webhook_axum::Error;

/// What became of a callback, as the label of a counter.
fn outcome(error: Option<&Error>, status: u16) -> &'static str {
    match error {
        Some(error) => error.kind().as_str(),
        None if status == 200 => "acknowledged",
        None => "failed",
    }
}

mod in_axum {
    use axum::body::{self, Body};
    use axum::http;
    use axum::routing::any;
    use tower::ServiceExt;
    use trtc_call_webhook_axum::{Ack, CallEnded, Error, Webhook};

    use super::{PATH, count, outcome};

    use axum::{Router, extract::Request, middleware, response::Response};

    async fn counted(request: Request, next: middleware::Next) -> Response {
        let response = next.run(request).await;
        let error = response.extensions().get::<Error>();
        count(outcome(error, response.status().as_u16()));
        response
    }

    fn with_counters(callbacks: Router) -> Router {
        callbacks.route_layer(middleware::from_fn(counted))
    }

    async fn on_call_end(Webhook(call): Webhook<CallEnded>) -> Ack {
        if call.caller.is_some() { Ack::ok() } else { Ack::fail(1, "not kept") }
    }

    #[tokio::test]
    async fn what_becomes_of_callbacks_is_counted_in_axum() {
        let router = Router::new().route(PATH, any(on_call_end)).with_state(super::verifier());
        let router = with_counters(router);
        for callback in super::callbacks() {
            let body = Body::from(callback.body().clone());
            let request = http::Request::post(callback.url(PATH)).body(body).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            body::to_bytes(response.into_body(), 1000).await.unwrap();
        }
        super::assert_counted();
    }
}

mod in_actix_web {
    use actix_web::test::{TestRequest, call_and_read_body, init_service};
    use actix_web::{App, web};
    use trtc_call_webhook_actix_web::{
        Ack, CallEnded, Delivery, Error, Webhook, WebhookMiddleware,
    };

    use super::{PATH, count, outcome};

    use actix_web::dev::{ServiceRequest, ServiceResponse};
    use actix_web::{body::MessageBody, middleware};

    async fn counted(
        request: ServiceRequest,
        next: middleware::Next<impl MessageBody>,
    ) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
        let answered = next.call(request).await?;
        let response = answered.response();
        let error = response.extensions().get::<Error>().cloned();
        count(outcome(error.as_ref(), response.status().as_u16()));
        Ok(answered)
    }

    fn answer(call: &CallEnded) -> Ack {
        if call.caller.is_some() { Ack::ok() } else { Ack::fail(1, "not kept") }
    }

    async fn on_call_end(Webhook(call): Webhook<CallEnded>) -> Ack {
        answer(&call)
    }

    async fn behind_middleware(call: web::ReqData<Delivery<CallEnded>>) -> Ack {
        answer(&call)
    }

    #[tokio::test]
    async fn what_becomes_of_callbacks_is_counted_in_actix_web() {
        let extracted = web::resource(PATH).wrap(middleware::from_fn(counted)).to(on_call_end);
        let layered = web::resource("/layered")
            .wrap(WebhookMiddleware::<CallEnded>::new(super::verifier()))
            .wrap(middleware::from_fn(counted))
            .to(behind_middleware);
        let app = App::new().app_data(super::verifier()).service(extracted).service(layered);
        let service = init_service(app).await;
        for path in [PATH, "/layered"] {
            for callback in super::callbacks() {
                let request = TestRequest::post().uri(&callback.url(path));
                let request = request.set_payload(callback.body().clone()).to_request();
                call_and_read_body(&service, request).await;
            }
            super::assert_counted();
        }
    }
}

mod in_tower {
    use std::convert::Infallible;

    use tower::{Layer, ServiceExt, service_fn};
    use trtc_call_webhook_tower::{
        Ack, CallEnded, Error, WebhookBody, WebhookLayer, ack, delivery,
    };

    use super::{PATH, count, outcome};

    use http::Response;
    use tower::util::MapResponseLayer;

    fn counted<B>(response: Response<B>) -> Response<B> {
        let error = response.extensions().get::<Error>();
        count(outcome(error, response.status().as_u16()));
        response
    }

    async fn on_call_end(
        request: http::Request<WebhookBody>,
    ) -> Result<Response<WebhookBody>, Infallible> {
        let caller = delivery::<CallEnded, _>(&request).and_then(|call| call.caller.as_deref());
        Ok(ack(if caller.is_some() { Ack::ok() } else { Ack::fail(1, "not kept") }))
    }

    #[tokio::test]
    async fn what_becomes_of_callbacks_is_counted_in_tower() {
        let service =
            WebhookLayer::<CallEnded>::new(super::verifier()).layer(service_fn(on_call_end));
        let service = MapResponseLayer::new(counted).layer(service);
        for callback in super::callbacks() {
            let body = WebhookBody::from(callback.body().clone());
            let request = http::Request::post(callback.url(PATH)).body(body).unwrap();
            service.clone().oneshot(request).await.unwrap();
        }
        super::assert_counted();
    }
}
