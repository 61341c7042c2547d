//! Servers over loopback: each is a process on core 0, and `wrk` loads it from core 1.

use std::env;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use benches::adapters::{FRAMEWORKS, PATH, SERVED};
use benches::cases::{Case, MAIN};

use crate::tools::said;

/// How many turns each has.
const ROUNDS: usize = 5;

/// What `wrk` says of a second.
pub(crate) struct Slice {
    pub(crate) per_second: f64,
    /// Percentiles of the latency in microseconds: 50, 99, 99.9.
    pub(crate) latency: [f64; 3],
}

/// What one server did, in turns with the others of its framework.
pub(crate) struct Row {
    pub(crate) framework: &'static str,
    /// Its handler; or by what ours is flooded.
    pub(crate) what: &'static str,
    pub(crate) is_flooded: bool,
    pub(crate) slices: Vec<Slice>,
}

/// What 7 connections send while an eighth sends what is accepted.
pub(crate) const FLOODS: [&str; 3] = ["none", "foreign app", "bad signature"];

/// A running server; it ends when this is dropped.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(framework: &str, handler: &str) -> io::Result<Self> {
        let mut child = Command::new("taskset")
            .args(["-c", "0"])
            .arg(env::current_exe()?)
            .args(["serve", framework, handler])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut address)?;
        Ok(Self { child, url: format!("http://{}{PATH}", address.trim()) })
    }

    /// Lets `wrk` send a case for a second over so many connections.
    fn load(&self, case: &Case, connections: usize) -> io::Result<Child> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/load.lua");
        Command::new("taskset")
            .args(["-c", "1", "wrk", "--threads", "1", "--duration", "1s", "--script", script])
            .args(["--connections", &connections.to_string()])
            .args([&format!("{}?{}", self.url, case.query), "--", &case.body])
            .stdout(Stdio::piped())
            .spawn()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// What a load was, which has to be accepted or refused, all of it.
fn slice(mut load: Child, is_accepted: bool) -> io::Result<Slice> {
    let mut text = String::new();
    load.stdout.take().expect("a pipe").read_to_string(&mut text)?;
    load.wait()?;
    let figures = text.lines().find_map(|line| line.strip_prefix("figures "));
    let figures = figures.unwrap_or_default().split(' ').filter_map(|it| it.parse().ok());
    let &[requests, refused, micros, p50, p99, p99_9] = &*figures.collect::<Vec<f64>>() else {
        return Err(io::Error::other(text));
    };
    if requests == 0.0 || refused != if is_accepted { 0.0 } else { requests } {
        return Err(io::Error::other(format!("{refused} of {requests} requests are refused")));
    }
    Ok(Slice { per_second: requests / micros * 1e6, latency: [p50, p99, p99_9] })
}

/// Each handler of each framework, over 8 connections; and ours in a flood.
pub(crate) fn measure() -> io::Result<Vec<Row>> {
    let case = Case::sent_now(MAIN);
    let floods = [case.clone(), case.foreign(), case.badly_signed()];
    let mut rows = Vec::new();
    for framework in FRAMEWORKS {
        let servers = SERVED.map(|handler| Server::start(framework, handler));
        let servers = servers.into_iter().collect::<io::Result<Vec<_>>>()?;
        let ours = servers.last().expect("ours");
        let whats = SERVED.iter().chain(&FLOODS).enumerate();
        let row = |(place, what): (usize, &&'static str)| Row {
            framework,
            what,
            is_flooded: place >= SERVED.len(),
            slices: Vec::new(),
        };
        let mut its: Vec<Row> = whats.map(row).collect();
        for turn in 0..ROUNDS * its.len() {
            let which = turn % its.len();
            let slice = if let Some(server) = servers.get(which) {
                slice(server.load(&case, 8)?, true)?
            } else {
                let flood = which - servers.len();
                let many = ours.load(&floods[flood], 7)?;
                let one = slice(ours.load(&case, 1)?, true)?;
                slice(many, flood == 0)?;
                one
            };
            its[which].slices.push(slice);
        }
        rows.extend(its);
    }
    Ok(rows)
}

/// Whether there is what it takes.
pub(crate) fn is_there() -> bool {
    said("sh", &["-c", "command -v wrk && taskset -c 1 true"]).is_some()
}
