#![doc = include_str!("../README.md")]

mod ack;
mod answer;
mod extract;
mod rejection;

pub use ack::Ack;
pub use extract::Webhook;
pub use rejection::WebhookRejection;
// Core's whole vocabulary, so that a server depends on this crate alone.
#[doc(no_inline)]
pub use trtc_call_webhook::*;
