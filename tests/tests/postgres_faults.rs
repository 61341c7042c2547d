//! Three billing examples on one PostgreSQL, driven from outside, while they are killed, and while the server
//! is restarted, killed, stands still, is cut off, full, or without its standby: nothing is acknowledged
//! that is not stored, FAIL comes in time, and all recover by themselves. In the end all that was
//! acknowledged is billed exactly once.

#![cfg(unix)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use conformance::Answer;
use conformance::billing::{bill, body, health, not_stored, post};
use conformance::books::Books;
use conformance::caller::{Caller, DELAY};
use conformance::crashes::{self, Load, Plan};
use conformance::driver::in_time;
use conformance::postgres::{Database, PgBouncer, Relay, Server};
use conformance::programs::Programs;
use conformance::raw::{QUERY, Raw, ok, whole};
use conformance::stores::deliver;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_postgres::{Client, NoTls};
use trtc_call_inbox::{Inbox, Job, JobError};
use trtc_call_inbox_postgres::{CompleteIn, PostgresInbox};
use trtc_call_webhook::CallEnded;
use trtc_call_webhook::sender::Request;

/// Makes a test of each function.
macro_rules! tests {
    ($($test:ident)*) => {
        mod example_billing {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    let _ = super::programs();
                    super::in_time(super::$test()).await;
                }
            )*
        }
    };
}

tests! {
    a_server_that_is_restarted
    a_server_that_is_killed_again_and_again
    a_server_that_stands_still
    a_network_that_is_cut
    a_network_that_resets_connections
    connections_that_an_administrator_ends
    all_connections_taken
    a_full_disk
    a_standby_that_is_gone
    a_standby_that_takes_over
    a_standby_that_takes_over_from_a_server_that_only_accepts
    a_pooler_of_transactions
    many_redeliveries_at_once_are_one_item
    bodies_that_differ_at_the_same_moment_are_not_billed
    a_transaction_that_takes_longer_than_a_lease
}

/// How many examples share a database.
const EXAMPLES: usize = 3;

fn programs() -> &'static Programs {
    Programs::build(env!("CARGO_TARGET_TMPDIR"))
}

fn start<'a>(books: &'a Books, switches: &[(&str, &str)]) -> Caller<'a> {
    Caller::start(programs(), books, EXAMPLES, switches)
}

/// A server of the test's own, and a database on it.
async fn server() -> Option<(Server, Database)> {
    let server = Server::start(&[])?;
    let database = server.database("books").await;
    Some((server, database))
}

fn books(database: &Database) -> Books {
    Books::in_database(database.clone(), database.url())
}

/// Each of the examples says by its health that it cannot store. A commit is not taken to hang at once.
async fn are_unwell(caller: &Caller<'_>) {
    for example in &caller.examples {
        while health(example).await != 503 {
            sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn a_server_that_is_restarted() {
    let Some((server, database)) = server().await else { return };
    let books = books(&database);
    let mut caller = start(&books, &[DELAY]);
    caller.has_jobs_running().await;
    server.stop();
    caller.fails_for_a_while().await;
    are_unwell(&caller).await;
    server.start_again();
    caller.recovers().await;
    caller.settles().await;
}

/// In the middle of puts, leases and completions.
async fn a_server_that_is_killed_again_and_again() {
    let Some((server, database)) = server().await else { return };
    let books = books(&database);
    let Caller { examples, .. } = start(&books, &[]);
    let load = Load::on(&examples);
    for _ in 0..5 {
        load.goes_on(100).await;
        server.kill();
        server.start_again();
    }
    load.goes_on(100).await;
    let outcome = load.ends(&books, examples).await;
    println!("{} sent, {} acknowledged", outcome.sent, outcome.acknowledged);
    assert!(outcome.is_right(), "{outcome:?}");
}

async fn a_server_that_stands_still() {
    let Some((server, database)) = server().await else { return };
    let books = books(&database);
    let mut caller = start(&books, &[DELAY]);
    caller.has_jobs_running().await;
    server.pause();
    caller.fails_for_a_while().await;
    are_unwell(&caller).await;
    server.resume();
    caller.recovers().await;
    caller.settles().await;
}

/// Books to which the examples come by a relay.
async fn far_away(server: &Server, database: &Database) -> (Relay, Books) {
    let relay = Relay::to(server.port()).await;
    let books = Books::in_database(database.clone(), database.url_at(relay.port()));
    (relay, books)
}

async fn a_network_that_is_cut() {
    let Some((server, database)) = server().await else { return };
    let (relay, books) = far_away(&server, &database).await;
    let mut caller = start(&books, &[DELAY]);
    caller.has_jobs_running().await;
    relay.cut();
    caller.fails_for_a_while().await;
    are_unwell(&caller).await;
    relay.heal();
    caller.recovers().await;
    caller.settles().await;
}

/// In the middle of puts, leases and completions.
async fn a_network_that_resets_connections() {
    let Some((server, database)) = server().await else { return };
    let (relay, books) = far_away(&server, &database).await;
    let Caller { examples, .. } = start(&books, &[]);
    let load = Load::on(&examples);
    for _ in 0..30 {
        load.goes_on(20).await;
        relay.reset();
    }
    load.goes_on(100).await;
    let outcome = load.ends(&books, examples).await;
    println!("{} sent, {} acknowledged", outcome.sent, outcome.acknowledged);
    assert!(outcome.is_right(), "{outcome:?}");
}

/// In the middle of puts, leases and completions: it cancels statements, too.
async fn connections_that_an_administrator_ends() {
    let Some((server, database)) = server().await else { return };
    let books = books(&database);
    let Caller { examples, .. } = start(&books, &[]);
    let load = Load::on(&examples);
    let administrator = database.client().await;
    for round in 0..30 {
        load.goes_on(20).await;
        let what = if round % 2 == 0 { "pg_terminate_backend" } else { "pg_cancel_backend" };
        of_all_backends(&administrator, what, "true").await;
    }
    load.goes_on(100).await;
    let outcome = load.ends(&books, examples).await;
    println!("{} sent, {} acknowledged", outcome.sent, outcome.acknowledged);
    assert!(outcome.is_right(), "{outcome:?}");
    drop(server);
}

/// Does something with each of the examples' connections of which a condition holds; says with how many.
async fn of_all_backends(administrator: &Client, what: &str, condition: &str) -> i64 {
    let statement = format!(
        "SELECT count({what}(pid)) FROM pg_stat_activity WHERE usename = 'app' AND {condition}"
    );
    administrator.query_one(&statement, &[]).await.unwrap().get(0)
}

async fn all_connections_taken() {
    let Some(server) = Server::start(&[("max_connections", "60")]) else { return };
    let database = server.database("books").await;
    let books = books(&database);
    let mut caller = start(&books, &[DELAY]);
    caller.has_jobs_running().await;
    let administrator = database.client().await;
    let mut others: Vec<Client> = Vec::new();
    // Until others have them all.
    let theirs = "application_name = 'trtc-call-inbox'";
    while of_all_backends(&administrator, "pg_terminate_backend", theirs).await > 0 {
        while let Ok((client, connection)) = tokio_postgres::connect(database.url(), NoTls).await {
            tokio::spawn(connection);
            others.push(client);
        }
    }
    caller.fails_for_a_while().await;
    are_unwell(&caller).await;
    drop(others);
    caller.recovers().await;
    caller.settles().await;
}

/// That of the database and of the server's log: the server may go down by that, and somebody starts it
/// once there is room.
async fn a_full_disk() {
    let Some(server) = Server::start_on_small_disk(64) else { return };
    let database = server.database("books").await;
    let books = books(&database);
    let mut caller = start(&books, &[]);
    caller.is_kept().await;
    server.fill_disk();
    let long = "x".repeat(100_000);
    for number in 0..200 {
        let example = &caller.examples[number % EXAMPLES];
        let call_id = format!("{number:03}-{long}");
        let start = Instant::now();
        let answer = post(example.address(), body(&call_id, 9)).await;
        assert!(start.elapsed() < Duration::from_secs(2), "{answer:?}");
        if answer != ok() {
            assert_eq!(answer, not_stored());
            break;
        }
        caller.acknowledged.push(call_id);
        assert!(number < 199, "the disk is never full");
    }
    server.free_disk();
    server.start_if_down();
    caller.recovers().await;
    caller.settles().await;
}

/// A server with a synchronous standby, and a database on it.
async fn with_standby() -> Option<(Server, Server, Database)> {
    let primary = Server::start(&[])?;
    let database = primary.database("books").await;
    let standby = primary.standby("other");
    primary.set(&[("synchronous_standby_names", "other")]).await;
    Some((primary, standby, database))
}

/// Commits hang, and are no commits if somebody cancels the wait.
async fn without_its_standby(least: Duration) {
    let Some((_primary, standby, database)) = with_standby().await else { return };
    let books = books(&database);
    let mut caller = start(&books, &[DELAY]);
    caller.has_jobs_running().await;
    standby.stop();
    caller.fails_for_a_while().await;
    are_unwell(&caller).await;
    let administrator = database.client().await;
    let start = Instant::now();
    let mut cancelled = 0;
    while cancelled == 0 || start.elapsed() < least {
        let cancelling = async {
            // While the call waits.
            for _ in 0..20 {
                sleep(Duration::from_millis(50)).await;
                cancelled +=
                    of_all_backends(&administrator, "pg_cancel_backend", "wait_event = 'SyncRep'")
                        .await;
            }
        };
        tokio::join!(cancelling, caller.fails());
    }
    println!("{cancelled} waits cancelled");
    standby.start_again();
    caller.recovers().await;
    caller.settles().await;
}

async fn a_standby_that_is_gone() {
    without_its_standby(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute"]
async fn a_standby_that_is_gone_for_a_minute() {
    without_its_standby(Duration::from_secs(60)).await;
}

/// The primary dies while commits hang, and while jobs run.
async fn a_standby_that_takes_over() {
    let Some((primary, standby, database)) = with_standby().await else { return };
    let url = format!(
        "postgres://app@127.0.0.1:{},127.0.0.1:{}/books?target_session_attrs=read-write",
        primary.port(),
        standby.port()
    );
    let books = Books::in_database(database.clone(), &*url);
    let after = Books::in_database(standby.same(&database), &*url);
    let mut caller = start(&books, &[DELAY]);
    caller.has_jobs_running().await;
    standby.pause();
    caller.fails_for_a_while().await;
    let administrator = database.client().await;
    of_all_backends(&administrator, "pg_cancel_backend", "wait_event = 'SyncRep'").await;
    caller.fails().await;
    primary.kill();
    standby.resume();
    caller.books = &after;
    caller.fails_for_a_while().await;
    standby.promote().await;
    caller.recovers().await;
    caller.settles().await;
}

/// Something in front of the primary, or a primary that stands still, takes connections and says nothing.
async fn a_standby_that_takes_over_from_a_server_that_only_accepts() {
    let Some((primary, standby, database)) = with_standby().await else { return };
    let relay = Relay::to(primary.port()).await;
    let url =
        format!("postgres://app@127.0.0.1:{},127.0.0.1:{}/books", relay.port(), standby.port());
    let books = Books::in_database(database.clone(), &*url);
    let after = Books::in_database(standby.same(&database), &*url);
    let mut caller = start(&books, &[DELAY]);
    caller.has_jobs_running().await;
    relay.cut();
    relay.reset();
    caller.fails_for_a_while().await;
    primary.kill();
    standby.promote().await;
    caller.books = &after;
    caller.recovers().await;
    caller.settles().await;
}

/// Each transaction has another connection, also while the pooler's are ended.
async fn a_pooler_of_transactions() {
    let Some((server, database)) = server().await else { return };
    let Some(pooler) = PgBouncer::start(&server) else { return };
    let books = Books::in_database(database.clone(), database.url_at(pooler.port()));
    let Caller { examples, .. } = start(&books, &[]);
    let load = Load::on(&examples);
    let administrator = database.client().await;
    for _ in 0..10 {
        load.goes_on(50).await;
        of_all_backends(&administrator, "pg_terminate_backend", "true").await;
    }
    load.goes_on(100).await;
    let outcome = load.ends(&books, examples).await;
    println!("{} sent, {} acknowledged", outcome.sent, outcome.acknowledged);
    assert!(outcome.is_right(), "{outcome:?}");
}

/// Sends these bodies to the examples, all at once, each on a connection that has waited for that.
async fn all_at_once(caller: &Caller<'_>, connections: usize, bodies: &[String]) -> Vec<Answer> {
    let start = Arc::new(tokio::sync::Barrier::new(connections));
    let mut senders = JoinSet::new();
    for connection in 0..connections {
        let address = caller.examples[connection % EXAMPLES].address();
        let bodies: Vec<String> =
            bodies.iter().skip(connection).step_by(connections).cloned().collect();
        let start = Arc::clone(&start);
        senders.spawn(async move {
            let mut raw = Raw::connect(address).await;
            let mut answers = Vec::new();
            start.wait().await;
            for body in bodies {
                raw.send(whole(QUERY, &body)).await;
                answers.push(raw.answer().await);
            }
            answers
        });
    }
    senders.join_all().await.into_iter().flatten().collect()
}

async fn many_redeliveries_at_once_are_one_item() {
    let Some(server) = Server::shared() else { return };
    let database = server.database("many_redeliveries_at_once_are_one_item").await;
    let books = books(&database);
    let caller = start(&books, &[]);
    // Written otherwise, each of them is another body of the same event.
    let same: Vec<String> = (0..10_000)
        .map(|number| body("a", 9).replace(':', &format!(":{}", " ".repeat(number % 7))))
        .collect();
    let start = Instant::now();
    let answers = all_at_once(&caller, 300, &same).await;
    let kept = answers.iter().filter(|answer| **answer == ok()).count();
    println!("{kept} of {} acknowledged in {:?}", answers.len(), start.elapsed());
    // A server may be too busy to say so in time.
    assert!(answers.iter().all(|answer| [ok(), not_stored()].contains(answer)));
    assert!(kept > 0);
    books.until_billed(1).await;
    assert_eq!(books.bills(), [bill("a", 4)]);
    assert_eq!(books.count_where("true"), 1);
    for example in caller.examples {
        assert_eq!(example.stop("-TERM").status, Some(0));
    }
}

async fn bodies_that_differ_at_the_same_moment_are_not_billed() {
    const KEYS: usize = 60;
    const BODIES: usize = 3;

    let Some(server) = Server::shared() else { return };
    let database = server.database("bodies_that_differ_at_the_same_moment").await;
    let books = books(&database);
    // Nothing is billed before the others are there.
    let caller = start(&books, &[("BILL_FAIL_FIRST", "1000000")]);
    for key in 0..KEYS {
        // Each to another of the examples.
        let bodies: Vec<String> =
            (0..BODIES as u64).map(|other| body(&key.to_string(), 9 + other)).collect();
        let answers = all_at_once(&caller, BODIES, &bodies).await;
        assert!(answers.iter().all(|answer| *answer == ok()), "{answers:?}");
    }
    // One that was just being handed out or put off is stopped when it is due again.
    books.until("all are stopped", |books| books.count("disputed") == KEYS * BODIES).await;
    assert_eq!(books.billed(), [""; 0]);
    for example in caller.examples {
        assert_eq!(example.stop("-TERM").status, Some(0));
    }
}

/// A lease that is not renewed, since a transaction of the user's holds its row, is not taken away; and those
/// of others are renewed meanwhile.
async fn a_transaction_that_takes_longer_than_a_lease() {
    const TERM: Duration = Duration::from_secs(1);
    const CALLS: usize = 6;

    let Some(server) = Server::shared() else { return };
    let database = server.database("a_transaction_that_takes_longer_than_a_lease").await;
    let runs = Arc::new(AtomicUsize::new(0));
    let failures = Arc::new(Mutex::new(Vec::new()));
    let mut workers = Vec::new();
    let mut stores = Vec::new();
    for _ in 0..2 {
        let store = PostgresInbox::connect(database.url()).await.unwrap();
        let inbox = Inbox::from(store.clone());
        let (runs, failures) = (Arc::clone(&runs), Arc::clone(&failures));
        let handler_store = store.clone();
        let handler = move |job: Job<CallEnded>| {
            let (store, runs, failures) =
                (handler_store.clone(), Arc::clone(&runs), Arc::clone(&failures));
            async move {
                runs.fetch_add(1, Ordering::Relaxed);
                let worked = work(&store, &job, TERM).await;
                if let Err(error) = &worked {
                    failures.lock().unwrap().push(format!("{}: {error:?}", job.call_id));
                }
                worked
            }
        };
        workers.push(inbox.worker().lease(TERM).on(handler).start());
        stores.push((store, inbox));
    }
    for number in 0..CALLS {
        let call = CallEnded::new(number.to_string()).with_accept_time(1).with_end_time(5);
        let delivery =
            deliver(conformance::example::APP, &Request::new(conformance::example::APP, call));
        assert!(stores[0].1.accept(&delivery).await.is_durable());
    }
    let books = books(&database);
    books.until("all are done", |books| books.count("done") == CALLS).await;
    assert_eq!(*failures.lock().unwrap(), [""; 0]);
    assert_eq!(runs.load(Ordering::Relaxed), CALLS, "a job was worked twice");
    for worker in workers {
        worker.stop(Duration::from_secs(5)).await;
    }
}

/// Takes three leases long: half of the jobs in a transaction that holds the row all the time, the others
/// before it.
async fn work(store: &PostgresInbox, job: &Job<CallEnded>, term: Duration) -> Result<(), JobError> {
    let holds = job.call_id.parse::<usize>().unwrap() % 2 == 0;
    if !holds {
        sleep(term * 3).await;
    }
    let mut client = store.client().await?;
    let transaction = client.transaction().await?;
    job.complete_in(&transaction).await?;
    if holds {
        sleep(term * 3).await;
    }
    transaction.commit().await?;
    Ok(())
}

/// Servers that receive, and each works. Runs for half a minute more than it kills: so long are the leases of killed processes.
async fn nothing_is_lost(name: &str, kills: u64) {
    let Some(server) = Server::shared() else { return };
    let books = books(&server.database(name).await);
    let plan = Plan { kills, processes: 2 * EXAMPLES, seed: 0x5eed };
    let outcome = crashes::run(programs(), &books, plan).await;
    println!("{plan:?}: {outcome:?}");
    assert!(outcome.is_right(), "{outcome:?}");
    assert!(outcome.acknowledged as u64 > kills, "the processes did hardly anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn six_workers_that_are_killed_in_turn() {
    nothing_is_lost("crashes_of_six", 60).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "kills for minutes"]
async fn six_workers_that_are_killed_for_long() {
    nothing_is_lost("crashes_for_long", 300).await;
}
