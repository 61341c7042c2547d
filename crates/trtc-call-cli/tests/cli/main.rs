//! The real binary, run as people run it.

#![cfg(unix)]
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests")]

mod colours;
mod common;
mod demo;
mod explain;
mod listen;
mod manual;
mod send;
