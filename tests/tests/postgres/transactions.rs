//! Jobs that are completed in transactions of the user's, and rows that such transactions hold.

use std::time::Duration;

use conformance::driver::in_time;
use conformance::postgres::{Database, Server};
use conformance::stores::deliver;
use tokio::task::JoinSet;
use trtc_call_inbox::store::{Lease, Outcome, Put, PutRecord, Scope, Settlement, Store};
use trtc_call_inbox::{Acceptance, DoneAs, Inbox, Job, JobError, State};
use trtc_call_inbox_postgres::{CompleteIn, PostgresInbox};
use trtc_call_webhook::CallEnded;
use trtc_call_webhook::sender::Request;

use crate::{APP, call, lease, put, record, signals, state};

/// An inbox beside a table of bills.
async fn opened(name: &str) -> Option<(Database, PostgresInbox)> {
    let database = Server::shared()?.database(name).await;
    let inbox = PostgresInbox::connect(database.url()).await.unwrap();
    let client = inbox.client().await.unwrap();
    client.batch_execute("CREATE TABLE bills (call_id text)").await.unwrap();
    drop(client);
    Some((database, inbox))
}

async fn bills(database: &Database) -> i64 {
    database.rows("SELECT count(*) FROM bills").await[0].get(0)
}

const BILL: &str = "INSERT INTO bills VALUES ('a')";

const TERM: Duration = Duration::from_secs(30);

const COMPLETE: &str = "SELECT trtc_call.complete($1, $2)";

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_and_its_completion_are_one_transaction() {
    let Some((database, inbox)) = opened("one_transaction").await else { return };
    let item = put(&inbox, call("a", 9)).await;
    async fn bill(job: Job<CallEnded>, store: PostgresInbox) -> Result<(), JobError> {
        let mut client = store.client().await?;
        let transaction = client.transaction().await?;
        job.complete_in(&transaction).await?;
        transaction.batch_execute(BILL).await?;
        match job.attempt() {
            1 => transaction.rollback().await?,
            // `Ok` without a commit bills nothing, so it does not count.
            2 => drop(transaction),
            3 => return Err("it fails before the commit".into()),
            4 => transaction.commit().await?,
            attempt => panic!("attempt {attempt}"),
        }
        // It is done: this is too late to have it tried again.
        if job.attempt() == 4 { Err("the mail server is away".into()) } else { Ok(()) }
    }
    let store = inbox.clone();
    let worker = Inbox::from(inbox.clone()).worker().on(move |job| bill(job, store.clone()));
    for retried in 1..=3 {
        assert_eq!(worker.run_due().await.unwrap().retried, 1, "{retried}");
        assert_eq!((state(&inbox, item).await, bills(&database).await), (State::Waiting, 0));
        // Due at once.
        assert_eq!(inbox.replay(vec![item]).await.unwrap(), [true]);
        database.run(&format!("UPDATE trtc_call.items SET attempts = {retried}")).await;
    }
    worker.run_due().await.unwrap();
    assert_eq!((state(&inbox, item).await, bills(&database).await), (State::Done, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_is_done_when_the_handler_returns() {
    let Some((database, inbox)) = opened("committed").await else { return };
    let item = put(&inbox, call("a", 9)).await;
    async fn bill(job: Job<CallEnded>, store: PostgresInbox) -> Result<(), JobError> {
        let mut client = store.client().await?;
        let transaction = client.transaction().await?;
        transaction.batch_execute(BILL).await?;
        job.complete_in(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }
    let store = inbox.clone();
    let worker = Inbox::from(inbox.clone()).worker().on(move |job| bill(job, store.clone()));
    let ran = worker.run_due().await.unwrap();
    assert_eq!((ran.done, ran.retried, ran.lost), (1, 0, 0));
    assert_eq!((state(&inbox, item).await, bills(&database).await), (State::Done, 1));
}

/// By a client that knows only SQL, and that goes on after errors: what stands beside is not committed.
#[tokio::test(flavor = "multi_thread")]
async fn a_completion_without_its_lease_takes_the_bill_back() {
    let Some((database, inbox)) = opened("raises").await else { return };
    let item = put(&inbox, call("a", 9)).await;
    let [held] = lease(&inbox).await[..] else { panic!("a lease") };
    let mut client = database.client().await;
    let lost = [(item.get(), held.token.wrapping_add(1)), (item.get() + 1, held.token)];
    for (id, token) in lost {
        let transaction = client.transaction().await.unwrap();
        transaction.batch_execute(BILL).await.unwrap();
        let error = transaction.query(COMPLETE, &[&id, &token]).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), "TC003");
        let _ = transaction.commit().await;
        assert_eq!((state(&inbox, item).await, bills(&database).await), (State::Leased, 0));
    }
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute(BILL).await.unwrap();
    transaction.query(COMPLETE, &[&item.get(), &held.token]).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!((state(&inbox, item).await, bills(&database).await), (State::Done, 1));
}

/// The holder of rows: a transaction that has completed jobs and is not committed.
async fn complete(
    client: &mut tokio_postgres::Client,
    lease: Lease,
) -> tokio_postgres::Transaction<'_> {
    let transaction = client.transaction().await.unwrap();
    transaction.query(COMPLETE, &[&lease.item.get(), &lease.token]).await.unwrap();
    transaction
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_takes_long_holds_nobody_up() {
    let Some((database, inbox)) = opened("takes_long").await else { return };
    let other = PostgresInbox::connect(database.url()).await.unwrap();
    for call_id in ["a", "b", "c"] {
        put(&inbox, call(call_id, 9)).await;
    }
    let [a, b, c] = lease(&inbox).await[..] else { panic!("three leases") };
    let mut client = database.client().await;
    let transaction = complete(&mut client, a).await;
    in_time(async {
        // Nobody waits for the row: renewals, settlements, puts of its key, and other workers.
        assert_eq!(inbox.renew(vec![a, b, c], TERM).await.unwrap(), [true; 3]);
        let settle = |lease| Settlement { lease, outcome: Outcome::Done(DoneAs::Handled) };
        assert_eq!(inbox.settle(vec![settle(b)]).await.unwrap(), [true]);
        assert_eq!(other.put(vec![call("a", 9)]).await.unwrap(), [Put::Duplicate]);
        // Its lease has ended, for others: it still cannot be taken away.
        database.run("UPDATE trtc_call.items SET leased_until = '2020-01-01' WHERE state = 'leased' AND id <> 1").await;
        other.set_test_time(Some(std::time::SystemTime::now() + 10 * TERM)).await.unwrap();
        let request = trtc_call_inbox::store::LeaseRequest::new(2, 100, TERM, 3);
        let leased = other.lease(request).await.unwrap();
        assert!(leased.items.is_empty() && leased.suspects_due, "c is lost, and a is not");
        // What is settled meanwhile is not, and that does not take for ever either.
        assert_eq!(inbox.settle(vec![settle(a), settle(c)]).await.unwrap(), [false, false]);
    })
    .await;
    transaction.commit().await.unwrap();
    assert_eq!(state(&inbox, a.item).await, State::Done);
}

/// The bill of one body is about to be committed while another one comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_waits_for_no_transaction_and_stops_what_it_holds() {
    let Some((database, inbox)) = opened("disputed").await else { return };
    for is_committed in [true, false] {
        let call_id = if is_committed { "committed" } else { "rolled back" };
        put(&inbox, call(call_id, 9)).await;
        let [held] = lease(&inbox).await[..] else { panic!("a lease") };
        let mut client = database.client().await;
        let transaction = complete(&mut client, held).await;
        in_time(async {
            let puts = inbox.put(vec![call(call_id, 10)]).await.unwrap();
            // It may be billed already, and a person has to know.
            assert!(matches!(puts[..], [Put::Disputed { after_done: true, .. }]), "{puts:?}");
        })
        .await;
        if is_committed {
            transaction.commit().await.unwrap();
            assert_eq!(state(&inbox, held.item).await, State::Done);
            continue;
        }
        transaction.rollback().await.unwrap();
        // It is not worked any further, by whatever way.
        let transaction = client.transaction().await.unwrap();
        let lease = [&held.item.get(), &held.token];
        let error = transaction.query(COMPLETE, &[lease[0], lease[1]]).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), "TC003");
        transaction.rollback().await.unwrap();
        let outcome = Outcome::Done(DoneAs::Handled);
        assert_eq!(inbox.settle(vec![Settlement { lease: held, outcome }]).await.unwrap(), [false]);
        assert_eq!(state(&inbox, held.item).await, State::Disputed);
        assert_eq!(crate::lease(&inbox).await, []);
    }
}

/// A record that says something else comes while a bill is about to be committed, or was to be.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_waits_for_no_transaction_and_leaves_alone_what_it_holds() {
    let Some((database, inbox)) = opened("recorded").await else { return };
    let put_record =
        async |seconds| inbox.put_records(vec![record("a", seconds)], Scope::All).await.unwrap()[0];
    put(&inbox, call("a", 9)).await;
    let [held] = lease(&inbox).await[..] else { panic!("a lease") };
    let mut client = database.client().await;
    let transaction = complete(&mut client, held).await;
    in_time(async {
        assert_eq!(put_record(10).await, PutRecord::Differs);
        assert!(matches!(
            inbox.put(vec![call("a", 11)]).await.unwrap()[..],
            [Put::Disputed { .. }]
        ));
        assert_eq!(put_record(9).await, PutRecord::Differs, "nobody knows what is billed");
    })
    .await;
    transaction.rollback().await.unwrap();
    // What the dispute could not mark is stopped by the key, and decided like all that is disputed.
    assert_eq!(state(&inbox, held.item).await, State::Leased);
    assert_eq!(put_record(9).await, PutRecord::Confirmed(held.item));
    let transaction = client.transaction().await.unwrap();
    let error = transaction.query(COMPLETE, &[&held.item.get(), &held.token]).await.unwrap_err();
    assert_eq!(error.code().unwrap().code(), "TC003");
    transaction.rollback().await.unwrap();
    let [again] = lease(&inbox).await[..] else { panic!("one lease") };
    assert_eq!(again.item, held.item);
}

/// Several find the same calls at once.
#[tokio::test(flavor = "multi_thread")]
async fn records_at_once_are_one_item_each() {
    let Some((_, inbox)) = opened("records_at_once").await else { return };
    let mut puts = JoinSet::new();
    for server in 0..4 {
        let mut records: Vec<_> = (0..50).map(|call| record(&call.to_string(), 9)).collect();
        if server % 2 == 0 {
            records.reverse();
        }
        let inbox = inbox.clone();
        puts.spawn(async move { inbox.put_records(records, Scope::All).await.unwrap() });
    }
    let mut puts = puts.join_all().await.concat();
    puts.retain(|put| *put != PutRecord::Known);
    assert_eq!(puts.len(), 50, "{puts:?}");
    assert_eq!(lease(&inbox).await.len(), 50);
}

/// Its client may be gone, with its machine.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_holds_an_item_comes_to_an_end() {
    let Some((database, inbox)) = opened("idle").await else { return };
    for (own, expected) in [("0", "10min"), ("1h", "1h")] {
        put(&inbox, call(own, 9)).await;
        let [held] = lease(&inbox).await[..] else { panic!("a lease") };
        let mut client = database.client().await;
        let set = format!("SET idle_in_transaction_session_timeout = '{own}'");
        client.batch_execute(&set).await.unwrap();
        let transaction = complete(&mut client, held).await;
        let limit = transaction.query_one("SHOW idle_in_transaction_session_timeout", &[]).await;
        assert_eq!(limit.unwrap().get::<_, String>(0), expected);
        transaction.commit().await.unwrap();
        let limit = client.query_one("SHOW idle_in_transaction_session_timeout", &[]).await;
        assert_eq!(limit.unwrap().get::<_, String>(0), own, "only for the transaction");
    }
}

/// A handler that fails leaves a transaction that is about to be rolled back.
#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_waits_a_moment_for_the_handlers_own_transaction() {
    let Some((database, inbox)) = opened("moment").await else { return };
    put(&inbox, call("a", 9)).await;
    let [held] = lease(&inbox).await[..] else { panic!("a lease") };
    let [begun, over] = signals();
    let holder = tokio::spawn({
        let (begun, over) = (begun.clone(), over.clone());
        let mut client = database.client().await;
        async move {
            let transaction = complete(&mut client, held).await;
            begun.notify_one();
            over.notified().await;
            transaction.rollback().await.unwrap();
        }
    });
    begun.notified().await;
    let outcome = Outcome::Retry { after: TERM, counted: true, error: "away".to_owned() };
    let settlements = vec![Settlement { lease: held, outcome }];
    let (settled, ()) = tokio::join!(inbox.settle(settlements), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        over.notify_one();
    });
    assert_eq!(settled.unwrap(), [true]);
    assert_eq!(state(&inbox, held.item).await, State::Waiting);
    holder.await.unwrap();
}

/// A transaction that was begun by hand and forgotten, and one that has failed: nobody else gets into it.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_with_an_open_transaction_is_not_lent_again() {
    let Some((database, inbox)) = opened("left_open").await else { return };
    for statements in [BILL, "SELECT trtc_call.complete(1, 1)"] {
        // All of them, so that the next one can only be one of these, or a new one.
        let mut clients = Vec::new();
        for _ in 0..16 {
            let client = inbox.client().await.unwrap();
            client.batch_execute("BEGIN").await.unwrap();
            let _ = client.batch_execute(statements).await;
            clients.push(client);
        }
        drop(clients);
        in_time(async {
            for _ in 0..32 {
                let mut client = inbox.client().await.unwrap();
                client.transaction().await.unwrap().commit().await.unwrap();
            }
        })
        .await;
        assert_eq!(bills(&database).await, 0, "{statements}");
    }
}

/// Others share no commit with it for long.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_somebody_holds_fails_its_own_puts_in_time() {
    let Some((database, inbox)) = opened("held_key").await else { return };
    let accepted = async |call_id: &str| {
        let inbox = Inbox::from(inbox.clone());
        let call = CallEnded::new(call_id);
        inbox.accept(&deliver(APP, &Request::new(APP, call))).await
    };
    assert!(accepted("held").await.is_durable());
    let mut client = database.client().await;
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute("SELECT FROM trtc_call.keys FOR UPDATE").await.unwrap();
    in_time(async {
        let mut puts = JoinSet::new();
        for number in 0..100 {
            let inbox = Inbox::from(inbox.clone());
            puts.spawn(async move {
                let call_id = if number % 10 == 0 { "held".into() } else { number.to_string() };
                let call = CallEnded::new(&call_id);
                let acceptance = inbox.accept(&deliver(APP, &Request::new(APP, call))).await;
                (call_id, acceptance)
            });
        }
        for (call_id, acceptance) in puts.join_all().await {
            assert_eq!(acceptance.is_durable(), call_id != "held", "{call_id}: {acceptance:?}");
        }
    })
    .await;
    transaction.rollback().await.unwrap();
    assert!(matches!(accepted("held").await, Acceptance::Duplicate));
}
