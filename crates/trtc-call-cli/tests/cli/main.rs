//! The real binary, run as people run it.

#![cfg(unix)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "tests"
)]

mod colours;
mod common;
mod demo;
mod explain;
mod listen;
mod manual;
mod send;
