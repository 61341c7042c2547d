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

mod confirm;
mod error;
mod log;
mod pass;
mod progress;
mod reconcile;
mod report;
mod start;

pub use error::Error;
pub use reconcile::Reconcile;
pub use report::Report;
pub use start::Reconciler;
/// The crate whose client asks the vendor.
#[doc(no_inline)]
pub use trtc_call_api;
/// The crate whose inbox is reconciled.
#[doc(no_inline)]
pub use trtc_call_inbox;
