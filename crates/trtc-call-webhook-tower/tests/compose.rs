//! The layer compiles and works wherever a tower layer is put.

use std::convert::Infallible;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Request};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tower::limit::ConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower::timeout::TimeoutLayer;
use tower::{BoxError, Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::trace::TraceLayer;
use trtc_call_webhook_tower::{
    Ack, CallEnded, Callback, Delivery, Error, ErrorKind, Reason, ResponseBody, SdkApp, Undecoded,
    Verifier, WebhookBody, WebhookLayer, ack, delivery,
};

const ENDED: &str = "/callback?SdkAppid=7&CallbackCommand=Call.CallbackAfterEndCall";
const BODY: &str = r#"{"CallRecord":{"CallId":"a-1"}}"#;
const OK: &str = r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#;
const FORBIDDEN: &str = r#"{"ActionStatus":"FAIL","ErrorInfo":"forbidden","ErrorCode":403}"#;

fn verifier() -> Verifier {
    Verifier::builder().app(SdkApp::unsigned(7)).build().unwrap()
}

fn layer() -> WebhookLayer<CallEnded> {
    WebhookLayer::new(verifier())
}

fn request(uri: &str, body: impl Into<Bytes>) -> http::Request<Full<Bytes>> {
    http::Request::post(uri).body(Full::new(body.into())).unwrap()
}

/// What a service behind the layer saw: the event's call id and the body's text.
async fn seen<B>(request: http::Request<B>) -> Result<Response<WebhookBody>, Infallible>
where
    B: http_body::Body<Error: std::fmt::Debug>,
{
    let id = delivery::<CallEnded, _>(&request).map(|call| call.call_id.clone());
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let text = format!("{} {}", id.unwrap(), String::from_utf8_lossy(&body));
    Ok(Response::new(Bytes::from(text).into()))
}

/// A service of a user's own that does nothing but acknowledge.
async fn acknowledge(_: http::Request<WebhookBody>) -> Result<Response<WebhookBody>, Infallible> {
    Ok(ack(Ack::ok()))
}

async fn text<B>(response: Response<B>) -> String
where
    B: http_body::Body<Error: std::fmt::Debug>,
{
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn around_a_service_fn() {
    let service = ServiceBuilder::new().layer(layer()).service(service_fn(seen));
    let response = service.clone().oneshot(request(ENDED, BODY)).await.unwrap();
    assert_eq!(text(response).await, format!("a-1 {BODY}"));

    let response = service.oneshot(request("/callback?SdkAppid=8", BODY)).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.extensions().get::<Error>().map(Error::kind), Some(ErrorKind::ForeignApp));
    assert_eq!(text(response).await, FORBIDDEN);

    let service = ServiceBuilder::new().layer(layer()).service(service_fn(acknowledge));
    assert_eq!(text(service.oneshot(request(ENDED, BODY)).await.unwrap()).await, OK);
}

/// `Router::layer` would cover the fallback of the router into which it is merged, too.
#[tokio::test]
async fn as_route_layer_it_covers_its_routes_and_nothing_else_of_the_app() {
    async fn handler(_: Extension<Delivery<CallEnded>>) -> Response<Body> {
        ack(Ack::ok())
    }

    let callbacks = Router::new().route("/callback", any(handler)).route_layer(layer());
    let app = Router::new().route("/", get(async || "home")).merge(callbacks);
    let status = async |request: http::Request<Full<Bytes>>| {
        app.clone().oneshot(request.map(Body::new)).await.unwrap().status().as_u16()
    };
    let get = |uri: &str| http::Request::get(uri).body(Full::default()).unwrap();
    assert_eq!(status(request(ENDED, BODY)).await, 200);
    assert_eq!(status(get(ENDED)).await, 405);
    assert_eq!(status(get("/")).await, 200);
    assert_eq!(status(get("/favicon.ico")).await, 404);
    let elsewhere = ENDED.replace("/callback", "/no/such/path");
    assert_eq!(status(request(&elsewhere, BODY)).await, 404);
}

#[tokio::test]
async fn a_service_outside_of_the_layer_answers_with_an_ack_in_the_same_body() {
    let webhook = layer().layer(service_fn(acknowledge));
    let service = service_fn(move |request: http::Request<Full<Bytes>>| {
        let webhook = webhook.clone();
        async move {
            if request.uri().path() == "/callback" {
                webhook.oneshot(request).await
            } else {
                Ok::<Response<ResponseBody<WebhookBody>>, _>(ack(Ack::fail(1, "elsewhere")))
            }
        }
    });
    let response = service.clone().oneshot(request("/elsewhere", BODY)).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let failure = r#"{"ActionStatus":"FAIL","ErrorInfo":"elsewhere","ErrorCode":1}"#;
    assert_eq!(text(response).await, failure);
    assert_eq!(text(service.oneshot(request(ENDED, BODY)).await.unwrap()).await, OK);
}

#[tokio::test]
async fn a_body_that_something_else_has_taken_is_the_servers_fault() {
    let taken = ServiceBuilder::new()
        .map_request(|request: http::Request<Full<Bytes>>| {
            request.map(|_| Full::<Bytes>::default())
        })
        .layer(WebhookLayer::<Undecoded>::new(verifier()))
        .service(service_fn(acknowledge));
    let mut announced = request(ENDED, BODY);
    announced.headers_mut().insert("content-length", "31".parse().unwrap());
    let response = taken.oneshot(announced).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let reason = response.extensions().get::<Error>().map(Error::reason);
    assert_eq!(reason, Some(Reason::BodyTaken));
}

#[tokio::test]
async fn under_axum_as_router_layer_and_as_route_layer() {
    async fn handler(Extension(call): Extension<Delivery<CallEnded>>, body: String) -> String {
        format!("{} {body}", call.call_id)
    }

    let route = || Router::new().route("/callback", post(handler));
    for router in [route().layer(layer()), route().route_layer(layer())] {
        let router: Router = router;
        let response = router.clone().oneshot(request(ENDED, BODY).map(Body::new)).await.unwrap();
        assert_eq!(text(response).await, format!("a-1 {BODY}"));
        let request = request(&ENDED.replace("=7", "=8"), BODY).map(Body::new);
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(text(response).await, FORBIDDEN);
    }
    let router: Router = Router::new().route("/callback", post(handler).layer(layer()));
    let response = router.oneshot(request(ENDED, BODY).map(Body::new)).await.unwrap();
    assert_eq!(text(response).await, format!("a-1 {BODY}"));
}

#[tokio::test]
async fn around_a_middleware_that_takes_axums_own_body() {
    async fn middleware(request: Request, next: Next) -> axum::response::Response {
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-seen", "yes".parse().unwrap());
        response
    }

    async fn handler(Extension(call): Extension<Delivery<CallEnded>>) -> String {
        call.call_id.clone()
    }

    let layers =
        ServiceBuilder::new().layer(layer().inner_body::<Body>()).layer(from_fn(middleware));
    let router: Router = Router::new().route("/callback", post(handler)).layer(layers);
    let response = router.oneshot(request(ENDED, BODY).map(Body::new)).await.unwrap();
    assert_eq!(response.headers()["x-seen"], "yes");
    assert_eq!(text(response).await, "a-1");
}

#[tokio::test]
async fn among_towers_own_layers_inside_and_outside() {
    let service = ServiceBuilder::new()
        .boxed_clone()
        .buffer(8)
        .layer(LoadShedLayer::new())
        .layer(ConcurrencyLimitLayer::new(2))
        .layer(TimeoutLayer::new(Duration::from_secs(5)))
        .layer(layer())
        .layer(LoadShedLayer::new())
        .layer(ConcurrencyLimitLayer::new(2))
        .layer(TimeoutLayer::new(Duration::from_secs(5)))
        .buffer(8)
        .service(service_fn(seen::<WebhookBody>).map_err(BoxError::from));
    for _ in 0..5 {
        let service = service.clone();
        let response = service.oneshot(request(ENDED, BODY)).await.unwrap();
        assert_eq!(text(response).await, format!("a-1 {BODY}"));
    }
}

#[tokio::test]
async fn behind_a_layer_that_answers_by_itself() {
    let service = ServiceBuilder::new()
        .layer(tower_http::timeout::TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            Duration::from_secs(5),
        ))
        .layer(layer())
        .service(service_fn(seen::<WebhookBody>));
    let response = service.oneshot(request(ENDED, BODY)).await.unwrap();
    assert_eq!(text(response).await, format!("a-1 {BODY}"));
}

#[tokio::test]
async fn with_tracing_and_catch_panic_around_it() {
    let service = ServiceBuilder::new()
        .layer(CatchPanicLayer::new())
        .layer(TraceLayer::new_for_http())
        .layer(layer())
        .service(service_fn(|request: http::Request<WebhookBody>| async {
            if request.headers().contains_key("panic") {
                panic!("as asked");
            }
            seen(request).await
        }));
    let response = service.clone().oneshot(request(ENDED, BODY)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut panicking = request(ENDED, BODY);
    panicking.headers_mut().insert("panic", "yes".parse().unwrap());
    let response = service.oneshot(panicking).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn behind_decompression_the_limit_counts_inflated_bytes() {
    let gzip = |text: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    let zipped = |body: Vec<u8>| {
        let mut request = request(ENDED, body);
        request.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
        request
    };
    let service = ServiceBuilder::new()
        .layer(RequestDecompressionLayer::new())
        .layer(layer())
        .service(service_fn(seen::<WebhookBody>));
    let response = service.clone().oneshot(zipped(gzip(BODY.as_bytes()))).await.unwrap();
    assert_eq!(text(response).await, format!("a-1 {BODY}"));

    // A bomb costs no more memory than the limit and one chunk: it is not inflated any further.
    let inflated = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&inflated);
    let service = ServiceBuilder::new()
        .layer(RequestDecompressionLayer::new())
        .map_request(move |request: http::Request<_>| {
            let count = Arc::clone(&count);
            request.map(|body| {
                BodyExt::map_frame(body, move |frame: Frame<Bytes>| {
                    count.fetch_add(frame.data_ref().map_or(0, Bytes::len), Ordering::Relaxed);
                    frame
                })
            })
        })
        .layer(layer())
        .service(service_fn(seen::<WebhookBody>));
    let bomb = gzip(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 262_144);
    let response = service.oneshot(zipped(bomb)).await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let inflated = inflated.load(Ordering::Relaxed);
    assert!((262_144..2 * 262_144).contains(&inflated), "{inflated} bytes were inflated");

    // Without such a layer a compressed body is no JSON.
    let service = ServiceBuilder::new().layer(layer()).service(service_fn(seen::<WebhookBody>));
    let response = service.oneshot(zipped(gzip(BODY.as_bytes()))).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn in_a_hyper_server_over_http_1_and_http_2() {
    let service = ServiceBuilder::new().layer(layer()).service(service_fn(seen));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                hyper_util::server::conn::auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await
            });
        }
    });
    let stream = async || TokioIo::new(tokio::net::TcpStream::connect(addr).await.unwrap());
    let request = |uri: &str| {
        let mut request = request(&format!("http://localhost{uri}"), BODY);
        request.headers_mut().insert("host", "localhost".parse().unwrap());
        request
    };

    let (mut http1, connection) =
        hyper::client::conn::http1::handshake(stream().await).await.unwrap();
    tokio::spawn(connection);
    let (mut http2, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream().await).await.unwrap();
    tokio::spawn(connection);
    for _ in 0..3 {
        let response = http1.send_request(request(ENDED)).await.unwrap();
        assert_eq!(text(response).await, format!("a-1 {BODY}"));
        let response = http2.send_request(request(ENDED)).await.unwrap();
        assert_eq!(text(response).await, format!("a-1 {BODY}"));
        let response = http2.send_request(request("/?SdkAppid=8")).await.unwrap();
        assert_eq!(text(response).await, FORBIDDEN);
    }
}

#[tokio::test]
async fn several_receivers_serve_several_paths_and_one_handler_takes_all_commands() {
    async fn handler(Extension(callback): Extension<Delivery<Callback>>) -> impl IntoResponse {
        match callback.event() {
            Callback::CallEnded(call) => format!("ended {}", call.call_id),
            Callback::CallStarted(call) => format!("started {}", call.call_id),
            Callback::MemberChanged(change) => format!("changed {}", change.call_id),
            other => format!("other {}", other.command()),
        }
    }

    let path = |app: u64| {
        let verifier = Verifier::builder().app(SdkApp::unsigned(app)).build().unwrap();
        Router::new()
            .route("/callback", post(handler))
            .layer(WebhookLayer::<Callback>::new(verifier))
    };
    let router: Router = Router::new().nest("/7", path(7)).nest("/8", path(8));
    for (uri, body, expected) in [
        (format!("/7{ENDED}"), BODY, "ended a-1"),
        (format!("/8{ENDED}"), BODY, FORBIDDEN),
        ("/8/callback?SdkAppid=8&CallbackCommand=Call.New".to_owned(), "{}", "other Call.New"),
    ] {
        let response = router.clone().oneshot(request(&uri, body).map(Body::new)).await.unwrap();
        assert_eq!(text(response).await, expected);
    }
}

#[tokio::test]
async fn the_answer_of_a_refusal_can_be_replaced_and_keeps_its_error() {
    let layer = WebhookLayer::<Undecoded>::new(verifier()).with_rejection_response(|error| {
        let mut response = Response::new(Bytes::from(error.kind().to_string()));
        *response.status_mut() = StatusCode::NOT_FOUND;
        response
    });
    let service = ServiceBuilder::new().layer(layer).service(service_fn(acknowledge));
    let response = service.oneshot(request("/?SdkAppid=8", "")).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(response.extensions().get::<Error>().map(Error::kind), Some(ErrorKind::ForeignApp));
    assert_eq!(text(response).await, "foreign app");
}

#[tokio::test]
async fn a_command_that_is_not_taken_is_acknowledged_without_the_inner_service() {
    let service = ServiceBuilder::new().layer(layer()).service(service_fn(
        |_: http::Request<WebhookBody>| async {
            panic!("the inner service ran") as Result<Response<WebhookBody>, Infallible>
        },
    ));
    let started = "/?SdkAppid=7&CallbackCommand=Call.CallbackAfterStartCall";
    let response = service.oneshot(request(started, "{}")).await.unwrap();
    assert!(response.extensions().get::<Error>().is_none());
    assert_eq!(text(response).await, OK);
}
