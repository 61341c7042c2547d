//! What a durable acknowledgement costs, measured side by side. The README says how to run it and to
//! read it.

mod callbacks;
mod held_up;
mod http;
mod jobs;
mod postgres;
mod puts;
mod report;
mod scale;
mod size;
mod start;
mod stores;
mod table;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::scale::Scale;

/// Whatever goes wrong ends the run.
type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// Measures what a durable acknowledgement costs, and prints it as tables.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    /// Measures the inbox on PostgreSQL, on a server that it starts.
    #[arg(long)]
    postgres: bool,
    /// Keeps the tables in RESULTS.md, or in RESULTS-POSTGRES.md.
    #[arg(long, conflicts_with = "quick")]
    write: bool,
    /// Takes some seconds: whether it works, not how fast.
    #[arg(long)]
    quick: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serves callbacks over HTTP, for ever; stores them if it is told where.
    #[command(hide = true)]
    Serve { inbox: Option<PathBuf> },
    /// Works off what waits, and says how that went.
    #[command(hide = true)]
    WorkOff { inbox: PathBuf, jobs: u64 },
    /// Does a part of what is measured on PostgreSQL, in a process of its own.
    #[command(hide = true, subcommand)]
    Postgres(postgres::Part),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        _ if cfg!(debug_assertions) => Err("it measures optimized code: --release".into()),
        None if arguments.postgres => postgres::run(arguments.quick, arguments.write).await,
        None => {
            let scale = if arguments.quick { Scale::QUICK } else { Scale::FULL };
            report::run(&scale, arguments.write).await
        }
        Some(Command::Serve { inbox }) => http::serve(inbox).await,
        Some(Command::WorkOff { inbox, jobs }) => jobs::work_off_here(&inbox, jobs).await,
        Some(Command::Postgres(part)) => part.run().await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
