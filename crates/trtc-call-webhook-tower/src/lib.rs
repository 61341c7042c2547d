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
// Core's whole vocabulary, so that a server depends on this crate alone.
#[doc(no_inline)]
pub use trtc_call_webhook::*;

pub use answer::ack;

/// The delivery that a [`WebhookLayer`] around this service has put into a request.
///
/// `None` if there is no such layer, or one for another event. In axum, `Extension<Delivery<E>>`
/// extracts the same.
#[must_use]
pub fn delivery<E: Event, B>(request: &http::Request<B>) -> Option<&Delivery<E>> {
    request.extensions().get()
}
