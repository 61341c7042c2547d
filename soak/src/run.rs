//! A run against one server: its connections, each with one request in flight.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use conformance::raw::Raw;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::callback::{Callback, Expected, Kind};
use crate::ledger::Ledger;
use crate::memory::Memory;
use crate::server::Server;
use crate::tally::Tally;

/// How long a server gets to close a connection behind a refusal, before it is used again.
const CLOSING: Duration = Duration::from_millis(10);

/// What a run is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) callbacks: u64,
    pub(crate) connections: usize,
    pub(crate) seed: u64,
}

/// What all connections of a run share.
struct Run {
    plan: Plan,
    address: SocketAddr,
    ledger: Arc<Mutex<Ledger>>,
    state: Mutex<State>,
}

struct State {
    server: Server,
    next: u64,
    memory: Memory,
    tally: Tally,
}

/// What has come of a run, but for what the server printed.
pub(crate) struct Done {
    pub(crate) server: Server,
    pub(crate) memory: Memory,
    pub(crate) tally: Tally,
    pub(crate) time: Duration,
}

/// Sends all callbacks of a plan, and closes the connections.
pub(crate) async fn run(
    plan: Plan,
    server: Server,
    ledger: Arc<Mutex<Ledger>>,
) -> io::Result<Done> {
    let address = server.0.address();
    let state = State { server, next: 0, memory: Memory::default(), tally: Tally::new() };
    let run = Arc::new(Run { plan, address, ledger, state: Mutex::new(state) });
    let start = Instant::now();
    let mut connections = JoinSet::new();
    for _ in 0..plan.connections {
        let connection = Connection::new(Arc::clone(&run)).await;
        connections.spawn(connection.work());
    }
    while let Some(connection) = connections.join_next().await {
        connection??;
    }
    let time = start.elapsed();
    let run = Arc::into_inner(run).expect("the connections are closed");
    let State { server, memory, tally, .. } = run.state.into_inner().expect("nobody panics");
    Ok(Done { server, memory, tally, time })
}

impl Run {
    /// The next callback; `None` once all have been sent.
    fn next(&self) -> io::Result<Option<Callback>> {
        let Plan { callbacks, seed, .. } = self.plan;
        let mut state = self.state.lock().expect("nobody panics");
        let number = state.next;
        if number == callbacks {
            return Ok(None);
        }
        state.next += 1;
        let State { server, memory, .. } = &mut *state;
        memory.sample(number, callbacks, || server.memory("VmRSS"))?;
        Ok(Some(Callback::new(seed, number)))
    }

    fn tally(&self, count: impl FnOnce(&mut Tally)) {
        count(&mut self.state.lock().expect("nobody panics").tally);
    }
}

struct Connection {
    run: Arc<Run>,
    raw: Raw,
    /// The request before was refused, and nobody knows yet whether the server closes.
    after_refusal: bool,
}

impl Connection {
    async fn new(run: Arc<Run>) -> Self {
        let raw = Raw::connect(run.address).await;
        Self { run, raw, after_refusal: false }
    }

    async fn work(mut self) -> io::Result<()> {
        while let Some(callback) = self.run.next()? {
            self.send(&callback).await;
        }
        Ok(())
    }

    async fn send(&mut self, callback: &Callback) {
        let text = callback.text(SystemTime::now());
        let start = Instant::now();
        self.raw.send(text).await;
        let leaves = callback.expected() == Expected::Nothing;
        let answer = if leaves { None } else { self.raw.try_answer().await };
        let latency = start.elapsed();
        let due = callback.due(answer.as_ref());
        self.run.ledger.lock().expect("nobody panics").sent(callback.number, due);
        self.run.tally(|tally| tally.count(callback, answer.as_ref(), latency, self.after_refusal));

        self.after_refusal = false;
        if leaves {
            let gone = self.renew().await;
            // One half says farewell, the other half does not.
            if callback.number.is_multiple_of(2) {
                gone.reset();
            }
        } else if answer.is_none() {
            self.renew().await;
        } else if let Kind::Hostile(hostile) = callback.kind {
            let is_closed = timeout(CLOSING, self.raw.closed()).await.is_ok();
            if is_closed {
                self.run.tally(|tally| tally.reconnected += 1);
            }
            if is_closed || hostile.spoils_the_connection() {
                self.renew().await;
            } else {
                self.after_refusal = true;
            }
        }
    }

    /// Takes a new connection, and gives the old one.
    async fn renew(&mut self) -> Raw {
        let new = Raw::connect(self.run.address).await;
        std::mem::replace(&mut self.raw, new)
    }
}
