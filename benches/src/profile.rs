//! Where the instructions of one callback go, function by function: ours beside the floor.

use std::collections::{BTreeMap, BTreeSet};

use crate::cases::MAIN;
use crate::op::{Name, Step, What, Who};
use crate::table::{Table, whole};
use crate::valgrind::Valgrind;

/// Functions of fewer instructions than this in one run are told as one row.
const LEAST: f64 = 10.0;

/// Instructions of one run by function, without those of what it calls.
type Costs = BTreeMap<String, f64>;

/// What both take, for the signed call end by which most targets go.
#[derive(Debug)]
pub(crate) struct Profile {
    ours: Costs,
    floor: Costs,
}

impl Profile {
    /// Runs both under callgrind.
    ///
    /// # Errors
    ///
    /// What valgrind said, if it wrote no profile.
    pub(crate) fn measure(valgrind: &Valgrind) -> Result<Self, String> {
        let of = |who| one_run(valgrind, &Name::new(What::Core(Step::All, who), MAIN));
        Ok(Self { ours: of(Who::Ours)?, floor: of(Who::Floor)? })
    }

    /// The parts of the work, by module of ours and by crate of others.
    pub(crate) fn modules(&self) -> Table {
        self.table(
            "Instructions by module",
            "All of one callback, a signed call end of 2 members: modules of our crates, crates of \
             others. `libc` is the allocator and the copying of memory. What the compiler put \
             into a caller counts as the caller's.",
            "module",
            &by(&self.ours, module),
            &by(&self.floor, module),
        )
    }

    /// The same, by function.
    pub(crate) fn functions(&self) -> Table {
        self.table(
            "Instructions by function",
            "The same by function, without what a function calls. The hash is in software, since \
             valgrind hides the processor's.",
            "function",
            &self.ours,
            &self.floor,
        )
    }

    fn table(
        &self,
        title: &'static str,
        note: &'static str,
        what: &'static str,
        ours: &Costs,
        floor: &Costs,
    ) -> Table {
        let mut table = Table::new(title, note, 1, &[what, "ours", "floor", "more"]);
        let mut row = |what: &str, ours: f64, floor: f64| {
            let more = ours - floor;
            let sign = if more < 0.0 { "-" } else { "" };
            let what = format!("`{what}`").replace("`sum`", "sum").replace("`others`", "others");
            table.row([what, whole(ours), whole(floor), format!("{sign}{}", whole(more.abs()))]);
        };
        let cost = |costs: &Costs, what: &str| costs.get(what).copied().unwrap_or(0.0);
        let names: BTreeSet<&String> = ours.keys().chain(floor.keys()).collect();
        let mut rows: Vec<(&str, f64, f64)> =
            names.into_iter().map(|name| (&**name, cost(ours, name), cost(floor, name))).collect();
        rows.sort_by(|(_, ours, floor), (_, others, other_floor)| {
            others.max(*other_floor).total_cmp(&ours.max(*floor))
        });
        let (told, others): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|(_, ours, floor)| ours.max(*floor) >= LEAST);
        let sum = |rows: &[(&str, f64, f64)]| {
            rows.iter().fold((0.0, 0.0), |sum, row| (sum.0 + row.1, sum.1 + row.2))
        };
        for (name, ours, floor) in &told {
            row(name, *ours, *floor);
        }
        let (rest, all) = (sum(&others), sum(&told));
        row("others", rest.0, rest.1);
        row("sum", all.0 + rest.0, all.1 + rest.1);
        table
    }
}

/// The costs of one run: the difference between many and few.
fn one_run(valgrind: &Valgrind, name: &Name) -> Result<Costs, String> {
    let (few, many) = (100_u64, 600_u64);
    let start = by_function(&valgrind.profile(name, few)?);
    let mut costs = by_function(&valgrind.profile(name, many)?);
    for (function, cost) in &mut costs {
        *cost -= start.get(function).copied().unwrap_or(0.0);
        *cost /= (many - few) as f64;
    }
    costs.retain(|_, cost| *cost > 0.0);
    Ok(costs)
}

/// Adds up the lines of callgrind's format, <https://valgrind.org/docs/manual/cl-format.html>.
fn by_function(profile: &str) -> Costs {
    let mut names = BTreeMap::new();
    let (mut costs, mut function) = (Costs::new(), String::new());
    let mut lines = profile.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("fn=") {
            function = full_name(&mut names, name);
        } else if let Some(name) = line.strip_prefix("cfn=") {
            // The first mention of a function has its name, wherever that is.
            full_name(&mut names, name);
        } else if line.starts_with("calls=") {
            // The next line is what the callee took.
            lines.next();
        } else if line.starts_with(|c: char| matches!(c, '+' | '-' | '*' | '0'..='9')) {
            let cost = line.split(' ').nth(1).and_then(|cost| cost.parse::<f64>().ok());
            *costs.entry(function.clone()).or_default() += cost.unwrap_or(0.0);
        }
    }
    costs
}

/// The name of `(id) name`, which stands in full only once.
fn full_name(names: &mut BTreeMap<String, String>, text: &str) -> String {
    let (id, name) = text.split_once(' ').unwrap_or((text, ""));
    if !name.is_empty() {
        // What recursion is counted apart by.
        let name = name.split('\'').next().unwrap_or(name);
        names.insert(id.to_owned(), name.to_owned());
    }
    names.get(id).cloned().unwrap_or_else(|| id.to_owned())
}

/// The crate of a function, and its module if the crate is ours.
fn module(function: &str) -> String {
    let path = function.trim_start_matches('<').trim_start_matches("&mut ");
    let mut parts = path.split("::").map(|part| part.split('<').next().unwrap_or(part));
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    match (first, second) {
        (ours @ ("trtc_call_webhook" | "benches"), Some(second)) => format!("{ours}::{second}"),
        (_, None) => "libc".to_owned(),
        (first, Some(_)) => first.to_owned(),
    }
}

/// Costs by what `key` makes of a function.
fn by(costs: &Costs, key: impl Fn(&str) -> String) -> Costs {
    let mut sums = Costs::new();
    for (function, cost) in costs {
        *sums.entry(key(function)).or_default() += cost;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_a_functions_own() {
        let profile = "version: 1\nevents: Ir\n\nfl=(1) a.rs\nfn=(1) one::f\n5 10\n+1 2\n\
                       cfn=(2) <two::T as three::U>::g'2\ncalls=3 4\n* 700\n-1 5\n\
                       fn=(2)\n0 30\nfn=(3) memcpy\n0 1\n";
        let costs = by_function(profile);
        let expected = [("<two::T as three::U>::g", 30.0), ("memcpy", 1.0), ("one::f", 17.0)];
        assert_eq!(costs, expected.map(|(name, cost)| (name.to_owned(), cost)).into());
    }

    #[test]
    fn a_module_is_told_by_the_start_of_the_name() {
        for (function, expected) in [
            ("trtc_call_webhook::query::Query::parse", "trtc_call_webhook::query"),
            (
                "<trtc_call_webhook::json::ValueSeed<T> as serde_core::de::X>::y",
                "trtc_call_webhook::json",
            ),
            ("<&mut serde_json::de::Deserializer<R> as serde_core::de::X>::y", "serde_json"),
            ("sha2::sha256::soft::unroll::compress", "sha2"),
            ("_int_free", "libc"),
        ] {
            assert_eq!(module(function), expected);
        }
    }
}
