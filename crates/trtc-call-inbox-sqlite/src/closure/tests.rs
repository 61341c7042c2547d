use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};

use rusqlite::Connection;
use trtc_call_inbox::store::{Outcome, Settlement, Store};
use trtc_call_inbox::{ItemId, State};

use super::*;
use crate::support::{Folder, call, lease, outsider, put};

/// What a user's database has.
const TABLES: &str = "
    CREATE TABLE bills (call_id TEXT PRIMARY KEY, times INTEGER NOT NULL DEFAULT 1);
    CREATE TABLE notes (call_id TEXT REFERENCES bills (call_id) DEFERRABLE INITIALLY DEFERRED);
    PRAGMA user_version = 7;";

const BILL: &str = "
    INSERT INTO bills (call_id) VALUES (?1) ON CONFLICT (call_id) DO UPDATE SET times = times + 1";

struct Shop {
    folder: Folder,
    inbox: SqliteInbox,
}

impl Shop {
    fn new() -> Self {
        let folder = Folder::new();
        outsider(&folder.file()).execute_batch(TABLES).unwrap();
        let inbox = SqliteInbox::open_in_app_database(folder.file()).unwrap();
        Self { folder, inbox }
    }

    /// So many jobs.
    async fn leases<const N: usize>(&self) -> [Lease; N] {
        for number in 0..N {
            put(&self.inbox, call(&format!("call-{number}"), 10)).await;
        }
        let leased = lease(&self.inbox, 1).await;
        leased.iter().map(|item| item.lease).collect::<Vec<_>>().try_into().unwrap()
    }

    /// Bills a call, and completes its job.
    async fn bill(&self, lease: Lease, call_id: &'static str) -> Result<(), JobError> {
        let bill =
            move |transaction: &Transaction<'_>| transaction.execute(BILL, [call_id]).map(|_| ());
        self.complete(lease, bill).await
    }

    /// What a job's `complete_with` does.
    async fn complete<T, E>(
        &self,
        lease: Lease,
        mut statements: impl FnMut(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, JobError>
    where
        T: Send + 'static,
        E: Into<JobError>,
    {
        let run = move |transaction: &Transaction<'_>| statements(transaction).map_err(Into::into);
        self.inbox.run_statements(Some(lease), run).await
    }

    /// Runs statements that ignore their errors, beside a job of two others in the same transaction.
    /// Returns what they returned.
    async fn beside_others(
        &self,
        statements: impl Fn(&Transaction<'_>) -> rusqlite::Result<()> + Send + 'static,
    ) -> (Lease, Result<(), JobError>) {
        let leases: [Lease; 3] = self.leases().await;
        // All three are queued before the first can begin.
        let gate = outsider(&self.folder.file());
        gate.execute_batch("BEGIN IMMEDIATE").unwrap();
        let (before, outcome, after, ()) = tokio::join!(
            self.bill(leases[0], "before"),
            self.complete(leases[1], statements),
            self.bill(leases[2], "after"),
            async { gate.execute_batch("COMMIT").unwrap() },
        );
        before.unwrap();
        after.unwrap();
        assert_eq!(self.state(leases[0].item).await, State::Done);
        assert_eq!(self.state(leases[2].item).await, State::Done);
        let others = self.bills().into_iter().filter(|(id, _)| id == "before" || id == "after");
        let others: Vec<_> = others.collect();
        assert_eq!(others, [("after".to_owned(), 1), ("before".to_owned(), 1)], "each once");
        (leases[1], outcome)
    }

    async fn state(&self, item: ItemId) -> State {
        self.inbox.get(item).await.unwrap().unwrap().state
    }

    /// Which calls were billed, and how often.
    fn bills(&self) -> Vec<(String, i64)> {
        let connection = outsider(&self.folder.file());
        let mut select =
            connection.prepare("SELECT call_id, times FROM bills ORDER BY call_id").unwrap();
        let bills = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        bills.map(Result::unwrap).collect()
    }
}

fn text<T: fmt::Debug, E: fmt::Display + fmt::Debug>(outcome: Result<T, E>) -> String {
    outcome.unwrap_err().to_string()
}

#[tokio::test]
async fn statements_and_completion_are_one() {
    let shop = Shop::new();
    let [lease] = shop.leases().await;
    shop.bill(lease, "a").await.unwrap();
    assert_eq!(shop.state(lease.item).await, State::Done);
    assert_eq!(shop.bills(), [("a".to_owned(), 1)]);
}

#[tokio::test]
async fn an_error_undoes_both() {
    let shop = Shop::new();
    let [lease] = shop.leases().await;
    let fail = |transaction: &Transaction<'_>| {
        transaction.execute(BILL, ["a"])?;
        transaction.execute("INSERT INTO missing VALUES (1)", [])
    };
    let outcome = shop.complete(lease, fail).await;
    assert!(text(outcome).contains("no such table"));
    assert_eq!(shop.state(lease.item).await, State::Leased);
    assert_eq!(shop.bills(), []);
    shop.bill(lease, "a").await.unwrap();
}

#[tokio::test]
async fn a_lost_lease_runs_nothing() {
    let shop = Shop::new();
    let [lease] = shop.leases().await;
    let outcome = Outcome::GiveBack;
    assert_eq!(shop.inbox.settle(vec![Settlement { lease, outcome }]).await.unwrap(), [true]);
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let run = move |_: &Transaction<'_>| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok::<_, JobError>(())
    };
    let outcome = shop.complete(lease, run).await;
    assert!(text(outcome).contains("the lease is lost"));
    assert_eq!(runs.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_dispute_revokes_a_lease() {
    let shop = Shop::new();
    let [lease] = shop.leases().await;
    shop.inbox.put(vec![call("call-0", 11)]).await.unwrap();
    assert!(text(shop.bill(lease, "a").await).contains("disputed"));
    assert_eq!(shop.bills(), []);
}

#[tokio::test]
async fn a_panic_is_an_error_and_undone() {
    let shop = Shop::new();
    let (lease, outcome) = shop
        .beside_others(|transaction| {
            transaction.execute(BILL, ["culprit"])?;
            panic!("oh no");
        })
        .await;
    assert_eq!(text(outcome), "the statements panicked: oh no");
    assert_eq!(shop.state(lease.item).await, State::Leased);
    assert_eq!(shop.bills().len(), 2);
    shop.bill(lease, "culprit").await.unwrap();
}

/// Panics when it is dropped, also on the writer's thread.
struct Trap;

impl Drop for Trap {
    fn drop(&mut self) {
        panic!("a trap");
    }
}

#[tokio::test]
async fn what_panics_when_it_is_dropped_stops_no_store() {
    let shop = Shop::new();
    let [lease] = shop.leases().await;
    let trap = Trap;
    let sprung = shop.inbox.write(move |transaction| {
        let _held = &trap;
        transaction.execute(BILL, ["a"]).map(|_| ())
    });
    // Whether it was told or not: its statements count, or not.
    let _ = sprung.await;
    let id = put(&shop.inbox, call("b", 1)).await;
    assert_eq!(shop.state(id).await, State::Waiting);
    shop.bill(lease, "c").await.unwrap();
}

/// What statements may not do.
const FORBIDDEN: &[&str] = &[
    "BEGIN",
    "COMMIT",
    "END",
    "ROLLBACK",
    "SAVEPOINT mine",
    "ROLLBACK TO trtc_call_statements",
    "RELEASE trtc_call_statements",
    "ATTACH ':memory:' AS other",
    "DETACH main",
    "PRAGMA user_version = 1",
    "PRAGMA synchronous = OFF",
    "UPDATE trtc_call_items SET state = 'done'",
    "UPDATE TRTC_CALL_ITEMS SET state = 'done'",
    "DELETE FROM trtc_call_items",
    "DELETE FROM trtc_call_keys",
    "INSERT INTO trtc_call_schema (one, version, oldest) VALUES (2, 1, 1)",
    "REPLACE INTO trtc_call_schema (one, version, oldest) VALUES (1, 9, 9)",
    "DROP TABLE trtc_call_items",
    "ALTER TABLE trtc_call_items ADD COLUMN mine",
    "ALTER TABLE trtc_call_keys RENAME TO mine",
    "CREATE TABLE trtc_call_mine (a)",
    "CREATE TEMP TABLE trtc_call_items (a)",
    "CREATE TEMP VIEW trtc_call_items AS SELECT 1",
    "CREATE INDEX mine ON trtc_call_items (body)",
    "DROP INDEX trtc_call_items_due",
    "REINDEX trtc_call_items_due",
    "CREATE TRIGGER mine AFTER INSERT ON trtc_call_items BEGIN SELECT 1; END",
    "CREATE TEMP TRIGGER mine AFTER INSERT ON trtc_call_items BEGIN SELECT 1; END",
];

#[tokio::test]
async fn what_is_forbidden_is_refused_and_harms_nobody() {
    let shop = Shop::new();
    let schema = |connection: &Connection| -> Vec<String> {
        let mut select = connection.prepare("SELECT sql FROM sqlite_schema").unwrap();
        select
            .query_map([], |row| row.get::<_, Option<String>>(0))
            .unwrap()
            .filter_map(Result::unwrap)
            .collect()
    };
    let before = schema(&outsider(&shop.folder.file()));
    let (lease, outcome) = shop
        .beside_others(|transaction| {
            for statement in FORBIDDEN {
                let prepared = transaction.prepare_cached(statement).map(|_| ());
                let text = prepared.expect_err(statement).to_string();
                assert!(text.contains("authoriz") || text.contains("prohibited"), "{text}");
                transaction.execute_batch(statement).expect_err(statement);
                assert!(!transaction.is_autocommit(), "{statement}");
            }
            transaction.execute(BILL, ["culprit"]).map(|_| ())
        })
        .await;
    outcome.unwrap();
    assert_eq!(shop.state(lease.item).await, State::Done);
    let connection = outsider(&shop.folder.file());
    assert_eq!(schema(&connection), before);
    let version: i64 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 7);
    assert_eq!(shop.inbox.integrity().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn statements_that_end_the_transaction_fail_alone() {
    let shop = Shop::new();
    outsider(&shop.folder.file()).execute_batch("INSERT INTO bills VALUES ('taken', 5)").unwrap();
    let (lease, outcome) = shop
        .beside_others(|transaction| {
            transaction.execute(BILL, ["culprit"])?;
            let taken = "INSERT OR ROLLBACK INTO bills (call_id) VALUES ('taken')";
            assert!(transaction.execute(taken, []).is_err());
            assert!(transaction.is_autocommit());
            // Without the transaction this would be on the disk at once.
            assert!(transaction.execute(BILL, ["culprit"]).is_err());
            Ok(())
        })
        .await;
    assert!(text(outcome).contains("ended the transaction"));
    assert_eq!(shop.state(lease.item).await, State::Leased);
    assert_eq!(shop.bills().len(), 3, "{:?}", shop.bills());
}

#[tokio::test]
async fn a_constraint_that_the_commit_checks_fails_alone() {
    let shop = Shop::new();
    let (lease, outcome) = shop
        .beside_others(|transaction| {
            transaction.execute("INSERT INTO notes VALUES ('nobody')", []).map(|_| ())
        })
        .await;
    assert!(text(outcome).contains("FOREIGN KEY"));
    assert_eq!(shop.state(lease.item).await, State::Leased);
}

const ENDLESS: &str =
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";

#[tokio::test]
async fn an_endless_statement_is_interrupted() {
    let shop = Shop::new();
    let (lease, outcome) = shop
        .beside_others(|transaction| {
            transaction.execute(&format!("INSERT INTO bills (call_id) {ENDLESS}"), []).map(|_| ())
        })
        .await;
    assert!(text(outcome).contains("interrupted"));
    assert_eq!(shop.state(lease.item).await, State::Leased);
    assert_eq!(shop.bills().len(), 2);
}

#[tokio::test]
async fn an_endless_statement_fails_no_put() {
    let shop = Shop::new();
    let count = format!("SELECT count(*) FROM ({ENDLESS})");
    let endless = shop
        .inbox
        .write(move |transaction| transaction.query_row(&count, [], |row| row.get::<_, i64>(0)));
    let (outcome, id) = tokio::join!(endless, put(&shop.inbox, call("b", 1)));
    assert!(text(outcome).contains("interrupted"));
    assert_eq!(shop.state(id).await, State::Waiting);
}

#[tokio::test]
async fn statements_that_block_hold_up_but_harm_nobody() {
    let shop = Shop::new();
    let (release, blocked) = mpsc::channel();
    let block = shop.inbox.write(move |transaction| {
        blocked.recv().unwrap();
        transaction.execute(BILL, ["late"])
    });
    let others = async {
        let put = put(&shop.inbox, call("b", 1));
        tokio::join!(put, async { release.send(()).unwrap() }).0
    };
    let (outcome, id) = tokio::join!(block, others);
    outcome.unwrap();
    assert_eq!(shop.state(id).await, State::Waiting);
    assert_eq!(shop.bills(), [("late".to_owned(), 1)]);
}

#[tokio::test]
async fn a_call_that_is_dropped_does_both_or_neither() {
    let shop = Shop::new();
    let [one, other] = shop.leases().await;
    {
        let mut dropped = std::pin::pin!(shop.bill(one, "dropped"));
        let once = std::future::poll_fn(|context| {
            let _ = dropped.as_mut().poll(context);
            std::task::Poll::Ready(())
        });
        once.await;
    }
    shop.bill(other, "other").await.unwrap();
    let is_done = shop.state(one.item).await == State::Done;
    let is_billed = shop.bills().iter().any(|(id, _)| id == "dropped");
    assert_eq!(is_done, is_billed);
}
