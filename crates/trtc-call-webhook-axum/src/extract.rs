//! The extractor: core's checks plugged into axum's request.

use std::error::Error as _;
use std::fmt;
use std::ops::Deref;

use axum_core::RequestExt;
use axum_core::extract::{FromRef, FromRequest, Request};
use http::header::CONTENT_LENGTH;
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError};
use trtc_call_webhook::{
    BodyBuffer, CallEnded, Delivery, Error, Event, Head, Receipt, Verifier, content_length,
};

use crate::rejection::WebhookRejection;

/// Extracts a verified callback, decoded as `E`.
///
/// The request's SDKAppID and signature are checked before anything of its body is read. `E` is
/// [`CallEnded`] unless said otherwise; another event,
/// [`Callback`](trtc_call_webhook::Callback) for every command, or [`Undecoded`](trtc_call_webhook::Undecoded) for the bytes as
/// they came. Authentic callbacks for a command that `E` does not take are acknowledged, and the
/// handler does not run.
///
/// It consumes the body, so it is the last argument of a handler. The receiver's body limit holds,
/// and axum's own `DefaultBodyLimit` too where it is lower.
///
/// The [`Verifier`] comes from the state of the router, which is the receiver itself or any type
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
/// let router: Router = Router::new().route("/callback", post(on_call_end)).with_state("no receiver");
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

    async fn from_request(request: Request, state: &S) -> Result<Self, WebhookRejection> {
        let head = check(&Verifier::from_ref(state), &request)?;
        match read(head, request).await?.receive()? {
            Receipt::Deliver(delivery) => Ok(Self(delivery)),
            Receipt::Acknowledge(ack) => Err(WebhookRejection::from(ack)),
        }
    }
}

fn check(verifier: &Verifier, request: &Request) -> Result<Head, Error> {
    let announced = request.headers().get(CONTENT_LENGTH);
    let announced = announced.and_then(|value| content_length(value.as_bytes()));
    // A body that knows its size need not have a header that says it.
    let at_least = Some(request.body().size_hint().lower());
    verifier.check(
        request.method().as_str(),
        request.uri().query().unwrap_or_default(),
        announced.max(at_least),
    )
}

async fn read(head: Head, request: Request) -> Result<BodyBuffer, Error> {
    let mut body = request.into_limited_body();
    let mut buffer = head.read_body();
    while let Some(frame) = body.frame().await {
        match frame {
            // A frame without data holds trailers.
            Ok(frame) => frame.data_ref().map_or(Ok(()), |chunk| buffer.push(chunk))?,
            Err(error) if is_length_limit(&error) => return Err(buffer.too_large()),
            Err(error) => return Err(buffer.unreadable(error)),
        }
    }
    Ok(buffer)
}

/// Whether a limit of the app's own cut the body off, however deep its error is wrapped.
fn is_length_limit(error: &axum_core::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if error.is::<LengthLimitError>() {
            return true;
        }
        source = error.source();
    }
    false
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
