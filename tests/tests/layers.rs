//! What a time-out of the framework's own does in front of the webhook, over sockets.

use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::ErrorGatewayTimeout;
use actix_web::middleware::{Next, from_fn};
use actix_web::web;
use axum::http::StatusCode;
use conformance::driver::{actix_web as actix, axum as router, tower as service};
use conformance::raw::{BODY, QUERY, Raw, ok, whole};
use conformance::{Gate, Mood, Notebook, Serve, Server, Table, Taken};
use hyper::body::Incoming;
use tokio::time::{sleep, timeout};
use tower::ServiceBuilder;
use tower_http::timeout::TimeoutLayer;
use trtc_call_webhook::{CallEnded, Verifier};

const TIME: Duration = Duration::from_millis(500);

conformance::against! { timed_axum, super::TimedAxum, a_handler_that_hangs_is_given_up_on }
conformance::against! { timed_actix_web, super::TimedActixWeb, a_handler_that_hangs_is_given_up_on }
conformance::against! { timed_hyper, super::TimedHyper, a_handler_that_hangs_is_given_up_on }

/// axum and hyper behind tower-http's time-out, actix-web behind a middleware of its own kind.
struct TimedAxum;
struct TimedActixWeb;
struct TimedHyper;

impl Serve for TimedAxum {
    fn name(&self) -> &'static str {
        "axum with a time-out"
    }

    async fn serve<E: Taken>(&self, verifier: Verifier, notebook: Notebook) -> Server {
        router::serve(router::router::<E>(verifier, notebook).layer(time_out())).await
    }
}

impl Serve for TimedActixWeb {
    fn name(&self) -> &'static str {
        "actix-web with a time-out"
    }

    async fn serve<E: Taken>(&self, verifier: Verifier, notebook: Notebook) -> Server {
        actix::serve(move |config| {
            let webhook =
                |config: &mut _| actix::Way::Extractor.configure::<E>(&verifier, &notebook, config);
            config.service(web::scope("").wrap(from_fn(limit_time)).configure(webhook));
        })
    }
}

impl Serve for TimedHyper {
    fn name(&self) -> &'static str {
        "hyper with a time-out"
    }

    async fn serve<E: Taken>(&self, verifier: Verifier, notebook: Notebook) -> Server {
        let webhook = service::service::<E, Incoming>(verifier, notebook);
        service::serve(ServiceBuilder::new().layer(time_out()).service(webhook)).await
    }
}

fn time_out() -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, TIME)
}

async fn limit_time(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let answer = timeout(TIME, next.call(request)).await;
    answer.unwrap_or_else(|_| Err(ErrorGatewayTimeout("no answer in time")))
}

async fn a_handler_that_hangs_is_given_up_on(server: impl Serve) {
    let notebook = Notebook::default();
    let server = server.serve::<CallEnded>(Table::load().verifier("open"), notebook.clone()).await;
    let gate = Gate::default();
    notebook.set_mood(Mood::WaitsFor(gate.clone()));
    let mut hanging = Raw::connect(server.address()).await;
    hanging.send(whole(QUERY, BODY)).await;
    assert_eq!(hanging.answer().await.status, 504);
    // Not only the client has given up.
    timeout(Duration::from_secs(10), async {
        while gate.waiting() > 0 {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the handler is dropped");

    notebook.set_mood(Mood::Answers);
    let mut raw = Raw::connect(server.address()).await;
    raw.send(whole(QUERY, BODY)).await;
    assert_eq!(raw.answer().await, ok());
    assert_eq!(notebook.runs(), 2);
}
