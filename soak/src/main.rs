//! A million callbacks to each example server, and the proof that every acknowledged event was
//! handed over exactly once. The README says how to run it and to read it.

mod call;
mod callback;
mod hostile;
mod ledger;
mod memory;
mod random;
mod report;
mod run;
mod server;
mod tally;

use std::process::{self, Command, ExitCode};
use std::sync::{Arc, Mutex};
use std::{env, fs, io};

use clap::Parser;
use clap::builder::PossibleValuesParser;
use conformance::books::Books;
use conformance::crashes;
use conformance::programs::{BILLING, EXAMPLES, Programs};

use crate::ledger::Ledger;
use crate::report::Outcome;
use crate::server::Server;

/// Sends callbacks to the example servers, and checks what they answer and print.
#[derive(Parser)]
struct Arguments {
    /// How many callbacks each server gets.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    callbacks: u64,
    /// One server instead of all of them.
    #[arg(long, value_parser = PossibleValuesParser::new(EXAMPLES))]
    example: Option<String>,
    /// Over how many connections they travel.
    // The servers have room for 4096, less what their workers cannot share evenly and what is just
    // being closed; a connection without room would wait until the others end.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=4000))]
    connections: u16,
    /// Another seed sends other callbacks, the same one the same.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    seed: u64,
    /// Instead: kills the billing example so many times, as one process and as two that share a file.
    #[arg(long)]
    kills: Option<u64>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let is_well = match arguments.kills {
        Some(kills) => kill(kills, arguments.seed),
        None => soak(&arguments),
    };
    match is_well {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// What the figures depend on.
const MACHINE: &str = r#"
echo "- processor:$(grep -m1 '^model name' /proc/cpuinfo | cut -d: -f2), $(nproc) cores"
echo "- system: $(uname -sr), load average $(cut -d' ' -f1 /proc/loadavg) at the start"
echo "- compiler: $(rustc -V), commit: $(git describe --always --dirty)"
"#;

/// Whether all that was acknowledged between kills is billed once.
fn kill(kills: u64, seed: u64) -> io::Result<bool> {
    let programs = Programs::build_beside(&[BILLING]);
    let folder = env::temp_dir().join(format!("trtc-call-kills-{}", process::id()));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    println!("| processes | kills | sent | acknowledged | lost | billed twice | wrong |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let mut is_well = true;
    for processes in [1, 2] {
        let plan = crashes::Plan { kills, processes, seed };
        let books = Books::new(&folder);
        let outcome = runtime.block_on(crashes::run(&programs, &books, plan));
        let [lost, doubled, wrong] =
            [&outcome.lost, &outcome.doubled, &outcome.wrong].map(|calls| calls.len());
        let crashes::Outcome { sent, acknowledged, .. } = outcome;
        println!(
            "| {processes} | {kills} | {sent} | {acknowledged} | {lost} | {doubled} | {wrong} |"
        );
        is_well &= outcome.is_right();
    }
    // What is not right is kept to be looked at.
    if is_well { fs::remove_dir_all(folder).map(|()| true) } else { Ok(false) }
}

/// Whether all is well.
fn soak(arguments: &Arguments) -> io::Result<bool> {
    let plan = run::Plan {
        callbacks: arguments.callbacks,
        connections: usize::from(arguments.connections),
        seed: arguments.seed,
    };
    let is_asked = |name: &&str| arguments.example.as_deref().is_none_or(|asked| asked == *name);
    let names: Vec<&'static str> = EXAMPLES.into_iter().filter(is_asked).collect();
    let machine = Command::new("sh").args(["-c", MACHINE]).output()?.stdout;
    let machine = String::from_utf8_lossy(&machine);
    let programs = Programs::build_beside(&names);
    let mut outcomes = Vec::new();
    for name in names {
        eprintln!("{name}: {} callbacks", plan.callbacks);
        outcomes.push(against(&programs, name, plan)?);
    }
    println!("{machine}- connections: {}, seed: {}\n", plan.connections, plan.seed);
    print!("{}", report::table(&outcomes));
    Ok(outcomes.iter().all(|outcome| outcome.faults().is_empty()))
}

fn against(programs: &Programs, name: &'static str, plan: run::Plan) -> io::Result<Outcome> {
    let ledger = Arc::new(Mutex::new(Ledger::new(plan.seed, plan.callbacks)));
    let printed = Arc::clone(&ledger);
    let server = Server::start(programs, name, move |line| {
        printed.lock().expect("nobody panics").printed(line.as_bytes());
    });
    let before = server.descriptors_when_calm()?;
    // One thread: the others are the server's.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(run::run(plan, server, Arc::clone(&ledger)))?;
    let after = done.server.descriptors_after(before)?;
    let peak = done.server.memory("VmHWM")?;
    let ended = done.server.stop();
    let verdict = ledger.lock().expect("nobody panics").verdict();
    Ok(Outcome {
        name,
        tally: done.tally,
        verdict,
        time: done.time,
        memory: done.memory,
        peak,
        descriptors: (before, after),
        ended,
    })
}
