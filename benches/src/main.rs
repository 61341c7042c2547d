//! What a callback costs, measured side by side. The README says how to run it and to read it.

mod adapters;
mod cases;
mod constant_time;
mod core;
mod counts;
mod floor;
mod gate;
mod hand_written;
mod in_process;
mod load;
mod loopback;
mod machine;
mod op;
mod ours;
mod peers;
mod plot;
mod profile;
mod refusals;
mod report;
mod server;
mod statistics;
mod table;
mod timing;
mod valgrind;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::adapters::{Framework, Variant};
use crate::op::{Name, Op};
use crate::profile::Profile;
use crate::server::Pinning;
use crate::valgrind::Valgrind;

/// Measures what a callback costs, and prints it as tables.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    /// Measures a little of everything, in less than a minute.
    #[arg(long)]
    quick: bool,
    /// Keeps the tables in RESULTS.md, and the plots beside it.
    #[arg(long, conflicts_with = "quick")]
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
    /// Prints where the instructions of one callback go, function by function.
    Profile,
    /// Runs one operation so many times, for valgrind.
    #[command(hide = true)]
    Op { name: String, times: u64 },
    /// Serves one handler of one framework.
    #[command(hide = true)]
    Serve { framework: String, variant: String },
    /// Measures over loopback, and prints the result as JSON.
    #[command(hide = true)]
    Loopback {
        pairs: usize,
        refusal_rounds: usize,
        slice_millis: u64,
        /// The servers get a core of their own.
        #[arg(long)]
        pinned: bool,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        None => report::run(arguments.quick, arguments.write).map(|()| ExitCode::SUCCESS),
        Some(command) => run(command),
    };
    done.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::from(2)
    })
}

fn run(command: Command) -> Result<ExitCode, String> {
    match command {
        Command::Gate { record } => return gate::run(record),
        Command::ConstantTime => return constant_time::run(),
        Command::Profile => {
            let valgrind = Valgrind::find().ok_or("there is no valgrind")?;
            let profile = Profile::measure(&valgrind)?;
            print!("{}{}", profile.modules().to_markdown(), profile.functions().to_markdown());
        }
        Command::Op { name, times } => {
            let operation = Name::parse(&name).and_then(|name| Op::find(&name));
            operation.ok_or_else(|| format!("no operation is called {name}"))?.run(times);
        }
        Command::Serve { framework, variant } => {
            let handler = Framework::named(&framework).zip(Variant::named(&variant));
            let (framework, variant) = handler.ok_or("no handler is called so")?;
            server::serve(framework, variant);
        }
        Command::Loopback { pairs, refusal_rounds, slice_millis, pinned } => {
            let slice = Duration::from_millis(slice_millis);
            let plan = loopback::Plan { pairs, slice, refusal_rounds };
            loopback::run(Pinning::new(pinned), plan).map_err(|error| error.to_string())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
