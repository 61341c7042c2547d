//! The whole report: measures, prints, and keeps what is to be kept.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::adapters::{Framework, Variant};
use crate::cases::MAIN;
use crate::core::{self, Core};
use crate::counts::Counts;
use crate::gate;
use crate::in_process;
use crate::loopback::{self, Loopback, Ratio};
use crate::machine;
use crate::op::{Name, Step, What, Who};
use crate::profile::Profile;
use crate::refusals::{self, Refusals};
use crate::server::Pinning;
use crate::table::{Table, ratio, whole};
use crate::valgrind::Valgrind;

/// How much is measured.
struct Plan {
    core: core::Plan,
    loopback: loopback::Plan,
}

impl Plan {
    const COMPLETE: Self = Self {
        core: core::Plan { cases: core::CASES, by_members: true, rounds: 101 },
        loopback: loopback::Plan {
            pairs: 30,
            slice: Duration::from_millis(350),
            refusal_rounds: 10,
        },
    };
    const QUICK: Self = Self {
        core: core::Plan { cases: &[MAIN], by_members: false, rounds: 15 },
        loopback: loopback::Plan { pairs: 6, slice: Duration::from_millis(80), refusal_rounds: 2 },
    };
}

/// Everything that was measured.
struct Report {
    machine: String,
    counts: Counts,
    core: Core,
    refusals: Refusals,
    loopback: Result<Loopback, io::Error>,
    /// Unless little is measured, or valgrind is missing.
    profile: Option<Profile>,
}

/// Measures and prints; `write` keeps the result in this folder.
pub(crate) fn run(is_quick: bool, write: bool) -> Result<(), String> {
    if cfg!(debug_assertions) {
        return Err("this measures optimized code: run it with --release".to_owned());
    }
    let report = measure(is_quick)?;
    let tables = report.to_markdown();
    println!("{tables}");
    if write {
        report.write(&tables).map_err(|error| error.to_string())?;
    }
    match report.loopback {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("nothing was measured over loopback: {error}")),
    }
}

fn measure(is_quick: bool) -> Result<Report, String> {
    let plan = if is_quick { Plan::QUICK } else { Plan::COMPLETE };
    let (valgrind, pinning) = (Valgrind::find(), Pinning::find());
    let machine = machine::describe(valgrind.as_ref(), pinning, is_quick);
    // Times first: nothing else of ours runs meanwhile.
    eprintln!("core: times");
    let core = Core::measure(plan.core);
    let refusals = Refusals::measure(plan.core.rounds);
    eprintln!("loopback");
    let loopback = loopback::measure(pinning, plan.loopback);
    eprintln!("counts");
    let jobs = [core::jobs(plan.core), refusals::jobs(), in_process::jobs()].concat();
    let counts = Counts::of(valgrind.as_ref(), jobs)?;
    let profile = match &valgrind {
        Some(valgrind) if !is_quick => Some(Profile::measure(valgrind)?),
        _ => None,
    };
    Ok(Report { machine, counts, core, refusals, loopback, profile })
}

impl Report {
    fn to_markdown(&self) -> String {
        let mut tables = vec![
            self.targets(),
            self.core.table(&self.counts),
            self.core.peer_table(&self.counts),
            self.core.allocation_table(&self.counts),
            in_process::table(&self.counts),
        ];
        tables.extend(self.loopback.as_ref().ok().map(server_table));
        tables.push(self.refusals.table(&self.counts));
        tables.extend(self.loopback.as_ref().ok().map(flood_table));
        tables.extend(self.profile.iter().flat_map(|it| [it.modules(), it.functions()]));
        let tables: Vec<String> = tables.iter().map(Table::to_markdown).collect();
        format!("{}\n{}", self.machine, tables.concat())
    }

    /// The figures that are aimed at, each with what it turned out to be.
    fn targets(&self) -> Table {
        let mut table = Table::new(
            "Targets",
            "For a signed call end of 2 members unless said otherwise; ratios of instructions \
             unless said otherwise. `~`: the interval of the ratio holds the target.",
            1,
            &["what", "target", "measured", "met"],
        );
        let counts = &self.counts;
        let mut most = |what: String, target: f64, value: Option<f64>, text: fn(f64) -> String| {
            let measured = value.map_or_else(|| "not measured".to_owned(), text);
            let met = value.map_or("", |value| if value <= target { "yes" } else { "no" });
            table.row([what, format!("<= {}", text(target)), measured, met.to_owned()]);
        };
        let core = |text: &str| format!("core, all: ours/{text}");
        for (who, limit) in gate::LIMITS {
            most(core(who.text()), limit, gate::ratio_to(who, counts), ratio);
        }
        most(core("floor, time"), 1.25, self.core.time_ratio(MAIN, Who::Floor), ratio);
        most(core("hand-written, time"), 0.60, self.core.time_ratio(MAIN, Who::HandWritten), ratio);
        let allocations = counts.allocations(&Name::new(What::Core(Step::All, Who::Ours), MAIN));
        most("core, all: allocations".to_owned(), 8.0, allocations, whole);
        let member = self.core.member_to_floor(counts);
        most("core: one more member at 500, ours/floor".to_owned(), 1.2, member, ratio);
        let linearity = self.core.linearity(counts);
        most("core: one more member at 500, by one of a few".to_owned(), 1.05, linearity, ratio);
        for framework in Framework::ALL {
            let value = in_process::to_bare_and_core(counts, *framework);
            most(format!("{}: ours/(bare+core)", framework.text()), 1.10, value, ratio);
        }
        let refused = Some(self.refusals.to_accepted(counts));
        most("core: refused/accepted".to_owned(), 0.5, refused, ratio);
        for row in self.loopback.iter().flat_map(|loopback| &loopback.servers) {
            let target = match row.variant.as_str() {
                "bare" => 0.95,
                "hand-written" => 1.05,
                _ => continue,
            };
            let Ratio { median, low, high } = row.ours_to_it;
            let met = match median >= target {
                _ if low < target && target <= high => "~",
                true => "yes",
                false => "no",
            };
            table.row([
                format!("{}: requests per second, ours/{}", row.framework, row.variant),
                format!(">= {}", ratio(target)),
                interval(row.ours_to_it),
                met.to_owned(),
            ]);
        }
        table
    }

    fn write(&self, tables: &str) -> io::Result<()> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = format!(
            "# Results\n\nOne run of `cargo run --release -p benches -- --write`; \
             [README.md](README.md) says how to read it.\n\n\
             ![cost by members](members.svg)\n\n![ratios](ratios.svg)\n\n{}\n",
            tables.trim_end()
        );
        fs::write(folder.join("RESULTS.md"), text)?;
        fs::write(folder.join("members.svg"), self.core.plot_by_members(&self.counts))?;
        fs::write(folder.join("ratios.svg"), self.core.plot_of_ratios(&self.counts))
    }
}

fn interval(Ratio { median, low, high }: Ratio) -> String {
    format!("{median:.3} ({low:.3} to {high:.3})")
}

/// A ratio, unless it is of a thing to itself.
fn unless(is_itself: bool, ratio: Ratio) -> String {
    if is_itself { String::new() } else { interval(ratio) }
}

fn share(busy: Option<f64>) -> String {
    busy.map_or_else(|| "unknown".to_owned(), |share| format!("{:.0} %", share * 100.0))
}

fn server_table(loopback: &Loopback) -> Table {
    let mut table = Table::new(
        "Over loopback",
        "8 connections that are kept alive, one request in flight on each. Requests per second: \
         the median of the slices. Latencies in microseconds. The ratio is the median of the \
         pairs' ratios, with the interval that holds it with 95 per cent. A figure is the server's \
         as long as the load generator is busy for less of the time than the server.",
        2,
        &[
            "framework",
            "handler",
            "requests/s",
            "p50",
            "p99",
            "p99.9",
            "ours/it, requests/s",
            "it/bare, requests/s",
            "server busy",
            "load busy",
        ],
    );
    for row in &loopback.servers {
        table.row([
            row.framework.clone(),
            row.variant.clone(),
            whole(row.per_second),
            whole(row.latency.p50),
            whole(row.latency.p99),
            whole(row.latency.p99_9),
            unless(row.variant == Variant::Ours.text(), row.ours_to_it),
            unless(row.variant == Variant::Bare.text(), row.it_to_bare),
            share(row.server_busy),
            share(row.load_busy),
        ]);
    }
    table
}

fn flood_table(loopback: &Loopback) -> Table {
    let mut table = Table::new(
        "Refusals, over loopback",
        "Our handler, while nine out of ten requests are refused. Latencies in microseconds, of \
         the accepted requests alone. `closed`: connections that the server closed behind an answer.",
        2,
        &["framework", "refused", "answers/s", "p50", "p99", "p99.9", "p50 to none", "closed"],
    );
    for row in &loopback.floods {
        table.row([
            row.framework.clone(),
            row.flood.clone(),
            whole(row.per_second),
            whole(row.latency.p50),
            whole(row.latency.p99),
            whole(row.latency.p99_9),
            unless(row.flood == loopback::NO_FLOOD, row.latency_to_none),
            row.closed.to_string(),
        ]);
    }
    table
}
