//! The extractors.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use trtc_call_webhook::adapter::{BodyBuffer, Receipt};
use trtc_call_webhook::{CallEnded, Delivery, Event};

use crate::Ack;
use crate::config::{self, WebhookConfig};
use crate::read::{self, Reading};
use crate::rejection::WebhookRejection;

/// Extracts a verified callback, decoded as `E`.
///
/// The request's SDKAppID and signature are checked before anything of its payload is read. `E` is
/// [`CallEnded`] unless said otherwise; another event, [`Callback`](crate::Callback) for every
/// command, or [`Undecoded`](crate::Undecoded) for the bytes as they came. Authentic callbacks for a
/// command that `E` does not take are acknowledged, and the handler does not run. A handler that is to
/// run for them too takes a [`MaybeWebhook`].
///
/// The [`Verifier`](crate::Verifier) is app data of the app, of a scope or of the resource: the
/// verifier itself, or `web::Data` of it, but not both in sight of one request. A route without one
/// answers 500.
///
/// Do not take `Option<Webhook<E>>` or `Result<Webhook<E>, _>`: actix-web runs such a handler after
/// every refusal, and what it acknowledges then may be a forgery. For two kinds of event take
/// [`Callback`](crate::Callback), not `Either`, which reads the payload before us.
///
/// It takes the payload. Where another extractor of the same handler has taken it before, a request
/// that has a body is answered with 500, and the log says why; one that comes after finds it empty.
/// The verifier's body limit holds; `PayloadConfig` is not consulted.
#[must_use]
pub struct Webhook<E: Event = CallEnded>(pub Delivery<E>);

impl<E: Event> FromRequest for Webhook<E> {
    type Error = actix_web::Error;
    type Future = ExtractFuture<E, Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ExtractFuture::new(request, payload)
    }
}

/// A [`Webhook`] for a handler that runs for every authentic callback: `None` is one for a command that
/// `E` does not take, and nothing else. Refusals are answered without the handler.
///
/// ```
/// use trtc_call_webhook_actix_web::{Ack, CallEnded, MaybeWebhook};
///
/// async fn on_call_end(MaybeWebhook(call): MaybeWebhook<CallEnded>) -> Ack {
///     match call {
///         Some(call) => println!("{} ended", call.call_id),
///         None => println!("another callback"),
///     }
///     Ack::ok()
/// }
/// ```
#[must_use]
pub struct MaybeWebhook<E: Event = CallEnded>(pub Option<Delivery<E>>);

impl<E: Event> FromRequest for MaybeWebhook<E> {
    type Error = actix_web::Error;
    type Future = ExtractFuture<E, Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ExtractFuture::new(request, payload)
    }
}

/// What an extractor makes of a body that arrived.
#[expect(unnameable_types, reason = "a bound of `ExtractFuture`, for our extractors alone")]
pub trait FromBody: Sized {
    /// The extractor, or what the request is answered with instead.
    fn from_body(buffer: BodyBuffer, request: &HttpRequest) -> Result<Self, actix_web::Error>;
}

impl<E: Event> FromBody for Webhook<E> {
    fn from_body(buffer: BodyBuffer, request: &HttpRequest) -> Result<Self, actix_web::Error> {
        match buffer.receive() {
            Ok(Receipt::Deliver(delivery)) => Ok(Self(delivery)),
            Ok(Receipt::Acknowledge(ack)) => {
                Err(WebhookRejection::NotTaken(Ack::from(ack).to(request)).into())
            }
            Err(error) => Err(WebhookConfig::respond(error, request)),
        }
    }
}

impl<E: Event> FromBody for MaybeWebhook<E> {
    fn from_body(buffer: BodyBuffer, request: &HttpRequest) -> Result<Self, actix_web::Error> {
        let delivery = buffer.receive_optional();
        delivery.map(Self).map_err(|error| WebhookConfig::respond(error, request))
    }
}

/// The future of a [`Webhook`] or a [`MaybeWebhook`].
#[must_use = "futures do nothing unless polled"]
pub struct ExtractFuture<E, W> {
    state: State,
    types: PhantomData<fn(E) -> W>,
}

#[expect(clippy::large_enum_variant, reason = "nearly every request is in the large one")]
enum State {
    Refused(Option<actix_web::Error>),
    Reading { reading: Reading, request: HttpRequest },
}

impl<E, W> ExtractFuture<E, W> {
    fn new(request: &HttpRequest, payload: &mut Payload) -> Self {
        let head =
            config::verifier(request).and_then(|verifier| read::check(verifier, request, payload));
        let state = match head {
            Ok(head) => State::Reading {
                reading: Reading::new(head, payload.take()),
                request: request.clone(),
            },
            Err(error) => State::Refused(Some(WebhookConfig::respond(error, request))),
        };
        Self { state, types: PhantomData }
    }
}

impl<E: Event, W: FromBody> Future for ExtractFuture<E, W> {
    type Output = Result<W, actix_web::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.state {
            State::Refused(error) => {
                error.take().map_or(Poll::Pending, |error| Poll::Ready(Err(error)))
            }
            State::Reading { reading, request } => Poll::Ready(match ready!(reading.poll(cx)) {
                Ok(buffer) => W::from_body(buffer, request),
                Err(error) => Err(WebhookConfig::respond(error, request)),
            }),
        }
    }
}

impl<E, W> fmt::Debug for ExtractFuture<E, W> {
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

impl<E: Event> Clone for MaybeWebhook<E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<E: Event + fmt::Debug> fmt::Debug for MaybeWebhook<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MaybeWebhook").field(&self.0).finish()
    }
}
