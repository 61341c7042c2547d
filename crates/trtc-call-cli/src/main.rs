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

mod api;
mod args;
mod callback;
mod client;
mod confirm;
mod demo;
mod doctor;
mod event;
mod explain;
mod failure;
mod inbox;
mod input;
mod listen;
mod manual;
mod near;
mod out;
mod printer;
mod progress;
mod reconcile;
mod records;
mod sample;
mod send;
mod server;
mod settings;
mod signals;
mod signature;
mod store;
mod table;
mod time;
mod usersig;
mod vendor;
mod verdict;

use std::process::ExitCode;

use crate::args::{Args, Task};
use crate::failure::Failure;

fn main() -> ExitCode {
    let done =
        Args::read().and_then(|args| args.map_or(Ok(ExitCode::SUCCESS), |args| run(args.task)));
    done.unwrap_or_else(|failure| {
        out::note(&format!("trtc-call: {failure}"));
        ExitCode::from(2)
    })
}

fn run(task: Task) -> Result<ExitCode, Failure> {
    match task {
        Task::Demo(args) => demo::run(&args),
        Task::Send(args) => send::run(*args),
        Task::Listen(args) => listen::run(args),
        Task::Explain(args) => explain::run(*args),
        Task::Inbox(args) => inbox::run(args),
        Task::Usersig(args) => usersig::run(args),
        Task::Callback(args) => callback::run(args),
        Task::Record(args) => records::one(args),
        Task::Records(args) => records::several(args),
        Task::Reconcile(args) => reconcile::run(args),
        Task::Doctor(args) => doctor::run(*args),
        Task::Vendor(args) => vendor::run(*args),
        Task::Completions { shell } => manual::completions(shell),
        Task::Man => manual::man(),
    }
}
