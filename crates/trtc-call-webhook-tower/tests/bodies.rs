//! Odd bodies, and futures that are dropped half-way.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Limited};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use trtc_call_webhook_tower::{
    Ack, CallEnded, Error, ErrorKind, SdkApp, Verifier, WebhookBody, WebhookLayer, ack, delivery,
};

const ENDED: &str = "/callback?SdkAppid=7&CallbackCommand=Call.CallbackAfterEndCall";
const BODY: &str = r#"{"CallRecord":{"CallId":"a-1"}}"#;

/// A body that yields what it is told, says what it is told of its size, and does not say when it
/// is at its end.
struct Scripted<D = Bytes> {
    frames: VecDeque<Poll<io::Result<Frame<D>>>>,
    hint: SizeHint,
}

impl<D> Scripted<D> {
    fn new(frames: impl IntoIterator<Item = Poll<io::Result<Frame<D>>>>) -> Self {
        Self { frames: frames.into_iter().collect(), hint: SizeHint::default() }
    }

    fn claiming(mut self, lower: u64) -> Self {
        self.hint.set_lower(lower);
        self
    }
}

impl<D: Buf + Unpin> Body for Scripted<D> {
    type Data = D;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<D>>>> {
        match self.frames.pop_front() {
            Some(Poll::Pending) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Poll::Ready(frame)) => Poll::Ready(Some(frame)),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        false
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}

fn data(bytes: &'static str) -> Poll<io::Result<Frame<Bytes>>> {
    Poll::Ready(Ok(Frame::data(Bytes::from_static(bytes.as_bytes()))))
}

fn bytewise(text: &'static str) -> impl Iterator<Item = Poll<io::Result<Frame<Bytes>>>> {
    text.as_bytes().chunks(1).map(|byte| Poll::Ready(Ok(Frame::data(Bytes::from_static(byte)))))
}

fn layer() -> WebhookLayer<CallEnded> {
    WebhookLayer::new(
        Verifier::builder().app(SdkApp::unsigned(7)).body_limit(1000).build().unwrap(),
    )
}

/// The status of the answer, the error left in it, and the bytes that the inner service saw.
async fn send<B>(body: B) -> (u16, Option<ErrorKind>, Option<Bytes>)
where
    B: Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    let seen = Arc::new(std::sync::Mutex::new(None));
    let keep = Arc::clone(&seen);
    let service = ServiceBuilder::new().layer(layer()).service(service_fn(
        move |request: Request<WebhookBody>| {
            let bytes = delivery::<CallEnded, _>(&request).unwrap().body().clone();
            *keep.lock().unwrap() = Some(bytes);
            async { Ok::<_, Infallible>(ack::<WebhookBody>(Ack::ok())) }
        },
    ));
    let response = service.oneshot(Request::post(ENDED).body(body).unwrap()).await.unwrap();
    let kind = response.extensions().get::<Error>().map(Error::kind);
    let seen = seen.lock().unwrap().take();
    (response.status().as_u16(), kind, seen)
}

fn taken() -> (u16, Option<ErrorKind>, Option<Bytes>) {
    (200, None, Some(Bytes::from(BODY)))
}

#[tokio::test]
async fn one_byte_a_frame_with_empty_frames_pauses_and_trailers() {
    assert_eq!(send(Scripted::new(bytewise(BODY))).await, taken());
    let frames = bytewise(BODY).flat_map(|frame| [data(""), Poll::Pending, frame, data("")]);
    let trailers = Poll::Ready(Ok(Frame::trailers(HeaderMap::new())));
    assert_eq!(send(Scripted::new(frames.chain([trailers]))).await, taken());
}

#[tokio::test]
async fn data_that_is_not_contiguous() {
    let (start, end) = BODY.split_at(10);
    let chain = Bytes::from(start).chain(Bytes::from(end));
    assert_eq!(send(Scripted::new([Poll::Ready(Ok(Frame::data(chain)))])).await, taken());
}

#[tokio::test]
async fn a_body_that_fails_is_an_answer_and_is_not_polled_again() {
    let error = || Poll::Ready(Err(io::Error::other("reset")));
    let expected = (400, Some(ErrorKind::UnreadableBody), None);
    assert_eq!(send(Scripted::new([error()])).await, expected);
    // A complete event before the failure is none, and what comes after it does not count.
    assert_eq!(send(Scripted::new([data(BODY), error()])).await, expected);
    assert_eq!(send(Scripted::new([error(), data(BODY)])).await, expected);
    assert_eq!(send(Scripted::new((0..1000).map(|_| error()))).await, expected);
}

#[tokio::test]
async fn a_size_that_is_claimed_is_not_believed() {
    let empty = send(Scripted::<Bytes>::new([])).await;
    assert_eq!(empty, (400, Some(ErrorKind::MalformedBody), None));
    assert_eq!(send(Scripted::new([data(BODY)]).claiming(999)).await, taken());
    let too_large = (413, Some(ErrorKind::BodyTooLarge), None);
    assert_eq!(send(Scripted::new([data(BODY)]).claiming(1001)).await, too_large);
    let spaces: &'static str = " ".repeat(501).leak();
    let long = [data(spaces), data(spaces), data(BODY)];
    assert_eq!(send(Scripted::new(long).claiming(1)).await, too_large);
}

#[tokio::test]
async fn a_limit_of_another_layer_answers_as_ours_does() {
    let limited = |limit| Limited::new(Scripted::new(bytewise(BODY)), limit);
    assert_eq!(send(limited(BODY.len())).await, taken());
    let too_large = (413, Some(ErrorKind::BodyTooLarge), None);
    assert_eq!(send(limited(BODY.len() - 1)).await, too_large);
    // However deep the error is wrapped, here as axum and tower-http do.
    let wrapped = axum::body::Body::new(limited(1)).map_err(axum::Error::new);
    assert_eq!(send(wrapped).await, too_large);
}

#[tokio::test]
async fn the_body_is_not_polled_when_the_head_fails() {
    let app = SdkApp::signed(7, "t");
    let verifier = Verifier::builder().app(app).app(SdkApp::unsigned(8)).build().unwrap();
    let layer = WebhookLayer::<CallEnded>::new(verifier);
    let service =
        ServiceBuilder::new().layer(layer).service(service_fn(|_: Request<WebhookBody>| async {
            Ok::<_, Infallible>(ack::<WebhookBody>(Ack::ok()))
        }));
    let polled = |_| -> Frame<Bytes> { panic!("the body was polled") };
    for (method, query, length, status) in [
        ("GET", "SdkAppid=8", "0", 405),
        ("POST", "", "0", 400),
        ("POST", "SdkAppid=9", "0", 403),
        ("POST", "SdkAppid=7", "0", 403),
        ("POST", "SdkAppid=8", "262145", 413),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(format!("/callback?{query}"))
            .header("content-length", length)
            .body(WebhookBody::from(Bytes::from_static(b"{}")).map_frame(polled))
            .unwrap();
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{method} {query}");
    }
}

#[tokio::test]
async fn a_future_that_is_dropped_half_way_calls_nothing_and_leaves_the_service_usable() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let mut service = ServiceBuilder::new().concurrency_limit(1).layer(layer()).service(
        service_fn(move |_: Request<WebhookBody>| {
            count.fetch_add(1, Ordering::Relaxed);
            async { Ok::<_, Infallible>(ack::<WebhookBody>(Ack::ok())) }
        }),
    );
    for polls in 0..5 {
        let frames = bytewise(BODY).flat_map(|frame| [Poll::Pending, frame]);
        let request = Request::post(ENDED).body(Scripted::new(frames)).unwrap();
        let mut future = Box::pin(ready(&mut service).await.call(request));
        for _ in 0..polls {
            assert!(futures_pending(future.as_mut()).await);
        }
    }
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    let request = Request::post(ENDED).body(Scripted::new([data(BODY)])).unwrap();
    let response = ready(&mut service).await.call(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

async fn ready<S: Service<Request<Scripted>, Error = Infallible>>(service: &mut S) -> &mut S {
    service.ready().await.unwrap()
}

/// Polls once, and says whether the future is pending.
async fn futures_pending<F: Future>(mut future: Pin<&mut F>) -> bool {
    std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

#[tokio::test]
async fn the_inner_services_response_body_may_be_of_any_data() {
    // Any type of data that can be made of bytes, as the layer's own answers are.
    #[derive(Debug, PartialEq)]
    struct Own(Bytes);

    impl From<Bytes> for Own {
        fn from(bytes: Bytes) -> Self {
            Self(bytes)
        }
    }

    impl Buf for Own {
        fn remaining(&self) -> usize {
            self.0.remaining()
        }
        fn chunk(&self) -> &[u8] {
            self.0.chunk()
        }
        fn advance(&mut self, count: usize) {
            self.0.advance(count);
        }
    }

    let service =
        ServiceBuilder::new().layer(layer()).service(service_fn(|_: Request<WebhookBody>| async {
            let frame = Frame::data(Own(Bytes::from("inner")));
            Ok::<_, Infallible>(Response::new(Scripted::new([Poll::Ready(Ok(frame))])))
        }));
    for (uri, expected) in [
        (ENDED, "inner"),
        ("/?SdkAppid=8", r#"{"ActionStatus":"FAIL","ErrorInfo":"forbidden","ErrorCode":403}"#),
    ] {
        let request = Request::post(uri).body(Scripted::new([data(BODY)])).unwrap();
        let mut body = std::pin::pin!(service.clone().oneshot(request).await.unwrap().into_body());
        let frame = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await;
        assert_eq!(frame.unwrap().unwrap().into_data().unwrap(), Own(Bytes::from(expected)));
    }
}

#[test]
fn a_body_is_not_printed() {
    let body = WebhookBody::from(Bytes::from_static(BODY.as_bytes()));
    let response = ack::<WebhookBody>(Ack::fail(1, "s3cret"));
    for printed in [format!("{body:?}"), format!("{body:#?}"), format!("{response:?}")] {
        assert!(!printed.contains("a-1") && !printed.contains("s3cret"), "{printed}");
    }
}
