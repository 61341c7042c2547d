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

mod acceptance;
mod clock;
mod compared;
mod confirm;
mod inbox;
mod item;
mod job;
mod job_error;
mod log;
mod memory;
mod metrics;
mod query;
pub mod store;
mod throttle;
mod worker;

pub use acceptance::Acceptance;
pub use clock::Clock;
pub use confirm::{Confirm, InvalidConfirm};
pub use inbox::{Erase, Erased, Inbox};
pub use item::{Confirmation, DoneAs, Item, ItemId, NewItem, SignatureFound, Source, State};
pub use job::Job;
pub use job_error::JobError;
pub use memory::MemoryInbox;
pub use query::{AppStats, Filter, Stats};
pub use store::{Pruned, Resolved, Retention, Store, StoreError, StoreErrorKind};
/// The crate whose callbacks are kept, for whatever else it has.
#[doc(no_inline)]
pub use trtc_call_webhook;
pub use worker::{Ran, Stopped, Unhandled, Worker, WorkerBuilder};
