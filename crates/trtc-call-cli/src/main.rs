//! `trtc-call`: sends the callbacks of Tencent RTC Call, receives them, and shows both at work.

mod args;
mod client;
mod demo;
mod failure;
mod listen;
mod out;
mod sample;
mod send;
mod server;
mod settings;
mod signature;
mod verdict;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Task};

fn main() -> ExitCode {
    let done = match Args::parse().task {
        Task::Demo => demo::run(),
        Task::Send(args) => send::run(args),
        Task::Listen(args) => listen::run(args),
    };
    done.unwrap_or_else(|failure| {
        out::note(&format!("trtc-call: {failure}"));
        ExitCode::from(2)
    })
}
