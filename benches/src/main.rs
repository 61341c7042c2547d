//! What a callback costs, measured side by side. The README says how to run it and to read it.

mod gate;
mod loopback;
mod plot;
mod report;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures what a callback costs, and prints it as tables.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    /// Keeps the tables in RESULTS.md, and the plots beside it.
    #[arg(long)]
    write: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Compares instruction counts with the recorded ones; fails if one has grown.
    Gate {
        /// Rewrites the record.
        #[arg(long)]
        record: bool,
    },
    /// Fails if the instructions of a signature's check depend on where it is wrong, or on which
    /// token it is by.
    ConstantTime,
    /// Serves one handler of one framework, for ever.
    #[command(hide = true)]
    Serve { framework: String, handler: String },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        _ if cfg!(debug_assertions) => Err("it measures optimized code: --release".to_owned()),
        None => report::run(arguments.write).map(|()| true).map_err(|error| error.to_string()),
        Some(Command::Gate { record }) => gate::run(record),
        Some(Command::ConstantTime) => gate::constant_time(),
        Some(Command::Serve { framework, handler }) => {
            Ok(benches::adapters::serve(&framework, &handler))
        }
    };
    let is_well = done.unwrap_or_else(|error| {
        eprintln!("{error}");
        false
    });
    ExitCode::from(u8::from(!is_well))
}
