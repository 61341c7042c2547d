//! Processes of the billing example that share one inbox and are called all the time, while they are killed
//! at random moments, say; and a ledger outside of them: what was acknowledged is there, and billed exactly
//! once.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::books::Books;
use crate::example::Example;
use crate::programs::{BILLING, Programs};
use crate::raw::{QUERY, whole};

/// How many callbacks are on their way at a time.
const SENDERS: usize = 8;

/// How long a process runs at the most until it is killed.
const LONGEST_LIFE: Duration = Duration::from_millis(80);

/// How long it may take until callbacks are acknowledged again.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a run is to be.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many processes are killed, one after another.
    pub kills: u64,
    /// How many run at a time.
    pub processes: usize,
    /// Another seed kills at other moments; not 0.
    pub seed: u64,
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Callbacks that were sent.
    pub sent: u64,
    /// Those that were acknowledged, redeliveries not counted.
    pub acknowledged: usize,
    /// Calls that were acknowledged and are not billed.
    pub lost: Vec<String>,
    /// Calls that are billed more than once.
    pub doubled: Vec<String>,
    /// Bills of calls that nobody sent, or that say something else than what was sent.
    pub wrong: Vec<String>,
}

impl Outcome {
    /// Whether each acknowledged call is billed exactly once, and nothing else is.
    #[must_use]
    pub fn is_right(&self) -> bool {
        [&self.lost, &self.doubled, &self.wrong].iter().all(|calls| calls.is_empty())
    }
}

/// What the senders know.
#[derive(Default)]
struct Ledger {
    next: u64,
    acknowledged: BTreeSet<u64>,
    addresses: Vec<SocketAddr>,
    is_over: bool,
}

/// Callbacks that come all the time, while something happens.
pub struct Load {
    ledger: Arc<Mutex<Ledger>>,
    senders: JoinSet<()>,
}

impl Load {
    /// Sends to these examples in turn.
    #[must_use]
    pub fn on(examples: &[Example]) -> Self {
        let addresses = examples.iter().map(Example::address).collect();
        let ledger = Arc::new(Mutex::new(Ledger { addresses, ..Ledger::default() }));
        let mut senders = JoinSet::new();
        for _ in 0..SENDERS {
            senders.spawn(send(Arc::clone(&ledger)));
        }
        Self { ledger, senders }
    }

    /// Another example has taken the place of one.
    fn moves(&self, index: usize, example: &Example) {
        lock(&self.ledger).addresses[index] = example.address();
    }

    /// Waits until so many more are acknowledged: what happens next comes into the middle of work.
    ///
    /// # Panics
    ///
    /// If they never are.
    pub async fn goes_on(&self, acknowledged: usize) {
        let count = || lock(&self.ledger).acknowledged.len();
        let (start, enough) = (Instant::now(), count() + acknowledged);
        while count() < enough {
            assert!(start.elapsed() < PATIENCE, "nothing is acknowledged any more");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Sends no more, lets all be billed, and stops the examples.
    ///
    /// # Panics
    ///
    /// If that does not come to an end.
    pub async fn ends(self, books: &Books, examples: Vec<Example>) -> Outcome {
        lock(&self.ledger).is_over = true;
        self.senders.join_all().await;
        let Ledger { next, acknowledged, .. } = std::mem::take(&mut *lock(&self.ledger));
        let mut left = books.count_open();
        while left > 0 {
            books.until("less is left", |books| books.count_open() < left).await;
            left = books.count_open();
        }
        for example in examples {
            assert_eq!(example.stop("-TERM").status, Some(0));
        }
        let mut outcome =
            Outcome { sent: next, acknowledged: acknowledged.len(), ..Outcome::default() };
        let mut owed = acknowledged;
        for bill in books.bills() {
            let number = bill.call_id.parse::<u64>().ok().filter(|number| *number < next);
            match number {
                Some(number) if bill.seconds == Some(seconds_of(number)) => {
                    owed.remove(&number);
                    if bill.times_billed != 1 {
                        outcome.doubled.push(bill.call_id);
                    }
                }
                _ => outcome.wrong.push(bill.call_id),
            }
        }
        outcome.lost = owed.iter().map(u64::to_string).collect();
        outcome
    }
}

/// Kills and starts again, as often as the plan says, then lets all be billed.
///
/// # Panics
///
/// If a process does not start, or if it does not come to an end.
pub async fn run(programs: &Programs, books: &Books, plan: Plan) -> Outcome {
    let mut random = plan.seed;
    let start = || programs.start(BILLING, &[("INBOX", books.inbox())]);
    let mut running: Vec<Example> = (0..plan.processes).map(|_| start()).collect();
    let load = Load::on(&running);
    for kill in 0..plan.kills {
        sleep(LONGEST_LIFE.mul_f64(f64::from(next(&mut random) as u16) / 65_536.0)).await;
        let index = kill as usize % plan.processes;
        drop(running.remove(index).stop("-KILL"));
        running.insert(index, start());
        load.moves(index, &running[index]);
    }
    load.ends(books, running).await
}

/// Sends one callback after the other, every fifth one again.
async fn send(ledger: Arc<Mutex<Ledger>>) {
    loop {
        let (number, address) = {
            let mut ledger = lock(&ledger);
            if ledger.is_over {
                return;
            }
            ledger.next += 1;
            let number = ledger.next - 1;
            let address = ledger.addresses[number as usize % ledger.addresses.len()];
            (number, address)
        };
        for _ in 0..=u8::from(number.is_multiple_of(5)) {
            if is_acknowledged(address, number).await {
                lock(&ledger).acknowledged.insert(number);
            } else {
                // A process that is down refuses at once.
                sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

/// Whether the vendor would have been told that it is kept.
async fn is_acknowledged(address: SocketAddr, number: u64) -> bool {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        let request = whole(QUERY, &body(number)).replacen("\r\n", "\r\nConnection: close\r\n", 1);
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        Some(answer)
    };
    let answer = timeout(Duration::from_secs(5), exchange).await.ok().flatten();
    answer.is_some_and(|answer| {
        answer.ends_with(r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#)
    })
}

fn body(number: u64) -> String {
    let (accepted, ended) = (1_741_231_000, 1_741_231_000 + seconds_of(number));
    format!(r#"{{"CallRecord":{{"CallId":"{number}","AcceptTime":{accepted},"EndTime":{ended}}}}}"#)
}

const fn seconds_of(number: u64) -> i64 {
    (number % 1000) as i64
}

fn lock(ledger: &Mutex<Ledger>) -> std::sync::MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The next number of a generator (xorshift).
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}
