//! Acknowledgements: each of some server processes puts, with so many waiting, store by store in turn.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use clap::Args;
use hdrhistogram::Histogram;
use sqlx::PgPool;

use super::scale::Scale;
use super::server::Server;
use super::stores::{Store, Who};
use crate::Result;
use crate::callbacks::Callbacks;
use crate::puts::{Figures, WAITING, histogram, put_for, sync_alone};

/// How many server processes put.
pub(crate) const PROCESSES: [usize; 2] = [1, 3];

/// A number of server processes, and how many puts wait in each.
pub(crate) type Load = (usize, usize);

/// Figures of each store by the load, and of the disk.
pub(crate) struct Puts {
    pub(crate) stores: BTreeMap<(Who, Load), Figures>,
    pub(crate) disk: Histogram<u64>,
}

pub(crate) async fn measure(scale: &Scale, server: &Server) -> Result<Puts> {
    let mut stores: BTreeMap<(Who, Load), Figures> = BTreeMap::new();
    let mut disk = histogram();
    let mut pools = BTreeMap::new();
    for who in Who::ALL {
        pools.insert(who, PgPool::connect(&server.url(who.database())).await?);
    }
    for load in PROCESSES.into_iter().flat_map(|count| WAITING.map(|waiting| (count, waiting))) {
        for _ in 0..scale.rounds {
            sync_alone(&env::temp_dir(), scale.turn / 4, &mut disk)?;
            for who in Who::ALL {
                who.empty(&pools[&who]).await?;
                let figures = stores.entry((who, load)).or_insert_with(Figures::new);
                turn(scale, server, who, load, figures)?;
            }
        }
    }
    Ok(Puts { stores, disk })
}

/// All processes put at the same time.
fn turn(
    scale: &Scale,
    server: &Server,
    who: Who,
    (count, waiting): Load,
    figures: &mut Figures,
) -> Result<()> {
    let start = || Process::start(&server.url(who.database()), who, waiting, scale.turn);
    let mut processes = (0..count).map(|_| start()).collect::<Result<Vec<_>>>()?;
    for process in &mut processes {
        process.wait_until_ready()?;
    }
    for process in &mut processes {
        process.begin()?;
    }
    let mut in_time = 0;
    for process in &mut processes {
        in_time += process.read(figures)?;
    }
    figures.per_second.push(in_time as f64 / scale.turn.as_secs_f64());
    Ok(())
}

/// A process that puts; it ends when this is dropped.
struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(url: &str, who: Who, waiting: usize, time: Duration) -> Result<Self> {
        let name = clap::ValueEnum::to_possible_value(&who).expect("none is skipped");
        let mut child = Command::new(env::current_exe()?)
            .args(["postgres", "put", url, name.get_name()])
            .args([waiting.to_string(), time.as_millis().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Ok(Self { child, input, output })
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        match self.output.read_line(&mut String::new())? {
            0 => Err("a process that puts has ended".into()),
            _ => Ok(()),
        }
    }

    fn begin(&mut self) -> Result<()> {
        Ok(writeln!(self.input)?)
    }

    /// Adds what it did, and gives the acknowledgements in time.
    fn read(&mut self, figures: &mut Figures) -> Result<u64> {
        let mut lines = self.output.by_ref().lines();
        let mut pair = || -> Result<Option<(u64, u64)>> {
            let Some(line) = lines.next().transpose()? else { return Ok(None) };
            let (one, other) = line.split_once(' ').ok_or("no pair")?;
            Ok(Some((one.parse()?, other.parse()?)))
        };
        let (in_time, failed) = pair()?.ok_or("a process that puts says nothing")?;
        figures.failed += failed;
        while let Some((micros, count)) = pair()? {
            figures.micros.record_n(micros, count)?;
        }
        Ok(in_time)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// Puts callbacks for a while, once it is told to begin.
#[derive(Args)]
pub(crate) struct Part {
    url: String,
    who: Who,
    waiting: usize,
    millis: u64,
}

impl Part {
    /// Prints a line when it is ready, and what it did as pairs: acknowledgements in time and failures,
    /// then microseconds and how many took so long.
    pub(crate) async fn run(self) -> Result<()> {
        let time = Duration::from_millis(self.millis);
        let callbacks = Callbacks::new()?;
        let store = Store::open(self.who, &self.url, self.waiting).await?;
        // Connections are opened and statements prepared by then.
        put_for(time / 4, &store, &callbacks, self.waiting).await;
        println!("ready");
        io::stdin().read_line(&mut String::new())?;
        let turn = put_for(time, &store, &callbacks, self.waiting).await;
        println!("{} {}", turn.in_time, turn.failed);
        for step in turn.micros.iter_recorded() {
            println!("{} {}", step.value_iterated_to(), step.count_at_value());
        }
        Ok(())
    }
}
