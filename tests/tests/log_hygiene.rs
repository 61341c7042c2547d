//! The recipes of the guide's chapter on logs: with each of them nothing that is logged holds the
//! secret segment of the path or the signature, and without it something does.

use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Mutex, Once};
use std::time::SystemTime;

use actix_web::App;
use actix_web::test::{TestRequest, call_and_read_body, init_service};
use actix_web::web;
use conformance::chapter;
use tower::ServiceExt;
use trtc_call_webhook_axum::{Ack, CallEnded, Command, SdkApp, Token, Verifier, Webhook, sender};

const PATH: &str = "/callback/SECRET-SEGMENT";

#[test]
fn every_recipe_of_the_chapter_is_run_here() {
    chapter::assert_is_run("log-hygiene.md", include_str!("log_hygiene.rs"));
}

/// A signed callback, and what of it must not be logged.
struct Secret {
    callback: sender::Request,
    sign: String,
}

impl Secret {
    fn new() -> Self {
        let callback = sender::Request::sample(1_400_000_001, Command::CallEnded);
        let callback = callback.signed(&Token::new("the token"), SystemTime::now());
        let url = callback.url(PATH);
        let sign = url.split(['?', '&']).find_map(|pair| pair.strip_prefix("Sign=")).unwrap();
        let sign = sign.to_owned();
        assert_eq!(sign.len(), 64);
        Self { callback, sign }
    }

    /// Whether the secret segment is in what was logged, and whether the signature is.
    fn is_in(&self, logged: &str) -> [bool; 2] {
        [logged.contains("SECRET-SEGMENT"), logged.contains(&self.sign)]
    }
}

/// A verifier that refuses it, so that a line of ours is logged too.
fn verifier() -> Verifier {
    Verifier::builder().app(SdkApp::signed(1_400_000_001, "another")).build().unwrap()
}

mod actix_format {
    use actix_web::middleware::Logger;

    // Neither `%r` nor `%U`.
    fn access_log() -> Logger {
        Logger::new("%a %s %b %T")
    }

    #[tokio::test]
    async fn actix_web_s_logger_without_the_request_line_is_silent_of_secrets() {
        let (secret, logged) = super::logged_by_actix_web(access_log()).await;
        assert!(logged.contains(" 403 "), "{logged}");
        assert_eq!(secret.is_in(&logged), [false, false], "{logged}");
    }
}

mod actix_exclude {
    use actix_web::middleware::Logger;

    fn access_log() -> Logger {
        Logger::default().exclude_regex("^/callback/")
    }

    #[tokio::test]
    async fn actix_web_s_logger_with_an_exclusion_is_silent() {
        let (secret, logged) = super::logged_by_actix_web(access_log()).await;
        assert!(logged.contains("GET /health HTTP/1.1"), "{logged}");
        assert_eq!(secret.is_in(&logged), [false, false], "{logged}");
    }
}

/// So that none of these tests passes because nothing is captured.
#[tokio::test]
async fn actix_web_s_default_logger_leaks() {
    let (secret, logged) = logged_by_actix_web(actix_web::middleware::Logger::default()).await;
    assert_eq!(secret.is_in(&logged), [true, true], "{logged}");
}

/// What an app with this access log logs of a callback, and of a request for another route.
async fn logged_by_actix_web(logger: actix_web::middleware::Logger) -> (Secret, String) {
    use trtc_call_webhook_actix_web::{Ack, Webhook};

    async fn on_call_end(_: Webhook<CallEnded>) -> Ack {
        Ack::ok()
    }

    async fn healthy() -> &'static str {
        "healthy"
    }

    static LOGGER: Once = Once::new();
    LOGGER.call_once(|| {
        log::set_logger(&ThisThread).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });
    let app = App::new()
        .wrap(logger)
        .app_data(verifier())
        .service(web::resource(PATH).to(on_call_end))
        .route("/health", web::get().to(healthy));
    let service = init_service(app).await;
    let secret = Secret::new();
    let callback = TestRequest::post()
        .uri(&secret.callback.url(PATH))
        .set_payload(secret.callback.body().clone());
    let health = TestRequest::get().uri("/health");
    LOGGED.take();
    for request in [callback, health] {
        // It logs when the answer's body has been sent.
        call_and_read_body(&service, request.to_request()).await;
    }
    (secret, LOGGED.take())
}

thread_local! {
    static LOGGED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps the lines of the crate `log` with the thread that writes them.
struct ThisThread;

impl log::Log for ThisThread {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        LOGGED.with_borrow_mut(|logged| *logged += &format!("{}\n", record.args()));
    }

    fn flush(&self) {}
}

mod tower_http_span {
    use axum::{Router, extract::Request};
    use tower_http::trace::TraceLayer;

    // Nothing of the URI. No `MatchedPath` either: the secret stands in the route.
    fn traced(app: Router) -> Router {
        let span = |request: &Request| tracing::info_span!("request", method = %request.method());
        app.layer(TraceLayer::new_for_http().make_span_with(span))
    }

    #[tokio::test]
    async fn a_span_without_the_uri_is_silent_of_secrets() {
        let app = traced(super::others().merge(super::callbacks()));
        let (secret, logged) = super::logged_by_axum(app).await;
        assert!(
            logged.contains("request{method=POST}: trtc_call_webhook: callback refused"),
            "{logged}"
        );
        assert_eq!(secret.is_in(&logged), [false, false], "{logged}");
    }
}

mod tower_http_merge {
    use axum::Router;
    use tower_http::trace::TraceLayer;

    // The layer is around the routes that were there before it.
    fn app(others: Router, callbacks: Router) -> Router {
        others.layer(TraceLayer::new_for_http()).merge(callbacks)
    }

    #[tokio::test]
    async fn callbacks_that_are_merged_behind_the_layer_are_not_traced() {
        let app = app(super::others(), super::callbacks());
        let (secret, logged) = super::logged_by_axum(app).await;
        assert!(logged.contains("uri=/health"), "{logged}");
        assert!(logged.contains("trtc_call_webhook: callback refused"), "{logged}");
        assert_eq!(secret.is_in(&logged), [false, false], "{logged}");
    }
}

/// And it is around the lines of ours that the secrets are.
#[tokio::test]
async fn tower_http_s_layer_around_the_app_leaks() {
    let app = others().merge(callbacks()).layer(tower_http::trace::TraceLayer::new_for_http());
    let (secret, logged) = logged_by_axum(app).await;
    assert_eq!(secret.is_in(&logged), [true, true], "{logged}");
    let ours = logged.lines().find(|line| line.contains("callback refused")).unwrap();
    assert_eq!(secret.is_in(ours), [true, true], "{ours}");
}

fn others() -> axum::Router {
    axum::Router::new().route("/health", axum::routing::get(|| async { "healthy" }))
}

fn callbacks() -> axum::Router {
    async fn on_call_end(_: Webhook<CallEnded>) -> Ack {
        Ack::ok()
    }

    axum::Router::new().route(PATH, axum::routing::any(on_call_end)).with_state(verifier())
}

/// What an app logs, at any level, of a callback, and of a request for another route.
async fn logged_by_axum(app: axum::Router) -> (Secret, String) {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let secret = Secret::new();
    let callback = http::Request::post(secret.callback.url(PATH))
        .body(axum::body::Body::from(secret.callback.body().clone()))
        .unwrap();
    let health = http::Request::get("/health").body(axum::body::Body::empty()).unwrap();
    for request in [callback, health] {
        let response = app.clone().oneshot(request).await.unwrap();
        axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
    }
    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    (secret, logged)
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
