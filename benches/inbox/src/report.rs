//! The whole report: measures, prints, and keeps what is to be kept.

use std::env;
use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::tempdir_in;

use crate::Result;
use crate::callbacks::Callbacks;
use crate::held_up::{self, Beside};
use crate::http::{self, Served};
use crate::jobs::{self, Rates, WorkedOff};
use crate::puts::{self, Puts, WAITING};
use crate::scale::Scale;
use crate::size::{self, Sizes};
use crate::start::{self, Starts};
use crate::stores::{Store, Who};
use crate::table::{
    by_waiting, least, machine, met, middle, millis, percentiles, spread, spread_of, step, table,
};

/// Everything that is measured.
struct Figures {
    puts: Puts,
    served: Option<[Served; 2]>,
    beside: Vec<Beside>,
    starts: Starts,
    sizes: Sizes,
    rates: Rates,
    worked_off: WorkedOff,
}

/// Measures and prints; `write` keeps the result in this folder.
pub(crate) async fn run(scale: &Scale, write: bool) -> Result<()> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Beside the program: what the system has for temporary files may be memory.
    let folder = tempdir_in(env::current_exe()?.with_file_name(""))?;
    let mut text = machine(home)?;
    let figures = measure(scale, folder.path()).await?;
    let disk = &figures.puts.disk;
    text += &format!(
        "- disk: 4 KiB written and synced in {} ms, p99 {} ms\n",
        millis(disk, 0.5),
        millis(disk, 0.99)
    );
    text += &[
        targets(scale, &figures),
        rates(&figures.puts),
        ratios(&figures.puts),
        latencies(&figures.puts),
        over_http(figures.served.as_ref()),
        beside(&figures.beside),
        rest(scale, &figures),
    ]
    .concat();
    println!("{text}");
    if write {
        let head = "# Results\n\nOne run of `cargo run --release -- --write`; \
                    [README.md](README.md) says how to read it.\n\n";
        fs::write(home.join("RESULTS.md"), head.to_owned() + &text)?;
    }
    Ok(())
}

async fn measure(scale: &Scale, folder: &Path) -> Result<Figures> {
    let callbacks = Callbacks::new()?;
    step("puts");
    let puts = puts::measure(scale, &callbacks, folder).await?;
    step("over HTTP");
    let served = http::measure(scale, &callbacks, folder)?;
    step("sizes");
    let sizes = size::measure(scale, &callbacks, folder).await?;
    step("jobs");
    let rates = jobs::measure(scale, &callbacks, folder).await?;

    step("a backlog");
    let [empty, million] = ["empty", "million"].map(|name| folder.join(name));
    drop(Store::create(Who::Ours, &empty).await?);
    let store = Store::create(Who::Ours, &million).await?;
    size::fill(&store, &callbacks, scale.million).await?;
    drop(store);
    step("starts");
    let starts = start::measure(scale, &callbacks, &empty, &million).await?;
    step("puts beside something else");
    let beside = held_up::measure(scale, &callbacks, folder, &million).await?;
    step("the backlog is worked off");
    let worked_off = jobs::work_off(&million, scale.million)?;
    Ok(Figures { puts, served, beside, starts, sizes, rates, worked_off })
}

/// What has to be reached, what was, and whether that is it.
fn targets(scale: &Scale, figures: &Figures) -> String {
    let Figures { puts, beside, starts, .. } = figures;
    let by = |who, waiting| middle(&ratio(puts, who, waiting)).0;
    let at_least = |label: &str, value: f64, least: f64| {
        vec![label.to_owned(), format!("{value:.2}"), met(value >= least)]
    };
    let ahead = WAITING.map(|waiting| by(Who::ApalisFull, waiting));
    let ahead_of_one = WAITING.map(|waiting| by(Who::ApalisFullOneConnection, waiting));
    let p99 = puts.stores[&(Who::Ours, 64)].micros.value_at_quantile(0.99);
    let sync = puts.disk.value_at_quantile(0.5);
    let unsynced = by(Who::OursUnsynced, 64);
    let later = starts.million.saturating_sub(starts.empty);
    let mut rows = vec![
        at_least(
            "64 waiting: at least 50 times a connection each",
            by(Who::ConnectionEach, 64),
            50.0,
        ),
        at_least("64 waiting: at least 5 times one connection", by(Who::OneConnection, 64), 5.0),
        at_least("1 waiting: at least 0.9 of one connection", by(Who::OneConnection, 1), 0.9),
        at_least("ahead of apalis FULL at every step: least", least(&ahead), 1.0),
        at_least("… with one connection: least", least(&ahead_of_one), 1.0),
        vec![
            "64 waiting: at least half of ours, not synced, where a sync takes at most 0.3 ms"
                .into(),
            format!("{unsynced:.2}; {:.2} ms", sync as f64 / 1e3),
            if sync <= 300 { met(unsynced >= 0.5) } else { "reported".into() },
        ],
        vec![
            "64 waiting: p99 below 20 ms".into(),
            format!("{:.1} ms", p99 as f64 / 1e3),
            met(p99 < 20_000),
        ],
    ];
    rows.extend(beside.iter().filter(|it| it.what != "nothing").map(|it| {
        let most = it.puts.micros.max();
        let label = format!("no put waits longer than 100 ms beside {}", it.what);
        vec![label, format!("{:.1} ms", most as f64 / 1e3), met(most <= 100_000)]
    }));
    rows.push(vec![
        format!("first acknowledgement with {} waiting at most 100 ms later", scale.million),
        format!("{:.1} ms", later.as_secs_f64() * 1e3),
        met(later <= Duration::from_millis(100)),
    ]);
    table("What has to be reached", "target | measured | met", rows)
}

fn rates(puts: &Puts) -> String {
    let rows = Who::ALL.map(|who| {
        let rate = |waiting| format!("{:.0}", middle(&puts.stores[&(who, waiting)].per_second).0);
        [who.name().to_owned()].into_iter().chain(WAITING.map(rate)).collect()
    });
    table("Durable acknowledgements a second, by how many wait", &by_waiting("what"), rows.into())
}

fn ratios(puts: &Puts) -> String {
    let rows = Who::ALL.into_iter().skip(1).map(|who| {
        let ratio = |waiting| spread(&ratio(puts, who, waiting));
        [who.name().to_owned()].into_iter().chain(WAITING.map(ratio)).collect()
    });
    table("Ours by another, by how many wait", &by_waiting("by"), rows.collect())
}

/// Ours by another one, round by round.
fn ratio(puts: &Puts, who: Who, waiting: usize) -> Vec<f64> {
    let [ours, others] = [Who::Ours, who].map(|who| &puts.stores[&(who, waiting)].per_second);
    ours.iter().zip(others).map(|(ours, other)| ours / other).collect()
}

fn latencies(puts: &Puts) -> String {
    let rows = WAITING.into_iter().flat_map(|waiting| {
        Who::ALL.map(|who| {
            let figures = &puts.stores[&(who, waiting)];
            let mut row = vec![format!("{waiting} waiting, {}", who.name())];
            row.extend(percentiles(&figures.micros));
            row.push(figures.failed.to_string());
            row
        })
    });
    let header = "what | p50 | p99 | p99.9 | most | failed";
    table("Latencies in milliseconds", header, rows.collect())
}

fn over_http(served: Option<&[Served; 2]>) -> String {
    let Some(served) = served else {
        return "\nskipped: over HTTP (no wrk, or no taskset)\n".into();
    };
    let without = &served[1].per_second;
    let rows = served.iter().zip(["with accept", "without"]).map(|(it, name)| {
        let mut row = vec![name.to_owned(), format!("{:.0}", middle(&it.per_second).0)];
        row.extend(it.latency.iter().map(|values| format!("{:.2}", middle(values).0)));
        let by = it.per_second.iter().zip(without).map(|(one, other)| one / other);
        row.push(spread(&by.collect::<Vec<_>>()));
        row
    });
    let header = "axum, 64 connections | requests/s | p50 ms | p99 ms | p99.9 ms | by without";
    table("Over HTTP", header, rows.collect())
}

fn beside(beside: &[Beside]) -> String {
    let rows = beside.iter().map(|it| {
        let mut row = vec![it.what.to_owned(), it.done.clone(), it.puts.in_time.to_string()];
        row.extend(percentiles(&it.puts.micros));
        row
    });
    let title =
        format!("Puts beside something else, {} waiting, in milliseconds", held_up::WAITING);
    table(&title, "meanwhile | how much | puts | p50 | p99 | p99.9 | most", rows.collect())
}

fn rest(scale: &Scale, figures: &Figures) -> String {
    let Figures { starts, sizes, rates, worked_off, .. } = figures;
    let millis = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    let mut rows = vec![
        vec!["first acknowledgement after a start, empty".into(), millis(starts.empty)],
        vec![format!("… with {} waiting", scale.million), millis(starts.million)],
    ];
    rows.extend(
        starts.million_cold.map(|time| vec!["… and none of it in the cache".into(), millis(time)]),
    );
    rows.push(vec!["bytes of a body".into(), sizes.body.to_string()]);
    let size = |(who, bytes): &(Who, f64)| {
        vec![format!("bytes on the disk for each callback, {}", who.name()), format!("{bytes:.0}")]
    };
    rows.extend(sizes.stores.iter().map(size));
    rows.push(vec!["jobs a second, the handler does nothing".into(), spread_of(&rates.plain)]);
    rows.push(vec!["jobs a second, `complete_with` bills".into(), spread_of(&rates.billing)]);
    let [first, last] = worked_off.peak.map(|kib| kib as f64 / 1024.0);
    rows.push(vec![
        format!("jobs a second, {} waiting, `complete_with` bills", scale.million),
        format!("{:.0}", worked_off.per_second),
    ]);
    rows.push(vec!["most memory after a hundredth of them".into(), format!("{first:.1} MiB")]);
    rows.push(vec!["… and at the end".into(), format!("{last:.1} MiB")]);
    table("The rest", "what | measured", rows)
}
