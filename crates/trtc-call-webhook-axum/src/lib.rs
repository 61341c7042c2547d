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

mod ack;
mod extract;
mod rejection;

pub use ack::Ack;
pub use extract::Webhook;
pub use rejection::WebhookRejection;
/// The crate whose rules this one plugs in, for whatever else it has.
#[doc(no_inline)]
pub use trtc_call_webhook;
#[doc(inline)]
pub use trtc_call_webhook::{
    ActionType, AskReason, Billing, BuildError, CallEnded, CallResult, CallStarted, CallType,
    Callback, Command, Delivery, Error, ErrorKind, Event, IdempotencyKey, MediaType, Member,
    MemberChange, MemberChanged, MemberStatus, OtherCallback, Parameter, Params, Reason, RoomId,
    RoomIdType, SdkApp, SdkAppId, Signature, Token, Undecoded, UnixMillis, UnixSeconds, Verifier,
    VerifierBuilder, decode, sender,
};
