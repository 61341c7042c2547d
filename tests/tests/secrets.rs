//! What is printed and logged: never a secret, and loud enough where something is lost.

use std::fmt::{Debug, Display, Write as _};
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Context, Poll};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::FromRequest;
use bytes::Bytes;
use conformance::{PATH, Table};
use http_body::Frame;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Level, Metadata, Subscriber};
use trtc_call_webhook::adapter::{Misconfiguration, Query, Receipt, RequestHead, misconfigured};
use trtc_call_webhook::{
    CallEnded, CallStarted, Callback, Delivery, Error, ErrorKind, MemberChanged, SdkApp, Token,
    Undecoded, Verifier, sender,
};
use trtc_call_webhook_axum::{Webhook, WebhookRejection};

const END: &str = "Call.CallbackAfterEndCall";
const TOKEN: &str = "t0ken-5ecret";
const IN_QUERY: &str = "qu3ry-5ecret";
const IN_BODY: &str = "b0dy-5ecret";
const IN_SOURCE: &str = "s0urce-5ecret";

/// Everything that was logged on this thread, level by level.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Logged>>);

type Logged = Vec<(Level, String)>;

impl Lines {
    fn capture() -> (Self, DefaultGuard) {
        let lines = Self::default();
        let guard = tracing::subscriber::set_default(lines.clone());
        (lines, guard)
    }

    fn take(&self) -> Logged {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn levels(&self) -> Vec<Level> {
        self.take().into_iter().map(|(level, _)| level).collect()
    }

    fn add(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Text)) {
        let mut text = Text(format!("{} {}", metadata.target(), metadata.name()));
        record(&mut text);
        self.0.lock().unwrap().push((*metadata.level(), text.0));
    }
}

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::TRACE)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.add(span.metadata(), |text| span.record(text));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut text = Text(String::new());
        values.record(&mut text);
        self.0.lock().unwrap().push((Level::TRACE, text.0));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        self.add(event.metadata(), |text| event.record(text));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

fn signature() -> (String, String) {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    (Token::new(TOKEN).sign(seconds).to_hex(), seconds.to_string())
}

fn signed() -> Verifier {
    Verifier::builder().app(SdkApp::signed(1_400_000_001, TOKEN)).body_limit(2000).build().unwrap()
}

fn open() -> Verifier {
    Verifier::builder().app(SdkApp::unsigned(1_400_000_001)).body_limit(2000).build().unwrap()
}

fn signed_query(command: &str) -> String {
    let (sign, time) = signature();
    format!(
        "SdkAppid=1400000001&CallbackCommand={command}&x={IN_QUERY}&Sign={sign}&RequestTime={time}"
    )
}

fn open_query(command: &str) -> String {
    format!("SdkAppid=1400000001&CallbackCommand={command}&x={IN_QUERY}")
}

/// A request in which every part has something that must not come out.
struct Sent {
    verifier: Verifier,
    method: &'static str,
    query: String,
    body: Body,
}

impl Sent {
    fn new(verifier: &Verifier, query: impl Into<String>, body: impl Into<Body>) -> Self {
        Self { verifier: verifier.clone(), method: "POST", query: query.into(), body: body.into() }
    }

    /// Through axum's extractor, as far as a handler.
    async fn receive<E: trtc_call_webhook::Event>(self) -> Result<Webhook<E>, WebhookRejection> {
        let target = format!("{PATH}?{}", self.query);
        let request = http::Request::builder().method(self.method).uri(target).body(self.body);
        Webhook::from_request(request.unwrap(), &self.verifier).await
    }
}

/// The kind of a refusal; none where the callback is only not taken.
fn kind(rejection: &WebhookRejection) -> Option<ErrorKind> {
    match rejection {
        WebhookRejection::Refused(error) => Some(error.kind()),
        WebhookRejection::NotTaken(_) => None,
    }
}

/// A body that fails with words of its own.
struct Broken;

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Poll::Ready(Some(Err(std::io::Error::other(IN_SOURCE))))
    }
}

fn broken_body() -> Body {
    Body::new(Broken)
}

fn body_of(command: &str, rest: &str) -> String {
    format!(r#"{{"New":"{IN_BODY}","CallbackCommand":"{command}"{rest}}}"#)
}

/// One request for each kind of refusal that a peer can cause.
fn one_of_each_kind() -> Vec<Sent> {
    let (signed, open) = (signed(), open());
    let good = body_of(END, r#","CallRecord":{"CallId":"a"}"#);
    let (_, time) = signature();
    let wrong = Token::new("another").sign(time.parse().unwrap()).to_hex();
    let stale = Token::new(TOKEN).sign(1_669_872_112).to_hex();
    let mut put = Sent::new(&signed, signed_query(END), good.clone());
    put.method = "PUT";
    vec![
        put,
        Sent::new(&open, format!("SdkAppid={IN_QUERY}&Sign={wrong}"), good.clone()),
        Sent::new(&open, format!("SdkAppid=1400000009&x={IN_QUERY}"), good.clone()),
        Sent::new(&signed, open_query(END), good.clone()),
        Sent::new(
            &signed,
            format!("{}&Sign={wrong}&RequestTime={time}", open_query(END)),
            good.clone(),
        ),
        Sent::new(
            &signed,
            format!("{}&Sign={stale}&RequestTime=1669872112", open_query(END)),
            good,
        ),
        Sent::new(&signed, signed_query(END), IN_BODY.repeat(1000)),
        Sent::new(&signed, signed_query(END), broken_body()),
        Sent::new(&signed, signed_query(END), format!("{{\"{IN_BODY}\": {IN_BODY}")),
        Sent::new(
            &signed,
            signed_query(END),
            format!("{{\"CallRecord\":{{\"CallId\":\"{IN_BODY}\",\"CallId\":1}}}}"),
        ),
        Sent::new(&signed, signed_query(END), format!("\"{IN_BODY}\"")),
        Sent::new(
            &signed,
            signed_query(END),
            format!("{{\"CallRecord\":{{\"CallId\":\"{IN_BODY}\\ud800\"}}}}"),
        ),
        Sent::new(&signed, signed_query(END), body_of(IN_BODY, "")),
        Sent::new(&signed, signed_query(IN_QUERY), body_of(IN_BODY, "")),
        Sent::new(&signed, signed_query(END), body_of(END, r#","CallRecord":{}"#)),
    ]
}

/// A body can be sent only once.
type MakeBody = Box<dyn Fn() -> Body>;

/// Collects what is printed, and looks for what must not be in it.
struct Printed {
    text: String,
    secrets: Vec<String>,
}

impl Printed {
    fn new() -> Self {
        let mut secrets: Vec<String> =
            [TOKEN, IN_QUERY, IN_BODY, IN_SOURCE].map(str::to_owned).to_vec();
        // The clock may tick while the test runs.
        let now: u64 = signature().1.parse().unwrap();
        for time in (now - 3..now + 30).chain([1_669_872_112]) {
            let digest = Token::new(TOKEN).sign(time).to_hex();
            secrets.extend([digest.to_uppercase(), digest]);
        }
        // As bytes, and as `Debug` writes bytes.
        secrets.push(format!("{:?}", TOKEN.as_bytes()).trim_matches(['[', ']']).to_owned());
        secrets.push(format!("{:?}", IN_BODY.as_bytes()).trim_matches(['[', ']']).to_owned());
        Self { text: String::new(), secrets }
    }

    fn debug(&mut self, value: &impl Debug) {
        let _ = writeln!(self.text, "{value:?}\n{value:#?}");
    }

    fn both(&mut self, value: &(impl Debug + Display)) {
        self.debug(value);
        let _ = writeln!(self.text, "{value}\n{value:#}");
    }

    fn check(&self) {
        for secret in &self.secrets {
            assert!(!self.text.contains(secret), "{secret} is in\n{}", self.text);
        }
    }
}

#[tokio::test]
async fn nothing_that_is_printed_or_logged_holds_a_secret() {
    let (lines, _guard) = Lines::capture();
    let mut printed = Printed::new();

    // What is configured, and what is sent.
    let token = Token::new(TOKEN);
    let sign = token.sign(signature().1.parse().unwrap());
    let app = SdkApp::signed(1_400_000_001, TOKEN);
    let builder = Verifier::builder().app(app.clone());
    printed.debug(&token);
    printed.debug(&sign);
    printed.debug(&app);
    printed.debug(&builder);
    printed.debug(&builder.clone().build().unwrap());
    printed.both(&builder.app(app).build().unwrap_err());
    let mut event = CallEnded::new("a");
    event.caller = Some(IN_BODY.to_owned());
    printed.debug(&sender::Request::new(1_400_000_001, event).signed(&token, SystemTime::now()));

    // What is accepted.
    let good = body_of(END, r#","CallRecord":{"CallId":"a"}"#);
    let query = signed_query(END);
    let request = RequestHead::new("POST", &query);
    printed.debug(&request);
    printed.debug(&Query::parse(&query).unwrap());
    let head = signed().check(request).unwrap();
    printed.debug(&head);
    printed.debug(head.params());
    printed.debug(&head.receive::<CallEnded>(&good).unwrap());
    printed.debug(&signed().check(request).unwrap().receive::<Undecoded>(IN_BODY).unwrap());
    let sent = |query: &str, body: &str| Sent::new(&signed(), signed_query(query), body.to_owned());
    printed.debug(&sent(END, &good).receive::<CallEnded>().await.unwrap());
    printed.debug(&sent(END, &good).receive::<Callback>().await.unwrap());
    printed.debug(&sent(END, "not JSON").receive::<Undecoded>().await.unwrap());
    let other = body_of("Call.X", "");
    printed.debug(&sent("Call.X", &other).receive::<Callback>().await.unwrap());
    let delivery: Delivery<Callback> =
        sent("Call.X", &other).receive::<Callback>().await.unwrap().0;
    printed.debug(delivery.event());

    // What is acknowledged, and what is refused.
    let not_taken = sent("Call.X", &other).receive::<CallEnded>().await.unwrap_err();
    printed.both(&not_taken);
    let mut kinds = vec![ErrorKind::Misconfigured];
    let (errors, misconfigured) = &*MISCONFIGURED;
    printed.both(&errors[0]);
    for sent in one_of_each_kind() {
        let rejection = sent.receive::<CallEnded>().await.unwrap_err();
        let WebhookRejection::Refused(error) = &rejection else { panic!("it is taken") };
        printed.both(&rejection);
        printed.both(error);
        printed.both(&error.reason());
        printed.both(&error.kind());
        printed.debug(&error.answer());
        let _ = writeln!(printed.text, "{}", rejection.body_text());
        kinds.push(error.kind());
    }
    for kind in ErrorKind::ALL {
        assert!(kinds.contains(kind), "{kind} is not among them");
    }
    printed.check();

    // The time of the request is no secret, but belongs to the query, of which nothing is logged but
    // the SDKAppID and a command.
    let lines = lines.take();
    assert!(lines.len() > 15, "{lines:?}");
    let now: u64 = signature().1.parse().unwrap();
    printed.secrets.extend((now - 30..now + 3).map(|time| time.to_string()));
    printed.secrets.push("1669872112".to_owned());
    printed.text = format!("{misconfigured:#?}{lines:#?}");
    printed.check();
}

#[test]
fn a_body_under_way_is_not_printed() {
    let mut buffer =
        signed().check(RequestHead::new("POST", &signed_query(END))).unwrap().read_body();
    buffer.push(IN_BODY.as_bytes()).unwrap();
    let mut printed = Printed::new();
    printed.debug(&buffer);
    printed.check();
}

/// Every request of the table, so that no case logs what its query or its body holds.
#[test]
fn no_line_holds_a_query_or_a_body_of_the_table() {
    let (lines, _guard) = Lines::capture();
    let table = Table::load();
    for case in &table.cases {
        let request = table.request(case);
        for verifier in ["open", "signed", "small"] {
            let verifier = table.verifier(verifier);
            let head = || verifier.check(RequestHead::new(&request.method, &request.query));
            let _ = head().and_then(|head| head.receive::<CallEnded>(&request.body));
            let _ = head().and_then(|head| head.receive::<CallStarted>(&request.body));
            let _ = head().and_then(|head| head.receive::<MemberChanged>(&request.body));
            let _ = head().and_then(|head| head.receive::<Callback>(&request.body));
        }
        let body = String::from_utf8_lossy(&request.body);
        for (_, line) in lines.take() {
            for (what, part) in [("query", request.query.as_str()), ("body", &body)] {
                // Short ones are words that any line may have.
                let is_in = part.len() > 8 && line.contains(part);
                assert!(!is_in, "{}: the {what} is in {line}", case.name);
            }
            let values = request.query.split('&').filter_map(|pair| pair.split_once('='));
            for (_, value) in values.filter(|(_, value)| value.len() > 8) {
                // The SDKAppID and a command may be in a line.
                let is_word = line.contains(&format!(" sdk_app_id={value}"))
                    || line.contains(&format!(" command=\"{value}\""))
                    || value.ends_with("ommand");
                assert!(is_word || !line.contains(value), "{}: {value} is in {line}", case.name);
            }
        }
    }
}

#[tokio::test]
async fn the_first_of_each_kind_warns_and_the_next_do_not() {
    let (lines, _guard) = Lines::capture();
    let (verifier, strict) = (open(), signed());
    let (_, time) = signature();
    let stale = Token::new(TOKEN).sign(1_669_872_112).to_hex();
    let no_id = body_of(END, "");
    let mismatch = body_of("Call.X", "");
    let cases: Vec<(&Verifier, &str, String, MakeBody)> = vec![
        (&verifier, "PUT", open_query(END), Box::new(Body::empty)),
        (&verifier, "POST", String::new(), Box::new(Body::empty)),
        (&verifier, "POST", "SdkAppid=1400000009".to_owned(), Box::new(Body::empty)),
        (&strict, "POST", open_query(END), Box::new(Body::empty)),
        (
            &strict,
            "POST",
            format!("{}&Sign=&RequestTime={time}", open_query(END)),
            Box::new(Body::empty),
        ),
        (
            &strict,
            "POST",
            format!("{}&Sign={stale}&RequestTime=1669872112", open_query(END)),
            Box::new(Body::empty),
        ),
        (&verifier, "POST", open_query(END), Box::new(|| Body::from(" ".repeat(2001)))),
        (&verifier, "POST", open_query(END), Box::new(broken_body)),
        (&verifier, "POST", open_query(END), Box::new(|| Body::from("{"))),
        (&verifier, "POST", open_query(END), Box::new(move || Body::from(mismatch.clone()))),
        (&verifier, "POST", open_query(END), Box::new(move || Body::from(no_id.clone()))),
    ];
    for (verifier, method, query, body) in cases {
        for expected in [Level::WARN, Level::DEBUG, Level::DEBUG] {
            let mut sent = Sent::new(verifier, query.clone(), body());
            sent.method = method;
            let rejection = sent.receive::<CallEnded>().await.unwrap_err();
            let logged = lines.take();
            let levels: Vec<_> = logged.iter().map(|(level, _)| *level).collect();
            assert_eq!(levels, [expected], "{rejection}");
            // Whoever filters or counts has the kind and the status as fields.
            let kind = kind(&rejection).unwrap();
            for field in [format!(" kind=\"{kind}\""), format!(" status={}", kind.status())] {
                assert!(logged[0].1.contains(&field), "{field} is not in {logged:?}");
            }
        }
    }
    // A clone is the same receiver; another one starts anew.
    let refuse = |verifier: Verifier| Sent::new(&verifier, "", "").receive::<CallEnded>();
    refuse(verifier.clone()).await.unwrap_err();
    assert_eq!(lines.levels(), [Level::DEBUG]);
    refuse(open()).await.unwrap_err();
    assert_eq!(lines.levels(), [Level::WARN]);
}

#[tokio::test]
async fn a_refusal_behind_a_signature_always_warns() {
    let (lines, _guard) = Lines::capture();
    let verifier = signed();
    let bodies: [fn() -> Body; 4] = [
        broken_body,
        || Body::from("{"),
        || Body::from(body_of("Call.X", "")),
        || Body::from(body_of(END, "")),
    ];
    for body in bodies {
        for _ in 0..3 {
            let sent = Sent::new(&verifier, signed_query(END), body());
            let rejection = sent.receive::<CallEnded>().await.unwrap_err();
            assert_eq!(lines.levels(), [Level::WARN], "{rejection}");
        }
    }
    for _ in 0..3 {
        let sent = Sent::new(&verifier, signed_query(END), " ".repeat(2001));
        sent.receive::<CallEnded>().await.unwrap_err();
        let lines = lines.take();
        let [(Level::WARN, line)] = lines.as_slice() else { panic!("{lines:?}") };
        assert!(line.contains(" limit=2000"), "{line}");
    }
}

#[tokio::test]
async fn what_is_reported_only_warns_once_of_each_kind() {
    let (lines, _guard) = Lines::capture();
    let app = SdkApp::signed(1_400_000_001, TOKEN).insecure_report_only();
    let verifier = Verifier::builder().app(app).build().unwrap();
    for expected in [Level::WARN, Level::DEBUG] {
        let rejection = Sent::new(&verifier, open_query(END), "{").receive::<CallEnded>().await;
        assert_eq!(kind(&rejection.unwrap_err()), Some(ErrorKind::MalformedBody));
        // That it is unsigned, and that it is refused.
        assert_eq!(lines.levels(), [expected; 2]);
    }
    let sent = Sent::new(&verifier, signed_query(END), "{");
    sent.receive::<CallEnded>().await.unwrap_err();
    assert_eq!(lines.levels(), [Level::WARN]);
}

#[tokio::test]
async fn the_first_callback_that_nobody_takes_warns() {
    let (lines, _guard) = Lines::capture();
    for is_signed in [false, true] {
        let verifier = if is_signed { signed() } else { open() };
        let query = if is_signed { signed_query } else { open_query };
        for (command, expected) in [
            ("Call.CallbackAfterStartCall", Level::WARN),
            ("Call.CallbackAfterStartCall", Level::DEBUG),
            ("Call.CallbackAfterMemberChanged", Level::WARN),
            ("Call.CallbackAfterMemberChanged", Level::DEBUG),
        ] {
            let sent = Sent::new(&verifier, query(command), "{}");
            let rejection = sent.receive::<CallEnded>().await.unwrap_err();
            assert_eq!(kind(&rejection), None);
            assert_eq!(lines.levels(), [expected], "{command}");
        }
        // A handler that runs for it all the same has seen it.
        let head = verifier.check(RequestHead::new("POST", &query("Call.CallbackAfterStartCall")));
        let mut buffer = head.unwrap().read_body();
        buffer.push(b"{}").unwrap();
        assert!(buffer.receive_optional::<CallEnded>().unwrap().is_none());
        assert!(lines.levels().is_empty());
    }
}

#[tokio::test]
async fn a_callback_that_is_taken_warns_of_nothing() {
    let (lines, _guard) = Lines::capture();
    let body = body_of(END, r#","CallRecord":{"CallId":"a"}"#);
    let verifier = signed();
    let sent = |command, body: &str| Sent::new(&verifier, signed_query(command), body.to_owned());
    let _ = sent(END, &body).receive::<CallEnded>().await.unwrap();
    let _ = sent("Call.X", "{}").receive::<Callback>().await.unwrap();
    let _ = sent(END, "{").receive::<Undecoded>().await.unwrap();
    let head = verifier.check(RequestHead::new("POST", &signed_query(END))).unwrap();
    assert!(matches!(head.receive::<CallEnded>(body), Ok(Receipt::Deliver(_))));
    let loud = |line: &(Level, String)| line.0 <= Level::WARN;
    assert!(!lines.take().iter().any(loud));
}

/// Two misconfigured requests, and what was logged of them: the first two of this process, since one
/// of them a minute is loud in all of it.
static MISCONFIGURED: LazyLock<([Error; 2], Logged)> = LazyLock::new(|| {
    let (lines, _guard) = Lines::capture();
    ([Misconfiguration::NoVerifier; 2].map(misconfigured), lines.take())
});

#[test]
fn a_misconfiguration_is_an_error_once_a_minute() {
    let (errors, lines) = &*MISCONFIGURED;
    for error in errors {
        assert_eq!(error.answer().status(), 500);
    }
    let levels: Vec<_> = lines.iter().map(|(level, _)| *level).collect();
    assert_eq!(levels, [Level::ERROR, Level::DEBUG]);
    for (_, line) in lines {
        assert!(line.contains("no `Verifier` is configured"), "{line}");
    }
}

/// So that none of the tests above can pass because nothing is captured.
#[test]
fn lines_are_captured() {
    let (lines, _guard) = Lines::capture();
    tracing::info!(answer = 42, "a log line");
    let lines = lines.take();
    assert!(lines[0].1.contains("answer=42") && lines[0].1.contains("a log line"), "{lines:?}");
}
