#![doc = include_str!("../README.md")]

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
