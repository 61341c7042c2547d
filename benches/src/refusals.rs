//! What a refused head costs in core, against an accepted request.

use crate::cases::MAIN;
use crate::counts::Counts;
use crate::op::{Name, Op, Step, What, Who};
use crate::table::{Table, by, counted, ratio, whole};
use crate::timing::Times;
use crate::valgrind::Count;

/// What is compared: an accepted request first.
fn names() -> [(&'static str, Name); 3] {
    [
        ("accepted, with its body", What::Core(Step::All, Who::Ours)),
        ("refused: foreign app", What::Foreign),
        ("refused: bad signature", What::BadlySigned),
    ]
    .map(|(text, what)| (text, Name::new(what, MAIN)))
}

/// What valgrind is to count for it.
pub(crate) fn jobs() -> Vec<(Name, Count)> {
    names().into_iter().skip(1).map(|(_, name)| (name, Count::Instructions)).collect()
}

/// The times.
#[derive(Debug)]
pub(crate) struct Refusals(Times);

impl Refusals {
    pub(crate) fn measure(rounds: usize) -> Self {
        let mut operations = names().map(|(_, name)| Op::find(&name).unwrap());
        Self(Times::measure(&mut operations, rounds))
    }

    /// The larger of the two refusals by an accepted request: in instructions, or without valgrind
    /// in time.
    pub(crate) fn to_accepted(&self, counts: &Counts) -> f64 {
        let [(_, accepted), refused @ ..] = names();
        let counted = refused
            .iter()
            .map(|(_, name)| by(counts.instructions(name), counts.instructions(&accepted)));
        let timed = || self.0.ratio(1, 0).max(self.0.ratio(2, 0));
        counted
            .collect::<Option<Vec<_>>>()
            .map_or_else(timed, |ratios| ratios.into_iter().fold(0.0, f64::max))
    }

    pub(crate) fn table(&self, counts: &Counts) -> Table {
        let mut table = Table::new(
            "Refusals, in core",
            "A refused request ends with its head; its body is not touched.",
            1,
            &["request", "ns", "to accepted", "instructions", "to accepted"],
        );
        let [(_, accepted), ..] = names();
        for (place, (text, name)) in names().iter().enumerate() {
            let instructions = counts.instructions(name);
            table.row([
                (*text).to_owned(),
                whole(self.0.median(place)),
                ratio(self.0.ratio(place, 0)),
                counted(instructions, whole),
                counted(by(instructions, counts.instructions(&accepted)), ratio),
            ]);
        }
        table
    }
}
