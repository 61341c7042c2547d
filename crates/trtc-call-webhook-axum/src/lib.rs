#![doc = include_str!("../README.md")]

mod ack;
mod answer;
mod extract;
mod rejection;

pub use ack::Ack;
pub use extract::Webhook;
pub use rejection::WebhookRejection;
#[doc(no_inline)]
pub use trtc_call_webhook::{
    App, CallEnded, CallStarted, Callback, Delivery, Error, ErrorKind, Event, MemberChanged,
    Receiver, Undecoded,
};
