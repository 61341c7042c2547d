//! The future of a response: reads the body, then calls the inner service.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;
use trtc_call_webhook::Event;
use trtc_call_webhook::adapter::http::poll_read;
use trtc_call_webhook::adapter::{BodyBuffer, Head, Receipt};

use crate::answer::{self, Rejection};
use crate::body::ResponseBody;

pin_project! {
    /// The future of a [`WebhookService`](crate::WebhookService).
    ///
    /// Dropped at any time, it leaves nothing behind: the inner service is called only once the
    /// whole body is verified.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, E, B, ReqBody>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, S::Future, ReqBody>,
        types: PhantomData<fn(E) -> B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F, ReqBody> {
        Reading {
            #[pin]
            body: ReqBody,
            reading: Option<Reading<S>>,
        },
        Calling {
            #[pin]
            future: F,
        },
        Answered {
            response: Option<Response<Bytes>>,
        },
    }
}

/// What waits for the body.
struct Reading<S> {
    parts: Parts,
    buffer: BodyBuffer,
    inner: S,
    rejection: Rejection,
}

impl<S, E, B, ReqBody> ResponseFuture<S, E, B, ReqBody>
where
    S: Service<Request<B>>,
{
    pub(crate) fn reading(
        head: Head,
        request: Request<ReqBody>,
        inner: S,
        rejection: Rejection,
    ) -> Self {
        let (parts, body) = request.into_parts();
        let reading = Some(Reading { parts, buffer: head.read_body(), inner, rejection });
        Self { state: State::Reading { body, reading }, types: PhantomData }
    }

    pub(crate) const fn answered(response: Response<Bytes>) -> Self {
        Self { state: State::Answered { response: Some(response) }, types: PhantomData }
    }
}

impl<S, E, B, ReqBody, ResBody> Future for ResponseFuture<S, E, B, ReqBody>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    E: Event,
    B: From<Bytes>,
    ReqBody: Body<Error: Into<Box<dyn StdError + Send + Sync>>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Reading { body, reading } => {
                    let Some(waiting) = reading else { return polled_after_completion() };
                    let read = ready!(poll_read(body, &mut waiting.buffer, cx));
                    let Some(Reading { parts, buffer, mut inner, rejection }) = reading.take()
                    else {
                        return polled_after_completion();
                    };
                    match read.and_then(|()| buffer.receive::<E>()) {
                        Ok(Receipt::Deliver(delivery)) => {
                            let body = B::from(delivery.body().clone());
                            let mut request = Request::from_parts(parts, body);
                            request.extensions_mut().insert(delivery);
                            State::Calling { future: inner.call(request) }
                        }
                        Ok(Receipt::Acknowledge(ack)) => {
                            State::Answered { response: Some(answer::ack(ack)) }
                        }
                        Err(error) => State::Answered { response: Some(rejection.response(error)) },
                    }
                }
                StateProjection::Calling { future } => {
                    return future.poll(cx).map_ok(|response| response.map(ResponseBody::inner));
                }
                StateProjection::Answered { response } => {
                    let Some(response) = response.take() else { return polled_after_completion() };
                    return Poll::Ready(Ok(response.map(ResponseBody::answer)));
                }
            };
            state.set(next);
        }
    }
}

/// A future that is polled after it has completed stays pending; it must not panic the server.
const fn polled_after_completion<T>() -> Poll<T> {
    Poll::Pending
}

impl<S, E, B, ReqBody> fmt::Debug for ResponseFuture<S, E, B, ReqBody>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.state {
            State::Reading { .. } => "ResponseFuture::Reading",
            State::Calling { .. } => "ResponseFuture::Calling",
            State::Answered { .. } => "ResponseFuture::Answered",
        })
    }
}
