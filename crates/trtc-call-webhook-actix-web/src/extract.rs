//! The extractor.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use trtc_call_webhook::{CallEnded, Delivery, Error, Event, Receipt};

use crate::config::{self, WebhookConfig};
use crate::read::{self, Reading};
use crate::rejection::WebhookRejection;

/// Extracts a verified callback, decoded as `E`.
///
/// The request's SDKAppID and signature are checked before anything of its payload is read. `E` is
/// [`CallEnded`] unless said otherwise; another event,
/// [`Callback`](trtc_call_webhook::Callback) for every command, or
/// [`Undecoded`](trtc_call_webhook::Undecoded) for the bytes as they came. Authentic callbacks for
/// a command that `E` does not take are acknowledged, and the handler does not run.
///
/// The [`Verifier`](trtc_call_webhook::Verifier) is app data of the app, of a scope or of the
/// resource: the receiver itself, or `web::Data` of it, but not both in sight of one request. A
/// route without one answers 500.
///
/// An acknowledgement without the handler is an error to actix-web's extractors. So where a handler
/// takes a `Result<Webhook<E>, actix_web::Error>`, the error must be returned as it is unless
/// `error.as_error::<WebhookRejection>()` has an [`error`](trtc_call_webhook::Rejection::error); an
/// `Option<Webhook<E>>` loses the difference. For two kinds of event take
/// [`Callback`](trtc_call_webhook::Callback), not `Either`, which reads the payload before us.
///
/// It takes the payload: another extractor of the body in the same handler leaves the later of the
/// two an empty one, which this answers with 400. The receiver's body limit holds;
/// `PayloadConfig` is not consulted.
#[must_use]
pub struct Webhook<E: Event = CallEnded>(pub Delivery<E>);

impl<E: Event> FromRequest for Webhook<E> {
    type Error = actix_web::Error;
    type Future = ExtractFuture<E>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> ExtractFuture<E> {
        let head = config::verifier(request).and_then(|verifier| read::check(verifier, request));
        let state = match head {
            Ok(head) => State::Reading {
                reading: Reading::new(head, payload.take()),
                request: request.clone(),
            },
            Err(error) => State::Refused(Some(WebhookConfig::respond(error, request))),
        };
        ExtractFuture { state, event: PhantomData }
    }
}

/// The future of a [`Webhook`].
#[must_use = "futures do nothing unless polled"]
pub struct ExtractFuture<E> {
    state: State,
    event: PhantomData<fn() -> E>,
}

enum State {
    Refused(Option<actix_web::Error>),
    Reading { reading: Reading, request: HttpRequest },
}

impl<E: Event> Future for ExtractFuture<E> {
    type Output = Result<Webhook<E>, actix_web::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.state {
            State::Refused(error) => {
                error.take().map_or(Poll::Pending, |error| Poll::Ready(Err(error)))
            }
            State::Reading { reading, request } => {
                Poll::Ready(webhook(ready!(reading.poll(cx)), request))
            }
        }
    }
}

fn webhook<E: Event>(
    receipt: Result<Receipt<E>, Error>,
    request: &HttpRequest,
) -> Result<Webhook<E>, actix_web::Error> {
    match receipt {
        Ok(Receipt::Deliver(delivery)) => Ok(Webhook(delivery)),
        Ok(Receipt::Acknowledge(ack)) => Err(WebhookRejection::from(ack).into()),
        Err(error) => Err(WebhookConfig::respond(error, request)),
    }
}

impl<E> fmt::Debug for ExtractFuture<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Refused(_) => "ExtractFuture::Refused",
            State::Reading { .. } => "ExtractFuture::Reading",
        })
    }
}

/// Shared, as the delivery is, whatever the event.
impl<E: Event> Clone for Webhook<E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<E: Event> Deref for Webhook<E> {
    type Target = Delivery<E>;

    fn deref(&self) -> &Delivery<E> {
        &self.0
    }
}

impl<E: Event + fmt::Debug> fmt::Debug for Webhook<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Webhook").field(&self.0).finish()
    }
}
