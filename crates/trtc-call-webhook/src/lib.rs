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

pub mod adapter;
mod answer;
mod config;
mod decode;
mod delivery;
mod error;
mod event;
// It holds nothing but text.
#[cfg(any(doc, doctest))]
pub mod guide;
mod head;
mod hex;
mod idempotency_key;
mod log;
mod parameter;
mod params;
mod query;
pub mod sender;
mod signature;
mod verifier;
mod wire;

pub use answer::Ack;
pub use config::{BuildError, InvalidSdkAppId, SdkApp, SdkAppId, VerifierBuilder};
pub use decode::{Event, Undecoded, decode};
pub use delivery::Delivery;
pub use error::{Error, ErrorKind, Reason};
pub use event::{
    ActionType, AskReason, Billing, CallEnded, CallResult, CallStarted, CallType, Callback,
    Command, MediaType, Member, MemberChange, MemberChanged, MemberStatus, OtherCallback, RoomId,
    RoomIdType, UnixMillis, UnixSeconds,
};
pub use idempotency_key::IdempotencyKey;
pub use parameter::Parameter;
pub use params::{ClientIp, ContentType, OptPlatform, Params};
pub use signature::{Sign, Signature, Token};
pub use verifier::Verifier;
