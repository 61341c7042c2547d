//! Only a service that was polled ready is called, and nothing that readiness reserved is kept.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::{Layer, Service, ServiceExt};
use trtc_call_webhook_tower::{Ack, CallEnded, SdkApp, Verifier, WebhookBody, WebhookLayer, ack};

const ENDED: &str = "/callback?SdkAppid=7&CallbackCommand=Call.CallbackAfterEndCall";

fn request(uri: &str) -> Request<Full<Bytes>> {
    Request::post(uri).body(Full::from(r#"{"CallRecord":{"CallId":"a-1"}}"#)).unwrap()
}

/// Takes a permit when it is polled ready and gives it back when it is called or dropped. Its
/// clones are not ready; to call one is an error, as it is of `ConcurrencyLimit`.
struct Probe {
    permits: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Clone for Probe {
    fn clone(&self) -> Self {
        Self { permits: Arc::clone(&self.permits), permit: None }
    }
}

impl Service<Request<WebhookBody>> for Probe {
    type Response = Response<WebhookBody>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if self.permit.is_none() {
            let permit = Arc::clone(&self.permits).try_acquire_owned();
            self.permit = Some(permit.expect("a permit was kept"));
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<WebhookBody>) -> Self::Future {
        assert!(self.permit.take().is_some(), "called without being polled ready");
        ready(Ok(ack(Ack::ok())))
    }
}

async fn ready_now<S: Service<Request<Full<Bytes>>, Error = Infallible>>(
    service: &mut S,
) -> &mut S {
    service.ready().await.unwrap()
}

#[tokio::test]
async fn only_a_ready_service_is_called_and_refusals_keep_no_permit() {
    let permits = Arc::new(Semaphore::new(1));
    let verifier = Verifier::builder().app(SdkApp::unsigned(7)).build().unwrap();
    let probe = Probe { permits: Arc::clone(&permits), permit: None };
    let mut service = WebhookLayer::<CallEnded>::new(verifier).layer(probe);
    for (uri, status) in [
        (ENDED, StatusCode::OK),
        ("/?SdkAppid=8", StatusCode::FORBIDDEN),
        ("/?SdkAppid=7", StatusCode::BAD_REQUEST),
        (ENDED, StatusCode::OK),
    ] {
        let future = ready_now(&mut service).await.call(request(uri));
        if status == StatusCode::FORBIDDEN {
            // The head is refused at once: nothing waits for the answer to be fetched.
            assert_eq!(permits.available_permits(), 1);
        }
        assert_eq!(future.await.unwrap().status(), status);
        assert_eq!(permits.available_permits(), 1, "{uri}");
    }
    // A future that is never polled gives its permit back when it is dropped.
    drop(ready_now(&mut service).await.call(request(ENDED)));
    assert_eq!(permits.available_permits(), 1);
}

#[tokio::test]
async fn a_future_that_is_dropped_while_its_body_arrives_gives_its_permit_back() {
    let permits = Arc::new(Semaphore::new(1));
    let verifier = Verifier::builder().app(SdkApp::unsigned(7)).build().unwrap();
    let probe = Probe { permits: Arc::clone(&permits), permit: None };
    let mut service = WebhookLayer::<CallEnded>::new(verifier).layer(probe);
    let request = Request::post(ENDED).body(Never).unwrap();
    let ready = ServiceExt::<Request<Never>>::ready(&mut service).await.unwrap();
    let mut future = Box::pin(ready.call(request));
    let poll = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending()));
    assert!(poll.await);
    assert_eq!(permits.available_permits(), 0, "it is held while the body arrives");
    drop(future);
    assert_eq!(permits.available_permits(), 1);
}

/// A body that never comes.
struct Never;

impl http_body::Body for Never {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

#[tokio::test]
async fn an_error_of_the_inner_service_is_the_services_error() {
    #[derive(Debug, PartialEq)]
    struct Broken;

    let verifier = Verifier::builder().app(SdkApp::unsigned(7)).build().unwrap();
    let inner = tower::service_fn(|_: Request<WebhookBody>| async {
        Err::<Response<WebhookBody>, _>(Broken)
    });
    let service = WebhookLayer::<CallEnded>::new(verifier).layer(inner);
    assert_eq!(service.clone().oneshot(request(ENDED)).await.err(), Some(Broken));
    assert!(service.oneshot(request("/?SdkAppid=8")).await.is_ok());
}
