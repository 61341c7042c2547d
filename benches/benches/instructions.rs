//! Instructions and blocks of memory of the operations, by `gungraun`. The program `benches` starts
//! it, and reads what it says.

#![allow(missing_docs, clippy::must_use_candidate, reason = "the macros' own items")]

use benches::{Op, TIMES, names};
use gungraun::prelude::*;
use gungraun::{Callgrind, Dhat, EventKind};

/// The first run is for what happens once. DHAT is told to see all of a stack: else it loses blocks.
fn ready(name: impl AsRef<str>) -> Op {
    let mut op = Op::named(name.as_ref());
    op.run(1);
    op
}

/// A count may be at most 5 per cent above the recorded one.
fn limit(place: usize) -> LibraryBenchmarkConfig {
    let (name, record) = (&names::held()[place], include_str!("../instructions.txt"));
    let recorded = record.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    let most: u64 = recorded.unwrap_or(0) * TIMES * 105 / 100;
    let callgrind = Callgrind::default().hard_limits([(EventKind::Ir, most)]).clone();
    LibraryBenchmarkConfig::default().tool(callgrind).clone()
}

#[library_benchmark]
#[bench::gate_0(args = (&names::held()[0]), setup = ready, config = limit(0))]
#[bench::gate_1(args = (&names::held()[1]), setup = ready, config = limit(1))]
#[bench::gate_2(args = (&names::held()[2]), setup = ready, config = limit(2))]
#[bench::gate_3(args = (&names::held()[3]), setup = ready, config = limit(3))]
#[bench::gate_4(args = (&names::held()[4]), setup = ready, config = limit(4))]
#[bench::gate_5(args = (&names::held()[5]), setup = ready, config = limit(5))]
#[bench::gate_6(args = (&names::held()[6]), setup = ready, config = limit(6))]
#[bench::gate_7(args = (&names::held()[7]), setup = ready, config = limit(7))]
#[bench::gate_8(args = (&names::held()[8]), setup = ready, config = limit(8))]
#[benches::gate_compared(iter = names::compared(), setup = ready)]
#[benches::counted(iter = names::counted(), setup = ready)]
#[benches::blocks(iter = names::allocating(), setup = ready, config = LibraryBenchmarkConfig::default().tool(Dhat::with_args(["--num-callers=200"])))]
#[benches::wrong_digit(iter = names::wrong_digits(), setup = ready)]
#[benches::matching_token(iter = names::matching_tokens(), setup = ready)]
fn run(mut op: Op) -> Op {
    op.run(TIMES);
    op
}

library_benchmark_group!(name = operations, benchmarks = run);

main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
    library_benchmark_groups = operations
);
