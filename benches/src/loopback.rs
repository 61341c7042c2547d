//! The frameworks' servers under load, over the loopback interface.
//!
//! The servers of a framework run all the time, and get their slices of load in turn: slices
//! that follow each other make a pair, and what is told is the median of the pairs' ratios.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::adapters::{Framework, Variant, http1};
use crate::cases::{self, Case};
use crate::load::{self, Script};
use crate::server::{Pinning, Server, busy};
use crate::statistics::{median, median_interval};

/// The name of the load without refusals.
pub(crate) const NO_FLOOD: &str = "none";

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// How many pairs of slices for each ratio.
    pub(crate) pairs: usize,
    /// How long one slice is.
    pub(crate) slice: Duration,
    /// How many rounds of the refusals.
    pub(crate) refusal_rounds: usize,
}

/// All that was measured over sockets.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Loopback {
    pub(crate) servers: Vec<ServerRow>,
    pub(crate) floods: Vec<FloodRow>,
}

/// One server.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ServerRow {
    pub(crate) framework: String,
    pub(crate) variant: String,
    /// The median of the slices.
    pub(crate) per_second: f64,
    pub(crate) latency: Latency,
    /// Ours by this one, in throughput.
    pub(crate) ours_to_it: Ratio,
    /// This one by the bare one, in throughput.
    pub(crate) it_to_bare: Ratio,
    /// How much of the time the server and the load generator were on a core.
    pub(crate) server_busy: Option<f64>,
    pub(crate) load_busy: Option<f64>,
}

/// One kind of flood against our handler.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FloodRow {
    pub(crate) framework: String,
    pub(crate) flood: String,
    /// The median of the slices, all answers counted.
    pub(crate) per_second: f64,
    /// Of the accepted requests.
    pub(crate) latency: Latency,
    /// The median of the accepted requests' median latency, by that without refusals.
    pub(crate) latency_to_none: Ratio,
    pub(crate) closed: u64,
}

/// Percentiles in microseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p99_9: f64,
}

impl Latency {
    fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1000.0;
        Self { p50: at(0.5), p99: at(0.99), p99_9: at(0.999) }
    }
}

/// The median of some ratios, and the interval that holds it with 95 per cent.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Ratio {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Ratio {
    fn of(one: &[f64], other: &[f64]) -> Self {
        let ratios: Vec<f64> = one.iter().zip(other).map(|(one, other)| one / other).collect();
        let (low, high) = median_interval(&ratios);
        Self { median: median(&ratios), low, high }
    }
}

/// Measures in a process of its own, which is kept on the core of the load generator.
///
/// # Errors
///
/// When the process fails, or says what cannot be read.
pub(crate) fn measure(pinning: Pinning, plan: Plan) -> io::Result<Loopback> {
    let output = pinning
        .load()?
        .arg("loopback")
        .args([plan.pairs.to_string(), plan.refusal_rounds.to_string()])
        .arg(plan.slice.as_millis().to_string())
        .args(pinning.is_pinned().then_some("--pinned"))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    serde_json::from_slice(&output.stdout).map_err(io::Error::other)
}

/// What that process does. Prints the result as JSON.
pub(crate) fn run(pinning: Pinning, plan: Plan) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let loopback = runtime.block_on(async {
        let mut loopback = Loopback { servers: Vec::new(), floods: Vec::new() };
        for framework in Framework::ALL {
            loopback.servers.extend(servers(pinning, plan, *framework).await?);
        }
        for framework in Framework::ALL {
            loopback.floods.extend(floods(pinning, plan, *framework).await?);
        }
        io::Result::Ok(loopback)
    })?;
    println!("{}", serde_json::to_string(&loopback)?);
    Ok(())
}

/// The slices of one server or one script.
struct Slices {
    per_second: Vec<f64>,
    median_latencies: Vec<f64>,
    accepted: Histogram<u64>,
    closed: u64,
    server_busy: Option<Duration>,
    load_busy: Option<Duration>,
    time: Duration,
}

impl Slices {
    fn new() -> Self {
        Self {
            per_second: Vec::new(),
            median_latencies: Vec::new(),
            accepted: load::histogram(),
            closed: 0,
            server_busy: Some(Duration::ZERO),
            load_busy: Some(Duration::ZERO),
            time: Duration::ZERO,
        }
    }

    async fn add(&mut self, server: &Server, script: &Script, slice: Duration) -> io::Result<()> {
        let this = std::process::id();
        let before = (server.busy(), busy(this));
        let start = std::time::Instant::now();
        let outcome = load::run(server.address, script, slice).await?;
        self.time += start.elapsed();
        let add = |sum: &mut Option<Duration>, before: Option<Duration>, after| {
            *sum = sum.zip(before).zip(after).map(|((sum, before), after)| sum + (after - before));
        };
        add(&mut self.server_busy, before.0, server.busy());
        add(&mut self.load_busy, before.1, busy(this));
        self.per_second.push(outcome.per_second);
        self.median_latencies.push(outcome.accepted.value_at_quantile(0.5) as f64);
        self.accepted.add(&outcome.accepted).unwrap();
        self.closed += outcome.closed;
        Ok(())
    }

    fn share(&self, busy: Option<Duration>) -> Option<f64> {
        Some(busy?.as_secs_f64() / self.time.as_secs_f64())
    }
}

const VARIANTS: [Variant; 5] =
    [Variant::Bare, Variant::Floor, Variant::Core, Variant::HandWritten, Variant::Ours];

async fn servers(pinning: Pinning, plan: Plan, framework: Framework) -> io::Result<Vec<ServerRow>> {
    let script: Script = [(http1(&accepted_case()), 200)].into();
    let started: io::Result<Vec<Server>> =
        VARIANTS.iter().map(|variant| Server::start(pinning, framework, *variant)).collect();
    let started = started?;
    let mut slices = VARIANTS.map(|_| Slices::new());
    for round in 0..plan.pairs {
        for place in 0..VARIANTS.len() {
            let which = (round + place) % VARIANTS.len();
            slices[which].add(&started[which], &script, plan.slice).await?;
        }
    }
    let [bare, .., ours] = &slices;
    let rows = VARIANTS.iter().zip(&slices).map(|(variant, slices)| ServerRow {
        framework: framework.text().to_owned(),
        variant: variant.text().to_owned(),
        per_second: median(&slices.per_second),
        latency: Latency::of(&slices.accepted),
        ours_to_it: Ratio::of(&ours.per_second, &slices.per_second),
        it_to_bare: Ratio::of(&slices.per_second, &bare.per_second),
        server_busy: slices.share(slices.server_busy),
        load_busy: slices.share(slices.load_busy),
    });
    Ok(rows.collect())
}

async fn floods(pinning: Pinning, plan: Plan, framework: Framework) -> io::Result<Vec<FloodRow>> {
    let case = accepted_case();
    let scripts: [(&str, Script); 3] = [
        (NO_FLOOD, [(http1(&case), 200)].into()),
        ("9 of 10 foreign", flood(&case, &case.foreign())),
        ("9 of 10 badly signed", flood(&case, &case.badly_signed())),
    ];
    let server = Server::start(pinning, framework, Variant::Ours)?;
    let mut slices = [(); 3].map(|()| Slices::new());
    for round in 0..plan.refusal_rounds {
        for place in 0..scripts.len() {
            let which = (round + place) % scripts.len();
            slices[which].add(&server, &scripts[which].1, plan.slice).await?;
        }
    }
    let [none, ..] = &slices;
    let rows = scripts.iter().zip(&slices).map(|((flood, _), slices)| FloodRow {
        framework: framework.text().to_owned(),
        flood: (*flood).to_owned(),
        per_second: median(&slices.per_second),
        latency: Latency::of(&slices.accepted),
        latency_to_none: Ratio::of(&slices.median_latencies, &none.median_latencies),
        closed: slices.closed,
    });
    Ok(rows.collect())
}

fn accepted_case() -> Case {
    Case::sent_now(cases::MAIN).unwrap()
}

/// One accepted request, then nine refused ones. The connections start at different places of it.
fn flood(accepted: &Case, refused: &Case) -> Script {
    let mut script = vec![(http1(accepted), 200)];
    script.resize_with(10, || (http1(refused), 403));
    script.into()
}
