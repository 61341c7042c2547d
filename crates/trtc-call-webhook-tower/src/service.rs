//! The service: checks the head, then leaves the rest to the future.

use std::error::Error as StdError;
use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;
use trtc_call_webhook::adapter::http::check;
use trtc_call_webhook::{Event, Verifier};

use crate::answer::{self, Rejection};
use crate::body::{ResponseBody, WebhookBody};
use crate::future::ResponseFuture;

/// The service that a [`WebhookLayer`](crate::WebhookLayer) makes of another.
pub struct WebhookService<S, E, B = WebhookBody> {
    inner: S,
    verifier: Verifier,
    rejection: Rejection,
    types: PhantomData<fn(E) -> B>,
}

impl<S, E, B> WebhookService<S, E, B> {
    pub(crate) const fn new(inner: S, verifier: Verifier, rejection: Rejection) -> Self {
        Self { inner, verifier, rejection, types: PhantomData }
    }

    /// The inner service.
    #[must_use]
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service, to change it.
    #[must_use]
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The inner service by value.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, E, B, ReqBody, ResBody> Service<Request<ReqBody>> for WebhookService<S, E, B>
where
    S: Service<Request<B>, Response = Response<ResBody>> + Clone,
    E: Event,
    B: From<Bytes>,
    ReqBody: Body<Error: Into<Box<dyn StdError + Send + Sync>>>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, E, B, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        // Only the service that was polled ready may be called, so that one goes into the future
        // and its clone stays. It is taken out before the checks: refused requests then drop it,
        // and with it what readiness may have reserved, a permit of `ConcurrencyLimit` say.
        let clone = self.inner.clone();
        let ready = mem::replace(&mut self.inner, clone);
        match check(&self.verifier, &request) {
            Ok(head) => ResponseFuture::reading(head, request, ready, self.rejection.clone()),
            Err(error) => {
                let response = self.rejection.response(error);
                ResponseFuture::answered(answer::without_body_for_head(request.method(), response))
            }
        }
    }
}

impl<S: Clone, E, B> Clone for WebhookService<S, E, B> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.verifier.clone(), self.rejection.clone())
    }
}

impl<S: fmt::Debug, E, B> fmt::Debug for WebhookService<S, E, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookService")
            .field("inner", &self.inner)
            .field("verifier", &self.verifier)
            .field("rejection", &self.rejection)
            .finish_non_exhaustive()
    }
}
