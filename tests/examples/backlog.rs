//! What a backlog of calls that wait for their record costs the others: in a file, and in PostgreSQL if its
//! programs are installed.
//!
//! ```sh
//! cargo run --release -p conformance --example backlog            # a million
//! cargo run --release -p conformance --example backlog -- 10000
//! ```

use std::env;
use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use conformance::postgres::Server;
use conformance::stores::deliver;
use trtc_call_inbox::store::{
    AskRequest, LeaseRequest, Outcome, PutRecord, Scope, Settlement, Store,
};
use trtc_call_inbox::{Confirm, DoneAs, Inbox, Job, NewItem, State};
use trtc_call_inbox_postgres::PostgresInbox;
use trtc_call_inbox_sqlite::SqliteInbox;
use trtc_call_webhook::CallEnded;
use trtc_call_webhook::sender::Request;

const APP: u64 = 1_400_000_001;

/// How often each is measured; the median counts.
const ROUNDS: usize = 11;

/// As many as a store is given in one go.
const BATCH: usize = 50;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let calls = env::args().nth(1).map_or(Ok(1_000_000), |calls| calls.parse::<usize>())?;
    let folder = env::temp_dir().join(format!("trtc-call-backlog-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let sqlite = SqliteInbox::open(folder.join("callbacks.db"))?;
    let measured = measure("a file", Arc::new(sqlite), calls).await;
    fs::remove_dir_all(&folder)?;
    measured?;
    if let Some(server) = Server::start(&[]) {
        let database = server.database("backlog").await;
        let postgres = PostgresInbox::connect(database.url()).await?;
        measure("PostgreSQL", Arc::new(postgres), calls).await?;
    }
    Ok(())
}

async fn measure(name: &str, store: Arc<dyn Store>, calls: usize) -> Result<(), Box<dyn Error>> {
    let empty = work(&*store, "before").await?;
    for first in (0..calls).step_by(BATCH) {
        let items = (first..calls.min(first + BATCH)).map(|call| item(&call.to_string(), 900));
        store.put(items.collect()).await?;
    }
    let inbox = Inbox::of(Arc::clone(&store));
    let started = Instant::now();
    let worker = inbox.worker().confirm(Confirm::Always).concurrency(BATCH);
    let worker = worker.on(async |_: Job<CallEnded>| Ok::<_, String>(())).start();
    while inbox.stats(None).await?.count(State::Waiting) > 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    worker.stop(Duration::from_secs(10)).await;
    let set_aside = started.elapsed();
    let beside = work(&*store, "beside").await?;
    let asked = ask(&*store).await?;
    let confirmed = records(&*store, 0).await?;
    let known = records(&*store, 0).await?;
    println!("{name}, {calls} calls that wait for their record");
    println!("  set aside by a worker: {:.0} a second", calls as f64 / set_aside.as_secs_f64());
    println!("  50 others leased and settled: {beside:?}; {empty:?} without any");
    println!("  {} asked about: {asked:?}", BATCH * 2);
    println!("  50 confirmed by their records: {confirmed:?}; 50 that are known: {known:?}");
    Ok(())
}

fn item(call_id: &str, seconds: i64) -> NewItem {
    NewItem::of(&deliver(APP, &Request::new(APP, ended(call_id, seconds))))
}

fn ended(call_id: &str, seconds: i64) -> CallEnded {
    let call = CallEnded::new(call_id).with_result("NormalEnd");
    call.with_accept_time(1_741_231_000).with_end_time(1_741_231_000 + seconds)
}

/// Others are worked: those of one batch.
async fn work(store: &dyn Store, name: &str) -> Result<Duration, Box<dyn Error>> {
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let items = (0..BATCH).map(|number| item(&format!("{name}-{round}-{number}"), 9));
        store.put(items.collect()).await?;
        let started = Instant::now();
        let leased = store.lease(LeaseRequest::new(1, BATCH, Duration::from_secs(30), 5)).await?;
        assert_eq!(leased.items.len(), BATCH);
        let done = |leased: trtc_call_inbox::store::LeasedItem| Settlement {
            lease: leased.lease,
            outcome: Outcome::Done(DoneAs::Handled),
        };
        store.settle(leased.items.into_iter().map(done).collect()).await?;
        times.push(started.elapsed());
    }
    Ok(median(times))
}

async fn ask(store: &dyn Store) -> Result<Duration, Box<dyn Error>> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        // Until the budget has a batch.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let request = AskRequest::new(APP.into(), 2 * BATCH, 1000, Duration::from_secs(3600));
        let started = Instant::now();
        assert_eq!(store.ask(request).await?.items.len(), 2 * BATCH);
        times.push(started.elapsed());
    }
    Ok(median(times))
}

/// The records of the first calls are read, by 50.
async fn records(store: &dyn Store, first: usize) -> Result<Duration, Box<dyn Error>> {
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let calls = (0..BATCH).map(|number| (first + round * BATCH + number).to_string());
        let body = |call: String| deliver(APP, &Request::new(APP, ended(&call, 30))).body().clone();
        let records: Result<Vec<_>, _> =
            calls.map(|call| NewItem::of_record(APP, body(call))).collect();
        let records = records?;
        let started = Instant::now();
        let put = store.put_records(records, Scope::All).await?;
        times.push(started.elapsed());
        assert!(put.iter().all(|put| matches!(put, PutRecord::Confirmed(_) | PutRecord::Known)));
    }
    Ok(median(times))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
