//! The whole report: measures, prints, and keeps what is to be kept.

use std::error::Error;
use std::fs;
use std::path::Path;

use benches::adapters::{FRAMEWORKS, SERVED};
use benches::cases::{ALL, MAIN};
use benches::names::{self, MEMBERS, REFUSED, STEPS, WHO, adapter, core, with_peers};
use comfy_table::{CellAlignment, Table, presets};

use crate::loopback::{self, FLOODS, Row, Slice};
use crate::plot;
use crate::tools::{self, Figures, said};

/// Measures and prints; `write` keeps the result in this folder.
pub(crate) fn run(write: bool) -> Result<(), Box<dyn Error>> {
    let mut text = said("sh", &["-c", MACHINE]).unwrap_or_default() + "\n";
    // First: cargo, which the others call, may put another program in the place of this one.
    let rows = if loopback::is_there() { loopback::measure()? } else { Vec::new() };
    let times = with_derived(tools::times(&names::timed())?);
    let (mut instructions, mut blocks) = (Figures::new(), Figures::new());
    if let Err(why) = tools::valgrind() {
        text += &format!("\nskipped: instruction counts ({why})\n");
    } else {
        let counts = tools::count("*::counted_*", "Ir", &names::counted())?;
        instructions = with_derived(counts.0);
        let counts = tools::count("*::blocks_*", "TotalBlocks", &names::allocating())?;
        blocks = with_derived(counts.0);
    }
    text += &tables(&times, &instructions, &blocks);
    text += &if rows.is_empty() {
        "\nskipped: load over loopback (no wrk, or no taskset)\n".to_owned()
    } else {
        over_loopback(&rows, false, &SERVED[..4]) + &over_loopback(&rows, true, &FLOODS[..1])
    };
    println!("{text}");
    if write {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = format!(
            "# Results\n\nOne run of `cargo run --release -p benches -- --write`; \
             [README.md](README.md) says how to read it.\n\n\
             ![cost by members](members.svg)\n\n![ratios](ratios.svg)\n\n{text}"
        );
        fs::write(folder.join("RESULTS.md"), text)?;
        let costs = if instructions.is_empty() { times } else { instructions };
        let cost = |members: usize, who| costs[&core(&format!("members-{members}"), "all", who)];
        let lines = WHO.map(|who| (who, MEMBERS.map(|it| (it as f64, cost(it, who))).to_vec()));
        fs::write(folder.join("members.svg"), plot::lines("A call end, by its members", &lines)?)?;
        let ratio = |it, who| (it as f64, cost(it, "ours") / cost(it, who));
        let lines = WHO.map(|who| (who, MEMBERS.map(|it| ratio(it, who)).to_vec()));
        fs::write(folder.join("ratios.svg"), plot::lines("Ours by another, by members", &lines)?)?;
    }
    Ok(())
}

/// What the figures depend on.
const MACHINE: &str = r#"
echo "- processor:$(grep -m1 '^model name' /proc/cpuinfo | cut -d: -f2), $(nproc) cores"
echo "- system: $(uname -sr), load average $(cut -d' ' -f1 /proc/loadavg) at the start"
echo "- compiler: $(rustc -V), commit: $(git describe --always --dirty)"
"#;

/// The figures, and what follows from them: the cost of one more member, handlers without the making
/// of the request, and the sum of the bare handler and core.
fn with_derived(mut figures: Figures) -> Figures {
    for (who, (from, to, name)) in WHO.iter().flat_map(|who| MORE.map(|more| (who, more))) {
        let cost = |count| figures.get(&core(&format!("members-{count}"), "all", who)).copied();
        if let (Some(few), Some(many)) = (cost(from), cost(to)) {
            let more = (many - few) / (to - from) as f64;
            figures.insert(core(name, "all", who), more);
        }
    }
    for framework in FRAMEWORKS {
        let Some(request) = figures.get(&adapter(framework, "request")).copied() else { continue };
        for handler in ["bare", "hand-written", "ours"] {
            *figures.get_mut(&adapter(framework, handler)).expect("it is counted") -= request;
        }
        let sum = figures[&adapter(framework, "bare")] + figures[&core(MAIN, "all", "ours")];
        figures.insert(adapter(framework, "bare+core"), sum);
    }
    figures
}

/// The counts of members between which the cost of one more is told.
const MORE: [(usize, usize, &str); 2] =
    [(9, 200, "one more member of 9 to 200"), (200, 500, "one more member of 200 to 500")];

/// A label, and what is compared: the first by the others.
type Row3 = (String, [String; 3]);

fn tables(times: &Figures, instructions: &Figures, blocks: &Figures) -> String {
    let row =
        |case: &str, step: &str| (format!("{case}, {step}"), WHO.map(|who| core(case, step, who)));
    let steps = ALL.iter().flat_map(|case| STEPS.map(|step| row(case, step)));
    let steps: Vec<_> = steps.chain(MORE.map(|(_, _, name)| row(name, "all"))).collect();
    let peers = ALL.map(|case| (case.to_owned(), with_peers(case)));
    let all = ALL.map(|case| row(case, "all"));
    let handlers = ["ours", "hand-written", "bare+core"];
    let adapters =
        FRAMEWORKS.map(|it| (it.to_owned(), handlers.map(|handler| adapter(it, handler))));
    let accepted = |step| core(MAIN, step, "ours");
    let refused =
        REFUSED.map(|it| (it.to_owned(), [it.to_owned(), accepted("all"), accepted("head")]));
    let (ns, ir, mem) = (("ns", times), ("instructions", instructions), ("blocks", blocks));
    let by_hand = ["ours", "hand-written", "floor"];
    [
        compared("Core", by_hand, [ns, ir], &steps),
        compared("Memory", by_hand, [mem, ir], &all),
        compared("Peers", ["ours", "standardwebhooks", "github"], [ns, ir], &peers),
        compared("Adapters, in process", handlers, [mem, ir], &adapters),
        compared("Refusals", ["refused", "accepted", "its head"], [ns, ir], &refused),
    ]
    .concat()
}

/// Two kinds of figures of some things: three of them, and the first by the others.
fn compared(
    title: &str,
    whose: [&str; 3],
    figures: [(&str, &Figures); 2],
    rows: &[Row3],
) -> String {
    let [first, second, third] = whose;
    let header = figures.map(|(unit, _)| {
        format!("{unit}: {first} | {second} | {third} | {first}/{second} | {first}/{third}")
    });
    let cells = |(label, names): &Row3| {
        let values = figures.map(|(_, figures)| {
            let [one, two, three] = names.each_ref().map(|name| figures.get(name).copied());
            let ratio = |other: Option<f64>| Some(format!("{:.2}", one? / other?));
            let value = |it: Option<f64>| it.map(|it| format!("{it:.0}"));
            [value(one), value(two), value(three), ratio(two), ratio(three)]
        });
        let values = values.into_iter().flatten().map(Option::unwrap_or_default);
        [label.clone()].into_iter().chain(values).collect()
    };
    table(title, &format!("what | {}", header.join(" | ")), rows.iter().map(cells).collect())
}

/// Each server, and its throughput by that of others of the same framework.
fn over_loopback(rows: &[Row], is_flooded: bool, others: &[&str]) -> String {
    let cells = |row: &Row| {
        let figure = |value: &dyn Fn(&Slice) -> f64| {
            format!("{:.0}", middle(row.slices.iter().map(value)).0)
        };
        let mut cells = vec![format!("{}, {}", row.framework, row.what)];
        cells.push(figure(&|slice| slice.per_second));
        cells.extend([0, 1, 2].map(|which| figure(&|slice| slice.latency[which])));
        cells.extend(others.iter().map(|what| {
            let is_it = |it: &&Row| it.framework == row.framework && it.what == *what;
            let other = rows.iter().find(is_it).expect("it is served");
            // Round by round.
            let pairs = row.slices.iter().zip(&other.slices);
            let ratios = pairs.map(|(one, other)| one.per_second / other.per_second);
            let (median, least, most) = middle(ratios);
            format!("{median:.3} ({least:.3} to {most:.3})")
        }));
        cells
    };
    let title = if is_flooded { "Refusals, over loopback" } else { "Over loopback" };
    let header = format!("what | requests/s | p50 | p99 | p99.9 | by {}", others.join(" | by "));
    let rows = rows.iter().filter(|row| row.is_flooded == is_flooded);
    table(title, &header, rows.map(cells).collect())
}

/// A table that is read in a terminal and as Markdown alike.
fn table(title: &str, header: &str, rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header.split(" | ")).add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("\n## {title}\n\n{table}\n")
}

/// The median, the least and the most.
fn middle(values: impl Iterator<Item = f64>) -> (f64, f64, f64) {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let last = values.len() - 1;
    (f64::midpoint(values[last / 2], values[values.len() / 2]), values[0], values[last])
}
