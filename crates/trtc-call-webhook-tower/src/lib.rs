#![doc = include_str!("../README.md")]
#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used,
        reason = "what a peer sends must not panic, overflow, or change a number without a word"
    )
)]

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
