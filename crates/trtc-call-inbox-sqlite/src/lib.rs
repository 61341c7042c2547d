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
mod ask;
mod busy;
mod checkpoint;
mod closure;
mod engine;
mod error;
mod file;
mod guard;
mod inbox;
mod lead;
mod lease;
mod log;
mod open;
mod options;
mod put;
mod read;
mod record;
mod rivals;
mod row;
mod schema;
mod settle;
mod time;
mod writer;

pub use closure::CompleteWith;
pub use inbox::SqliteInbox;
pub use options::SqliteOptions;
/// The crate whose [`Transaction`](rusqlite::Transaction) statements are run in.
#[doc(no_inline)]
pub use rusqlite;

#[cfg(test)]
extern crate self as trtc_call_inbox_sqlite;

#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;
