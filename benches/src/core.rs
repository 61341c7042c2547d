//! Core's work, step by step, against the hand-written version, the floor and the peers.

use crate::cases::{self, Case, MAIN};
use crate::counts::Counts;
use crate::op::{Name, Op, Peer, Step, What, Who};
use crate::plot::{self, Bars, Line};
use crate::table::{Table, by, counted, ratio, whole};
use crate::timing::Times;
use crate::valgrind::Count;

/// The members of the calls in the plot.
const MEMBERS: [usize; 8] = [1, 2, 9, 50, 100, 200, 350, 500];

/// What is measured of core.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) cases: &'static [&'static str],
    /// Whether calls with many members are counted for the plot.
    pub(crate) by_members: bool,
    pub(crate) rounds: usize,
}

/// The times of core's operations.
#[derive(Debug)]
pub(crate) struct Core {
    plan: Plan,
    rows: Vec<(&'static str, Step, Times)>,
    peers: Vec<(&'static str, Times)>,
    hash: f64,
    members: Vec<(usize, Times)>,
}

fn core(case: &str, step: Step, who: Who) -> Name {
    Name::new(What::Core(step, who), case)
}

fn with_members(count: usize) -> String {
    format!("members-{count}")
}

/// The operations of one peer's row: ours, then the peers.
fn peer_names(case: &str) -> Vec<Name> {
    let peers = Peer::ALL.iter().map(|peer| Name::new(What::Peer(*peer), case));
    [core(case, Step::All, Who::Ours)].into_iter().chain(peers).collect()
}

fn core_names(case: &str, step: Step) -> Vec<Name> {
    Who::ALL.iter().map(|who| core(case, step, *who)).collect()
}

/// The cells that compare the first of three operations with the others: times, their ratios,
/// instructions, and theirs.
fn compared(times: &Times, names: &[Name], counts: &Counts) -> Vec<String> {
    let [first, second, third] = [0, 1, 2].map(|which| counts.instructions(&names[which]));
    vec![
        whole(times.median(0)),
        whole(times.median(1)),
        whole(times.median(2)),
        ratio(times.ratio(0, 1)),
        ratio(times.ratio(0, 2)),
        counted(first, whole),
        counted(second, whole),
        counted(third, whole),
        counted(by(first, second), ratio),
        counted(by(first, third), ratio),
    ]
}

fn hash() -> Name {
    Name::new(What::Hash, MAIN)
}

/// What valgrind is to count for it.
pub(crate) fn jobs(plan: Plan) -> Vec<(Name, Count)> {
    let mut jobs = vec![(hash(), Count::Instructions)];
    let instructions = |names: Vec<Name>| names.into_iter().map(|name| (name, Count::Instructions));
    let allocations = |names: Vec<Name>| names.into_iter().map(|name| (name, Count::Allocations));
    for case in plan.cases {
        for step in Step::ALL {
            jobs.extend(instructions(core_names(case, *step)));
        }
        jobs.extend(instructions(peer_names(case).split_off(1)));
        jobs.extend(allocations(core_names(case, Step::All)));
    }
    for members in MEMBERS.iter().filter(|_| plan.by_members) {
        let case = with_members(*members);
        if !plan.cases.contains(&case.as_str()) {
            jobs.extend(instructions(core_names(&case, Step::All)));
        }
    }
    jobs
}

impl Core {
    /// Measures the times.
    pub(crate) fn measure(plan: Plan) -> Self {
        let time = |names: Vec<Name>| {
            let mut operations: Vec<Op> =
                names.iter().map(|name| Op::find(name).unwrap()).collect();
            Times::measure(&mut operations, plan.rounds)
        };
        let cases = || plan.cases.iter().copied();
        let steps = cases().flat_map(|case| Step::ALL.iter().map(move |step| (case, *step)));
        let members = MEMBERS.iter().copied().filter(|_| plan.by_members);
        Self {
            plan,
            rows: steps.map(|(case, step)| (case, step, time(core_names(case, step)))).collect(),
            peers: cases().map(|case| (case, time(peer_names(case)))).collect(),
            hash: time(vec![hash()]).median(0),
            members: members
                .map(|members| (members, time(core_names(&with_members(members), Step::All))))
                .collect(),
        }
    }

    /// Ours by another in time, for all of a case.
    pub(crate) fn time_ratio(&self, case: &str, to: Who) -> Option<f64> {
        let (_, _, times) =
            self.rows.iter().find(|(name, step, _)| *name == case && *step == Step::All)?;
        Some(times.ratio(0, place(to)))
    }

    pub(crate) fn table(&self, counts: &Counts) -> Table {
        let mut table = Table::new(
            "Core",
            "Time in nanoseconds, medians of interleaved rounds, ratios round by round; \
             instructions of one run, with the hash in software. `hash` is SHA-256 alone, the same \
             for all three; it is part of `signature`, of `head` and of `all`.",
            2,
            &[
                "case",
                "step",
                "ns: ours",
                "hand-written",
                "floor",
                "ours/hand",
                "ours/floor",
                "instructions: ours",
                "hand-written",
                "floor",
                "ours/hand",
                "ours/floor",
            ],
        );
        let (time, instructions) = (whole(self.hash), counts.instructions(&hash()));
        let mut cells = vec!["any".to_owned(), "hash".to_owned()];
        for text in [time, counted(instructions, whole)] {
            cells.extend([text.clone(), text.clone(), text, ratio(1.0), ratio(1.0)]);
        }
        table.row(cells);
        for (case, step, times) in &self.rows {
            let mut cells = vec![(*case).to_owned(), step.text().to_owned()];
            cells.extend(compared(times, &core_names(case, *step), counts));
            table.row(cells);
        }
        table
    }

    pub(crate) fn peer_table(&self, counts: &Counts) -> Table {
        let mut table = Table::new(
            "Peers",
            "All of a callback by us, and the same body verified and decoded by crates for other \
             webhooks. They sign the body, so their hash is longer, and is in software always; \
             `axum-github-webhook-extract` is an extractor, and the making of a small request is in it.",
            1,
            &[
                "case",
                "body bytes",
                "ns: ours",
                "standardwebhooks",
                "github",
                "ours/standard",
                "ours/github",
                "instructions: ours",
                "standardwebhooks",
                "github",
                "ours/standard",
                "ours/github",
            ],
        );
        for (case, times) in &self.peers {
            let length = Case::named(case).unwrap().body.len();
            let mut cells = vec![(*case).to_owned(), length.to_string()];
            cells.extend(compared(times, &peer_names(case), counts));
            table.row(cells);
        }
        table
    }

    pub(crate) fn allocation_table(&self, counts: &Counts) -> Table {
        let mut table = Table::new(
            "Allocations",
            "Calls of the allocator for all of a callback; growing a block counts too.",
            1,
            &["case", "ours", "hand-written", "floor"],
        );
        for case in self.plan.cases {
            let cells = core_names(case, Step::All)
                .into_iter()
                .map(|name| counted(counts.allocations(&name), whole));
            table.row([(*case).to_owned()].into_iter().chain(cells));
        }
        table
    }

    /// The cost of all by the members of a call: instructions, or without valgrind nanoseconds.
    fn by_members(&self, counts: &Counts, who: Who) -> Vec<(f64, f64)> {
        let point = |(members, times): &(usize, Times)| {
            let name = core(&with_members(*members), Step::All, who);
            let cost = counts.instructions(&name).unwrap_or_else(|| times.median(place(who)));
            (*members as f64, cost)
        };
        self.members.iter().map(point).collect()
    }

    /// What one more member costs between two counts of members.
    fn slope(&self, counts: &Counts, who: Who, from: usize, to: usize) -> Option<f64> {
        let points = self.by_members(counts, who);
        let cost = |members: usize| {
            points.iter().find(|(at, _)| *at == members as f64).map(|(_, cost)| *cost)
        };
        Some((cost(to)? - cost(from)?) / (to - from) as f64)
    }

    /// One more member at 500, ours by the floor's.
    pub(crate) fn member_to_floor(&self, counts: &Counts) -> Option<f64> {
        let slope = |who| self.slope(counts, who, 200, 500);
        by(slope(Who::Ours), slope(Who::Floor))
    }

    /// One more member at 500 by one more of a few: 1 where the cost is linear.
    pub(crate) fn linearity(&self, counts: &Counts) -> Option<f64> {
        let slope = |from, to| self.slope(counts, Who::Ours, from, to);
        by(slope(200, 500), slope(9, 200))
    }

    pub(crate) fn plot_by_members(&self, counts: &Counts) -> String {
        let unit = if counts.instructions(&hash()).is_some() { "instructions" } else { "ns" };
        let line =
            |who: &Who| Line { name: who.text().to_owned(), points: self.by_members(counts, *who) };
        let lines: Vec<Line> = Who::ALL.iter().map(line).collect();
        plot::lines("One call end, by its members", "members", unit, &lines)
    }

    pub(crate) fn plot_of_ratios(&self, counts: &Counts) -> String {
        let has_counts = counts.instructions(&hash()).is_some();
        let group = |case: &&'static str| {
            let names = core_names(case, Step::All);
            let value = |to: Who| {
                let counted =
                    by(counts.instructions(&names[0]), counts.instructions(&names[place(to)]));
                counted.or_else(|| self.time_ratio(case, to)).unwrap_or(f64::NAN)
            };
            let values = vec![value(Who::HandWritten), value(Who::Floor)];
            Bars { name: (*case).to_owned(), values }
        };
        let groups: Vec<Bars> = self.plan.cases.iter().map(group).collect();
        let title = if has_counts {
            "All of a callback, in instructions"
        } else {
            "All of a callback, in time"
        };
        plot::bars(title, &["ours/hand", "ours/floor"], &groups)
    }
}

fn place(who: Who) -> usize {
    Who::ALL.iter().position(|other| *other == who).unwrap()
}

/// All cases.
pub(crate) const CASES: &[&str] = &cases::ALL;
