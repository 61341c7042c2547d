//! The real binary, run as people run it.

#![cfg(unix)]

mod colours;
mod common;
mod demo;
mod explain;
mod inbox;
mod listen;
mod manual;
mod send;
