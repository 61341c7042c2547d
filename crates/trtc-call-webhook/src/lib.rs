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
mod app;
mod client_ip;
mod decode;
mod dedup;
mod delivery;
mod error;
mod event;
// It holds nothing but text.
#[cfg(any(doc, doctest))]
pub mod guide;
mod head;
mod hex;
mod json;
mod log;
mod names;
mod params;
mod query;
mod rejection;
mod room;
pub mod sender;
mod signature;
mod time;
mod user_ids;
mod verifier;
mod wire;

pub use answer::{Ack, Answer};
pub use app::App;
pub use client_ip::ClientIp;
pub use decode::decode;
pub use dedup::IdempotencyKey;
pub use delivery::{Delivery, Receipt};
pub use error::{Error, ErrorKind, Fault};
pub use event::{
    CallEnded, CallStarted, Callback, Event, Member, MemberChange, MemberChanged, OtherCallback,
    Undecoded,
};
pub use head::{BodyBuffer, Head, content_length};
pub use names::{
    ActionType, CallResult, CallType, Command, ContentType, MediaType, MemberStatus, OptPlatform,
};
pub use params::Params;
pub use rejection::Rejection;
pub use room::{RoomId, RoomIdType};
pub use signature::{Sign, Token};
pub use time::{UnixMillis, UnixSeconds};
pub use user_ids::{UserIds, UserIdsIter};
pub use verifier::{BuildError, Verifier, VerifierBuilder};
