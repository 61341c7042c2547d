//! By which indexes rows are found: what is dead stands in one until a vacuum, and that may have to wait.

use std::time::Duration;

use conformance::driver::in_time;
use conformance::postgres::{Database, Server};
use trtc_call_inbox::store::Store;
use trtc_call_inbox::{Filter, State};
use trtc_call_inbox_postgres::PostgresInbox;

use crate::{call, lease, put};

/// How often an index was read, by transactions that are over.
async fn scans(database: &Database, index: &str) -> i64 {
    let select = format!(
        "SELECT idx_scan FROM pg_stat_user_indexes
         WHERE schemaname = 'trtc_call' AND indexrelname = '{index}'"
    );
    database.rows(&select).await[0].get(0)
}

/// All that was ever leased stands in the index of what is leased, if somebody's transaction is as old.
#[tokio::test(flavor = "multi_thread")]
async fn leases_are_held_and_ended_by_their_numbers() {
    const SCANS: &str = "SELECT pg_stat_get_xact_numscans('trtc_call.items_leased'::regclass)";
    let Some(server) = Server::shared() else { return };
    let database = server.database("plans").await;
    let inbox = PostgresInbox::connect(database.url()).await.unwrap();
    for call_id in ["a", "b"] {
        put(&inbox, call(call_id, 9)).await;
    }
    let [a, b] = lease(&inbox).await[..] else { panic!("two leases") };
    let mut client = database.client().await;
    let transaction = client.transaction().await.unwrap();
    let (item, token) = (a.item.get(), a.token);
    for statement in [
        format!("trtc_call.renew(1, '{{{item}}}', '{{{token}}}', '1min')"),
        format!(
            "trtc_call.settle(1, '{{{item}}}', '{{{token}}}', '{{done}}', '{{handled}}', '{{0}}', '{{0}}',
                              '{{NULL}}')"
        ),
        format!("trtc_call.complete({}, {})", b.item.get(), b.token),
    ] {
        transaction.batch_execute(&format!("SELECT {statement}")).await.unwrap();
        let scans: i64 = transaction.query_one(SCANS, &[]).await.unwrap().get(0);
        assert_eq!(scans, 0, "{statement}");
    }
    transaction.commit().await.unwrap();
    for lease in [a, b] {
        assert_eq!(crate::state(&inbox, lease.item).await, State::Done);
    }
}

/// However many there are: each statement reads what it hands out, and what is only looked at is not locked.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_record_slows_nothing_down() {
    const ITEMS: i64 = 5_000;
    /// What this transaction has read of the indexes and changed, and whether it locks anything.
    const READ: &str = "
        SELECT sum(pg_stat_get_xact_tuples_returned(indexrelid))::bigint,
               pg_stat_get_xact_tuples_updated('trtc_call.items'::regclass),
               pg_current_xact_id_if_assigned() IS NOT NULL
        FROM pg_index WHERE indrelid IN ('trtc_call.items'::regclass, 'trtc_call.keys'::regclass)";
    let Some(server) = Server::shared() else { return };
    let database = server.database("asked").await;
    PostgresInbox::connect(database.url()).await.unwrap();
    // Half of them are due.
    database
        .run(&format!(
            "INSERT INTO trtc_call.keys (digest, key, sdk_app_id, compared, first_item, last_at)
             SELECT sha256(n::text::bytea), n, 1, '[]', n, now() FROM generate_series(1, {ITEMS}) AS n;
             INSERT INTO trtc_call.items (id, digest, sha256, sdk_app_id, source, signature, received_at,
                                          state, due_at, has_record, body)
             SELECT n, sha256(n::text::bytea), '', 1, 'callback', 'missing', now(),
                    'confirming', now() + (n - {ITEMS} / 2) * interval '1s' / 10, true, ''
             FROM generate_series(1, {ITEMS}) AS n"
        ))
        .await;
    for (statement, changed, locks) in [
        ("lease(1, 1, 1, 10, '30s', 3, '5s', false, true, true, NULL)", 0_i64, false),
        ("asked(1, 1, 10, '1h')", 0, false),
        ("ask(1, 1, 7, 10, '30s', '1h', NULL, now())", 10, true),
        ("answer(1, '{1}', '{7}', '{true}', '{1s}', '{NULL}', '{away}')", 1, true),
        ("settle(1, '{1}', '{7}', '{done}', '{NULL}', '{0}', '{0}', '{NULL}')", 0, false),
        ("known(1, ARRAY[sha256('1'), sha256('2'), sha256('0')], true)", 0, false),
        ("known_items(sha256('1'), true)", 0, true),
    ] {
        let mut client = database.client().await;
        let transaction = client.transaction().await.unwrap();
        transaction.batch_execute(&format!("SELECT trtc_call.{statement}")).await.unwrap();
        let row = transaction.query_one(READ, &[]).await.unwrap();
        let read: i64 = row.get(0);
        assert!(read < 50, "{statement}: {read}");
        assert_eq!((row.get(1), row.get(2)), (changed, locks), "{statement}");
        transaction.commit().await.unwrap();
    }
}

/// Few are dead among millions that are done.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_dead_is_listed_by_its_own_index() {
    let Some(server) = Server::shared() else { return };
    let database = server.database("listed").await;
    let inbox = PostgresInbox::connect(database.url()).await.unwrap();
    let mut filter = Filter::default();
    filter.state = Some(State::Dead);
    assert!(inbox.list(filter, 10, false).await.unwrap().is_empty());
    // A connection says what it has read when it ends, at the latest.
    drop(inbox);
    in_time(async {
        while scans(&database, "items_stopped").await == 0 {
            assert_eq!(scans(&database, "items_pkey").await, 0);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}
