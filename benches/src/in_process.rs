//! The adapters without a socket: what a request costs in each framework.

use crate::adapters::{Framework, Variant};
use crate::cases::MAIN;
use crate::counts::Counts;
use crate::op::{Name, Step, What, Who};
use crate::table::{Table, by, counted, ratio, whole};
use crate::valgrind::Count;

fn name(framework: Framework, variant: Variant) -> Name {
    Name::new(What::Adapter(framework, variant), MAIN)
}

/// What valgrind is to count for it.
pub(crate) fn jobs() -> Vec<(Name, Count)> {
    let mut jobs = Vec::new();
    for framework in Framework::ALL {
        for variant in Variant::ALL {
            for count in [Count::Instructions, Count::Allocations] {
                jobs.push((name(*framework, *variant), count));
            }
        }
    }
    jobs
}

/// A count of a handler, without the making of the request.
fn of(counts: &Counts, framework: Framework, variant: Variant, count: Count) -> Option<f64> {
    let all = counts.get(&name(framework, variant), count)?;
    Some(all - counts.get(&name(framework, Variant::Request), count)?)
}

fn core(counts: &Counts) -> Option<f64> {
    counts.instructions(&Name::new(What::Core(Step::All, Who::Ours), MAIN))
}

/// Ours by the sum of the bare handler and core.
pub(crate) fn to_bare_and_core(counts: &Counts, framework: Framework) -> Option<f64> {
    let of = |variant| of(counts, framework, variant, Count::Instructions);
    by(of(Variant::Ours), Some(of(Variant::Bare)? + core(counts)?))
}

pub(crate) fn table(counts: &Counts) -> Table {
    let mut table = Table::new(
        "Adapters, in process",
        "One request from the framework's request to the answer's last byte, without a socket. \
         The making of the request, `request`, is taken off the others. `core` is all of core for \
         the same callback.",
        1,
        &[
            "framework",
            "instructions: request",
            "bare",
            "hand-written",
            "ours",
            "core",
            "ours/(bare+core)",
            "ours/hand",
            "allocations: request",
            "bare",
            "hand-written",
            "ours",
        ],
    );
    for framework in Framework::ALL {
        let instructions = |variant| of(counts, *framework, variant, Count::Instructions);
        let allocations =
            |variant| counted(of(counts, *framework, variant, Count::Allocations), whole);
        let request = name(*framework, Variant::Request);
        let [bare, hand, ours] =
            [Variant::Bare, Variant::HandWritten, Variant::Ours].map(instructions);
        table.row([
            framework.text().to_owned(),
            counted(counts.instructions(&request), whole),
            counted(bare, whole),
            counted(hand, whole),
            counted(ours, whole),
            counted(core(counts), whole),
            counted(to_bare_and_core(counts, *framework), ratio),
            counted(by(ours, hand), ratio),
            counted(counts.allocations(&request), whole),
            allocations(Variant::Bare),
            allocations(Variant::HandWritten),
            allocations(Variant::Ours),
        ]);
    }
    table
}
