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
/// The crate whose rules this one plugs in, for whatever else it has.
#[doc(no_inline)]
pub use trtc_call_webhook;
#[doc(inline)]
pub use trtc_call_webhook::{
    Ack, ActionType, AskReason, Billing, BuildError, CallEnded, CallResult, CallStarted, CallType,
    Callback, Command, Delivery, Error, ErrorKind, Event, IdempotencyKey, MediaType, Member,
    MemberChange, MemberChanged, MemberStatus, OtherCallback, Parameter, Params, Reason, RoomId,
    RoomIdType, SdkApp, SdkAppId, Signature, Token, Undecoded, UnixMillis, UnixSeconds, Verifier,
    VerifierBuilder, decode, sender,
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
