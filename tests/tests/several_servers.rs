//! The guide's chapter on several servers: its statements are run as they are printed, and the rights that
//! it names are enough for a server, and no more than that.
#![cfg(unix)]

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use conformance::chapter;
use conformance::postgres::{Database, Server};
use conformance::stores::deliver;
use tokio_postgres::SimpleQueryMessage;
use trtc_call_inbox::store::{
    Answer, AskRequest, FIRST_ASKED, LeaseRequest, Outcome, Put, PutRecord, Retention, Scope,
    Settlement, Store,
};
use trtc_call_inbox::{Inbox, Job, JobError, NewItem, Unhandled};
use trtc_call_inbox_postgres::PostgresInbox;
use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{CallEnded, CallStarted};

const APP: u64 = 1_400_000_001;

/// The chapter's blocks.
struct Statements {
    ownership: String,
    rights: String,
    privacy: String,
    watching: String,
    completion: String,
}

impl Statements {
    /// With roles that no other test makes: those of all databases are one set.
    fn of(test: &str) -> Self {
        let blocks = chapter::blocks("several-servers.md", "sql");
        let [ownership, rights, privacy, watching, completion] = blocks.try_into().unwrap();
        let renamed = |block: String| block.replace("callbacks", &server(test));
        Self {
            ownership: renamed(ownership),
            rights: renamed(rights),
            privacy: renamed(privacy),
            watching,
            completion,
        }
    }
}

/// The role of the servers.
fn server(test: &str) -> String {
    format!("callbacks_{test}")
}

/// The role that owns the schema.
fn owner(test: &str) -> String {
    format!("{}_owner", server(test))
}

/// A database with the chapter's roles, in which the owner has connected. `None` where there is no server.
async fn prepared(at: &Server, test: &str) -> (Database, Statements) {
    let statements = Statements::of(test);
    let database = at.database(test).await;
    database.run(&format!("DROP ROLE IF EXISTS {}, {}", server(test), owner(test))).await;
    database.run(&statements.ownership).await;
    connect(&database, &owner(test), false).await.unwrap();
    database.run(&statements.rights).await;
    (database, statements)
}

/// Connects as a role, which gets a password for that.
async fn connect(
    database: &Database,
    role: &str,
    must_exist: bool,
) -> Result<PostgresInbox, Box<dyn Error>> {
    database.run(&format!("ALTER ROLE {role} PASSWORD 'secret'")).await;
    let url = database.url();
    let (_, place) = url.split_once('@').unwrap();
    let options = PostgresInbox::options();
    let options = if must_exist { options.must_exist() } else { options };
    Ok(options.connect(&format!("postgres://{role}:secret@{place}")).await?)
}

fn ended(call_id: &str, seconds: i64) -> CallEnded {
    let accepted = 1_741_231_000;
    let call = CallEnded::new(call_id).with_caller("10001").with_result("NormalEnd");
    call.with_accept_time(accepted).with_end_time(accepted + seconds)
}

fn item(call_id: &str, seconds: i64) -> NewItem {
    NewItem::of(&deliver(APP, &Request::new(APP, ended(call_id, seconds))))
}

fn record(call_id: &str, seconds: i64) -> NewItem {
    NewItem::of_record(APP, item(call_id, seconds).body).unwrap()
}

/// What servers do: receive, also what is known and what is disputed; work; ask for records; and put in order.
async fn works(database: &Database, role: &str) -> Result<(), Box<dyn Error>> {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let (a, b) = (format!("a{call}"), format!("b{call}"));
    let store = connect(database, role, true).await?;
    store.health().await?;
    let puts = store.put(vec![item(&a, 1), item(&b, 1), item(&b, 2)]).await?;
    let [Put::Stored(_), Put::Stored(_), Put::Disputed { .. }] = puts[..] else {
        unreachable!("{puts:?}");
    };
    assert_eq!(store.put(vec![item(&a, 1)]).await?, [Put::Duplicate]);
    let request = || LeaseRequest::new(1, 1, Duration::from_secs(30), 3);
    for leased in store.lease(request()).await?.items {
        let (lease, outcome) = (leased.lease, Outcome::AskRecord);
        assert_eq!(store.settle(vec![Settlement { lease, outcome }]).await?, [true]);
    }
    let app = APP.into();
    store.lead(app, 1, Duration::from_secs(30)).await?;
    store.keep_progress(app, 1, "far".to_owned()).await?;
    for asked in store.ask(AskRequest::new(app, 1, 100, Duration::ZERO)).await?.items {
        let answer = Answer::Later { after: FIRST_ASKED, error: "away".to_owned() };
        store.answer(vec![(asked.lease, answer)]).await?;
    }
    let records = vec![record(&b, 3), record(&format!("c{call}"), 1)];
    let [PutRecord::Confirmed(_), PutRecord::Stored(_)] =
        store.put_records(records, Scope::All).await?[..]
    else {
        unreachable!("{b}")
    };
    store.lease(request()).await?;
    store.prune(Retention::default(), 10).await?;
    store.stats(None).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chapters_statements_work() {
    let Some(at) = Server::shared() else { return };
    let (database, statements) = prepared(at, "chapter").await;
    database.run(&statements.privacy).await;
    database.run("CREATE TABLE bills (call_id text PRIMARY KEY, seconds bigint)").await;
    database.run("GRANT SELECT, INSERT ON bills TO callbacks_chapter").await;

    let store = connect(&database, "callbacks_chapter", true).await.unwrap();
    let inbox = Inbox::from(store.clone());
    for (call_id, seconds) in [("a-1", 63), ("b", 1), ("b", 2)] {
        let request = Request::new(APP, ended(call_id, seconds));
        assert!(inbox.accept(&deliver(APP, &request)).await.is_durable());
    }
    // As another client does it.
    let (completion, client) = (statements.completion, store.clone());
    let worker = inbox.worker().on(move |job: Job<CallEnded>| {
        let (completion, client) = (completion.clone(), client.clone());
        async move {
            job.completes_in_transaction();
            let lease = job.lease();
            let completion = completion
                .replace("$1", &lease.item.get().to_string())
                .replace("$2", &lease.token.to_string());
            client.client().await?.batch_execute(&completion).await?;
            Ok::<(), JobError>(())
        }
    });
    let ran = worker.run_due().await.unwrap();
    assert_eq!((ran.done, ran.retried, ran.dead), (1, 0, 0));
    assert_eq!(numbers(&database, "SELECT seconds FROM bills").await, [[Some(63)]]);

    // One that waits, one that is leased, one that is dead.
    let dead = Request::new(APP, CallStarted::new("c"));
    assert!(inbox.accept(&deliver(APP, &dead)).await.is_durable());
    inbox.worker().unhandled(Unhandled::Dead).run_due().await.unwrap();
    store.put(vec![item("d", 1), item("e", 1), item("f", 1)]).await.unwrap();
    let leased = store.lease(LeaseRequest::new(1, 2, Duration::from_secs(30), 3)).await.unwrap();
    let [first, _] = &leased.items[..] else { panic!("two items") };
    let settlement = Settlement { lease: first.lease, outcome: Outcome::AskRecord };
    assert_eq!(store.settle(vec![settlement]).await.unwrap(), [true]);
    let mut counts = Vec::new();
    for row in rows(&database, &statements.watching).await {
        if row.columns()[0].name() == "state" {
            counts.push(format!("{} {}", row.get(0).unwrap(), row.get(1).unwrap()));
            assert!(row.get(2).is_some());
        }
    }
    counts.sort();
    assert_eq!(counts, ["confirming 1", "dead 1", "disputed 2", "leased 1", "waiting 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_needs_each_of_the_rights_and_no_other() {
    let Some(at) = Server::shared() else { return };
    let (database, statements) = prepared(at, "rights").await;
    works(&database, "callbacks_rights").await.unwrap();
    let mut taken_away = 0;
    for grant in statements.rights.lines().filter_map(|line| line.strip_prefix("GRANT ")) {
        let (rights, of_what) = grant.split_once(" ON ").unwrap();
        let (of_what, _) = of_what.split_once(" TO ").unwrap();
        for (right, table) in rights
            .split(", ")
            .flat_map(|right| of_what.split(", ").map(move |table| (right, table)))
        {
            database.run(&format!("REVOKE {right} ON {table} FROM callbacks_rights")).await;
            let worked = works(&database, "callbacks_rights").await;
            let error = worked.expect_err(&format!("{right} on {table}")).to_string();
            assert!(error.contains("permission denied"), "{right} on {table}: {error}");
            database.run(&format!("GRANT {right} ON {table} TO callbacks_rights")).await;
            taken_away += 1;
        }
    }
    assert_eq!(taken_away, 1 + 1 + 2 * 4 + 3 + 1);
    works(&database, "callbacks_rights").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_logs_statements_logs_no_body() {
    let Some(at) = Server::start(&[("log_min_duration_statement", "0")]) else { return };
    let (database, statements) = prepared(&at, "privacy").await;
    let put = async |call_id: &str| {
        let store = connect(&database, "callbacks_privacy", true).await.unwrap();
        store.put(vec![item(call_id, 1)]).await.unwrap();
        // What is logged of a statement stands there before the next one is answered.
        store.health().await.unwrap();
    };
    put("before-it-is-forbidden").await;
    assert!(at.log().contains("before-it-is-forbidden"));
    database.run(&statements.privacy).await;
    put("once-it-is-forbidden").await;
    assert!(!at.log().contains("once-it-is-forbidden"));
}

/// The rows of statements that have no parameters.
async fn rows(database: &Database, statements: &str) -> Vec<tokio_postgres::SimpleQueryRow> {
    let messages = database.client().await.simple_query(statements).await.unwrap();
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    };
    messages.into_iter().filter_map(row).collect()
}

/// The same, as whole numbers.
async fn numbers(database: &Database, statements: &str) -> Vec<Vec<Option<i64>>> {
    let number = |text: &str| text.parse().unwrap();
    let numbers = |row: &tokio_postgres::SimpleQueryRow| {
        (0..row.len()).map(|column| row.get(column).map(number)).collect()
    };
    rows(database, statements).await.iter().map(numbers).collect()
}
