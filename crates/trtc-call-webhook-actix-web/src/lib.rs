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
mod answer;
mod config;
mod extract;
mod middleware;
mod read;
mod rejection;

pub use ack::Ack;
pub use config::WebhookConfig;
pub use extract::{ExtractFuture, Webhook};
pub use middleware::{MiddlewareFuture, WebhookMiddleware, WebhookService};
pub use rejection::WebhookRejection;
// Core's whole vocabulary, so that a server depends on this crate alone.
#[doc(no_inline)]
pub use trtc_call_webhook::*;
