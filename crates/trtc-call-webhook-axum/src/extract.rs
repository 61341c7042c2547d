//! The extractor: core's checks plugged into axum's request.

use std::fmt;
use std::future::poll_fn;
use std::ops::Deref;
use std::pin::Pin;

use axum_core::RequestExt;
use axum_core::body::Body;
use axum_core::extract::{FromRef, FromRequest, OptionalFromRequest, Request};
use http_body::Body as _;
use trtc_call_webhook::adapter::http::{check, poll_read};
use trtc_call_webhook::adapter::{BodyBuffer, Head, Receipt};
use trtc_call_webhook::{CallEnded, Delivery, Error, Event, Verifier};

use crate::WebhookRejection;

/// Extracts a verified callback, decoded as `E`.
///
/// The request's SDKAppID and signature are checked before anything of its body is read. `E` is
/// [`CallEnded`] unless said otherwise; another event, [`Callback`](crate::Callback) for every
/// command, or [`Undecoded`](crate::Undecoded) for the bytes as they came. Authentic callbacks for a
/// command that `E` does not take are acknowledged, and the handler does not run. A handler of
/// `Option<Webhook<E>>` runs for them with `None`, and for nothing else.
///
/// It consumes the body, so it is the last argument of a handler. The verifier's body limit holds,
/// and axum's own `DefaultBodyLimit` too where it is lower.
///
/// The [`Verifier`] comes from the state of the router, which is the verifier itself or any type
/// from which [`FromRef`] takes it:
///
/// ```
/// use axum::extract::FromRef;
/// use trtc_call_webhook_axum::Verifier;
///
/// #[derive(Clone)]
/// struct AppState {
///     verifier: Verifier,
///     // … and whatever else the app needs
/// }
///
/// impl FromRef<AppState> for Verifier {
///     fn from_ref(state: &AppState) -> Self {
///         state.verifier.clone()
///     }
/// }
/// ```
///
/// Without it a handler does not compile, and `#[axum::debug_handler]` makes the compiler say that
/// `Verifier: FromRef<…>` is what is missing:
///
/// ```compile_fail
/// # use axum::{Router, routing::post};
/// # use trtc_call_webhook_axum::{Ack, Webhook};
/// async fn on_call_end(call: Webhook) -> Ack {
///     Ack::ok()
/// }
///
/// let router: Router = Router::new().route("/callback", post(on_call_end)).with_state("no verifier");
/// ```
#[must_use]
pub struct Webhook<E: Event = CallEnded>(pub Delivery<E>);

impl<S, E> FromRequest<S> for Webhook<E>
where
    S: Send + Sync,
    Verifier: FromRef<S>,
    E: Event,
{
    type Rejection = WebhookRejection;

    fn from_request(
        request: Request,
        state: &S,
    ) -> impl Future<Output = Result<Self, WebhookRejection>> + Send {
        let reading = read(request, &Verifier::from_ref(state));
        async move {
            match reading.await?.receive()? {
                Receipt::Deliver(delivery) => Ok(Self(delivery)),
                Receipt::Acknowledge(ack) => Err(WebhookRejection::NotTaken(ack.into())),
            }
        }
    }
}

/// `None` for an authentic callback whose command `E` does not take; its rejection is always
/// [`Refused`](WebhookRejection::Refused).
impl<S, E> OptionalFromRequest<S> for Webhook<E>
where
    S: Send + Sync,
    Verifier: FromRef<S>,
    E: Event,
{
    type Rejection = WebhookRejection;

    fn from_request(
        request: Request,
        state: &S,
    ) -> impl Future<Output = Result<Option<Self>, WebhookRejection>> + Send {
        let reading = read(request, &Verifier::from_ref(state));
        async move { Ok(reading.await?.receive_optional()?.map(Self)) }
    }
}

/// Checks the head at once, so that the future need not hold it.
fn read(
    request: Request,
    verifier: &Verifier,
) -> impl Future<Output = Result<BodyBuffer, Error>> + Send + use<> {
    let reading = check(verifier, &request).and_then(|head| start(head, request));
    async move {
        let (mut body, mut buffer) = reading?;
        poll_fn(|cx| poll_read(Pin::new(&mut body), &mut buffer, cx)).await?;
        Ok(buffer)
    }
}

/// Starts to read, unless more is announced than the app's own limit lets through.
fn start(head: Head, request: Request) -> Result<(Body, BodyBuffer), Error> {
    let unlimited = request.body().size_hint().upper();
    let body = request.into_limited_body();
    // That limit shows in nothing but the size that it leaves to the body.
    let limit = body.size_hint().upper().filter(|limit| unlimited != Some(*limit));
    match (limit, head.content_length()) {
        (Some(limit), Some(announced)) if announced > limit => Err(head.refuse_too_large(limit)),
        _ => Ok((body, head.read_body())),
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
