#![doc = include_str!("../README.md")]

mod answer;
mod body;
mod future;
mod layer;
mod service;

pub use body::{ResponseBody, WebhookBody};
pub use future::ResponseFuture;
pub use layer::WebhookLayer;
pub use service::WebhookService;
#[doc(no_inline)]
pub use trtc_call_webhook::{
    Ack, App, CallEnded, CallStarted, Callback, Delivery, Error, ErrorKind, Event, MemberChanged,
    Receiver, Undecoded,
};

pub use answer::ack;

/// The delivery that a [`WebhookLayer`] around this service has put into a request.
///
/// `None` if there is no such layer, or one for another event. In axum, `Extension<Delivery<E>>`
/// extracts the same.
#[must_use]
pub fn delivery<E: Event, B>(request: &http::Request<B>) -> Option<&Delivery<E>> {
    request.extensions().get()
}
