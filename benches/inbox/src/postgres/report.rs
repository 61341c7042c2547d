//! What is measured on PostgreSQL, as tables.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::bytes::{self, Bytes};
use super::done::{self, Beside, LEASED};
use super::idle::{self, Idle};
use super::jobs::{self, Runner};
use super::puts::{self, Load, PROCESSES, Puts};
use super::scale::Scale;
use super::server::Server;
use super::stores::Who;
use crate::Result;
use crate::callbacks::Callbacks;
use crate::puts::WAITING;
use crate::table::{
    by_waiting, least, machine, met, middle, millis, percentiles, spread, spread_of, step, table,
};

/// Measures and prints, table by table; `write` keeps the result in this folder.
pub(crate) async fn run(is_quick: bool, write: bool) -> Result<()> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scale = if is_quick { Scale::QUICK } else { Scale::FULL };
    let machine = machine(home)?;
    println!("{machine}");
    let server = Server::start().await?;
    let callbacks = Callbacks::new()?;
    for who in Who::ALL {
        who.set_up(&server.create(who.database()).await?).await?;
    }
    let mut tables = Vec::new();
    let mut print = |table: String| {
        println!("{table}");
        tables.push(table);
    };

    step("puts");
    let puts = puts::measure(&scale, &server).await?;
    let disk = [0.5, 0.99].map(|quantile| millis(&puts.disk, quantile));
    let disk = format!("- disk: 4 KiB written and synced in {} ms, p99 {} ms\n", disk[0], disk[1]);
    for count in PROCESSES {
        print(rates(&puts, count));
        print(ratios(&puts, count));
    }
    for count in PROCESSES {
        print(latencies(&puts, count));
    }
    step("jobs");
    let jobs = jobs::measure(&scale, &callbacks, &server).await?;
    print(work(&jobs));
    step("idle workers");
    print(idle(&scale, &idle::measure(&scale, &server).await?));
    step("bytes");
    print(bytes(&bytes::measure(&scale, &callbacks, &server).await?));
    step("what is done");
    let beside = done::measure(&scale, &callbacks, &server).await?;
    print(self::beside(&scale, &beside));

    let targets = targets(&puts, &jobs, &beside);
    println!("{disk}{targets}");
    if write {
        let head = "# Results on PostgreSQL\n\nOne run of `cargo run --release -- --postgres --write`; \
                    [README.md](README.md) says how to read it.\n\n";
        let text = [head, &machine, &disk, &targets, &tables.concat()].concat();
        fs::write(home.join("RESULTS-POSTGRES.md"), text)?;
    }
    Ok(())
}

/// What has to be reached, what was, and whether that is it.
fn targets(puts: &Puts, jobs: &BTreeMap<Runner, Vec<f64>>, beside: &[Beside; 2]) -> String {
    let at_least = |label: String, value: f64, least: f64| {
        vec![label, format!("{value:.2}"), met(value >= least)]
    };
    let mut rows = Vec::new();
    for count in PROCESSES {
        let by = |who, waiting| middle(&ratio(puts, who, (count, waiting))).0;
        let from = from(count);
        let label = format!("64 waiting, {from}: at least twice by hand");
        rows.push(at_least(label, by(Who::ByHand, 64), 2.0));
        let ahead = WAITING.into_iter().filter(|waiting| *waiting >= 8);
        let ahead =
            ahead.flat_map(|waiting| [by(Who::Apalis, waiting), by(Who::Graphile, waiting)]);
        let label = format!("ahead of apalis and graphile_worker from 8 on, {from}: least");
        rows.push(at_least(label, least(&ahead.collect::<Vec<_>>()), 1.0));
        let fastest = Who::ALL.into_iter().filter(|who| *who != Who::Ours).map(|who| by(who, 1));
        let label = format!("1 waiting, {from}: at least 0.8 of the fastest");
        rows.push(at_least(label, least(&fastest.collect::<Vec<_>>()), 0.8));
        for waiting in [8, 64, 256] {
            let p99 = |who| {
                puts.stores[&(who, (count, waiting))].micros.value_at_quantile(0.99) as f64 / 1e3
            };
            let others = Who::ALL.into_iter().filter(|who| *who != Who::Ours).map(p99);
            let (ours, others) = (p99(Who::Ours), least(&others.collect::<Vec<_>>()));
            rows.push(vec![
                format!("{waiting} waiting, {from}: p99 not worse than the others'"),
                format!("{ours:.1} ms; {others:.1} ms"),
                met(ours <= others),
            ]);
        }
    }
    for (runner, rates) in jobs.iter().filter(|(runner, _)| !runner.is_ours()) {
        let ours = &jobs[&Runner::Ours];
        let by = ours.iter().zip(rates).map(|(one, other)| one / other);
        let label = format!("jobs a second, by {}", runner.name());
        rows.push(at_least(label, middle(&by.collect::<Vec<_>>()).0, 1.0));
    }
    let [empty, full] = beside.each_ref().map(|it| it.round.value_at_quantile(0.5) as f64);
    let label = "lease and settle beside what is done, by an empty inbox".into();
    rows.push(vec![label, format!("{:.2}", full / empty), "reported".into()]);
    table("What has to be reached", "target | measured | met", rows)
}

/// What a number of processes is called.
fn from(count: usize) -> String {
    if count == 1 { "from one process".into() } else { format!("from each of {count} processes") }
}

fn rates(puts: &Puts, count: usize) -> String {
    let rows = Who::ALL.map(|who| {
        let rate =
            |waiting| format!("{:.0}", middle(&puts.stores[&(who, (count, waiting))].per_second).0);
        [who.name().to_owned()].into_iter().chain(WAITING.map(rate)).collect()
    });
    let title = format!("Durable acknowledgements a second, by how many wait, {}", from(count));
    table(&title, &by_waiting("what"), rows.into())
}

fn ratios(puts: &Puts, count: usize) -> String {
    let rows = Who::ALL.into_iter().filter(|who| *who != Who::Ours).map(|who| {
        let ratio = |waiting| spread(&ratio(puts, who, (count, waiting)));
        [who.name().to_owned()].into_iter().chain(WAITING.map(ratio)).collect()
    });
    let title = format!("Ours by another, by how many wait, {}", from(count));
    table(&title, &by_waiting("by"), rows.collect())
}

/// Ours by another one, round by round.
fn ratio(puts: &Puts, who: Who, load: Load) -> Vec<f64> {
    let [ours, others] = [Who::Ours, who].map(|who| &puts.stores[&(who, load)].per_second);
    ours.iter().zip(others).map(|(ours, other)| ours / other).collect()
}

fn latencies(puts: &Puts, count: usize) -> String {
    let rows = WAITING.into_iter().flat_map(|waiting| {
        Who::ALL.map(|who| {
            let load: Load = (count, waiting);
            let figures = &puts.stores[&(who, load)];
            let mut row = vec![format!("{waiting} waiting, {}", who.name())];
            row.extend(percentiles(&figures.micros));
            row.push(figures.failed.to_string());
            row
        })
    });
    let title = format!("Latencies in milliseconds, {}", from(count));
    table(&title, "what | p50 | p99 | p99.9 | most | failed", rows.collect())
}

fn work(jobs: &BTreeMap<Runner, Vec<f64>>) -> String {
    let rows = jobs.iter().map(|(runner, rates)| vec![runner.name().into(), spread_of(rates)]);
    table("Jobs a second", "whose worker | jobs a second", rows.collect())
}

fn idle(scale: &Scale, idle: &[(&'static str, Idle)]) -> String {
    let rows = idle.iter().map(|(name, idle)| {
        vec![(*name).to_owned(), format!("{:.2}", idle.server), format!("{:.2}", idle.workers)]
    });
    let title = format!("CPU seconds a minute of {} workers that wait", scale.workers);
    table(&title, "whose workers | server | workers", rows.collect())
}

fn beside(scale: &Scale, beside: &[Beside; 2]) -> String {
    let rows = beside.iter().zip([0, scale.done]).flat_map(|(it, done)| {
        let row = |what: &str, times| {
            [format!("{what}, {done} done")].into_iter().chain(percentiles(times)).collect()
        };
        [row(&format!("{LEASED} leased and settled"), &it.round), row("1 put", &it.put)]
    });
    let title = "Beside what is done, in milliseconds";
    table(title, "what | p50 | p99 | p99.9 | most", rows.collect())
}

fn bytes(bytes: &[(Who, Bytes)]) -> String {
    let rows = bytes.iter().map(|(who, bytes)| {
        let life = bytes.life.map_or_else(String::new, |life| format!("{life:.0}"));
        let tables: Vec<String> = bytes.disk.iter().map(|table| format!("{table:.0}")).collect();
        vec![who.name().into(), tables.join(" + "), format!("{:.0}", bytes.put), life]
    });
    let header = "what | on the disk | log of a put | log until it is done";
    table("Bytes for each callback", header, rows.collect())
}
