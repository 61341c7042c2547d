//! What is measured: the operations, by their names, and the servers. The two programs in
//! `benches/` count and time the operations, and `main.rs` makes the report of it.

#![allow(
    missing_debug_implementations,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a measurement that cannot go on has to stop, loudly"
)]

pub mod adapters;
mod bodies;
pub mod cases;
mod floor;
mod hand_written;
pub mod names;
mod op;
mod ours;
mod peers;

pub use op::{Op, TIMES};
