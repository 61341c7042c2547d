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

mod admin;
mod client;
mod code;
mod error;
mod log;
mod rate_limit;
mod record;
mod records;
mod redact;
mod region;
mod reply;
mod request;
mod retry;
mod secret_key;
mod settings;
mod tls;
mod transport;
mod user_sig;

pub use client::{BuildError, Client, ClientBuilder, Egress};
pub use code::Code;
pub use error::{Error, ErrorKind};
pub use record::Record;
pub use records::Records;
pub use region::{InvalidRegion, Region};
pub use secret_key::{SecretKey, SecretKeyError};
pub use settings::CallbackSettings;
/// The crate whose types records and commands are read with, for whatever else it has.
#[doc(no_inline)]
pub use trtc_call_webhook;
pub use user_sig::{Claims, InvalidUserSig, UserSig};
