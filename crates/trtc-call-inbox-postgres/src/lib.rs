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
mod client;
mod clock;
mod commits;
mod complete;
mod connect;
mod error;
mod hosts;
mod inbox;
mod integrity;
mod lead;
mod lease;
mod log;
mod options;
mod pool;
mod put;
mod read;
mod records;
mod row;
mod schema;
mod settle;
mod text;
mod time;
mod tls;
mod url;

pub use client::Client;
pub use complete::CompleteIn;
pub use inbox::PostgresInbox;
pub use options::PostgresOptions;
/// The crate whose [`Transaction`](tokio_postgres::Transaction) a job is completed in.
#[doc(no_inline)]
pub use tokio_postgres;
