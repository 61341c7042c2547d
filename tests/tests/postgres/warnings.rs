//! What a server says beside its answers: that a commit did not wait for its standby, and much else.

use std::time::Duration;

use conformance::driver::in_time;
use conformance::postgres::Server;
use trtc_call_inbox::store::{Put, PutRecord, Scope, Store, StoreErrorKind};
use trtc_call_inbox_postgres::PostgresInbox;

use crate::{call, put, record};

/// Also where the role has the server say only what is an error.
#[tokio::test(flavor = "multi_thread")]
async fn a_wait_for_a_standby_that_is_cancelled_is_no_success() {
    let Some(server) = Server::start(&[]) else { return };
    let database = server.database("cancelled").await;
    for level in ["notice", "error"] {
        database
            .run(&format!("ALTER DATABASE cancelled SET client_min_messages = '{level}'"))
            .await;
        let inbox = PostgresInbox::connect(database.url()).await.unwrap();
        server.set(&[("synchronous_standby_names", "nobody")]).await;
        let administrator = server.client().await;
        let records = || vec![record(&format!("{level}, never came"), 9)];
        in_time(async {
            let cancelling = async || {
                const CANCEL: &str = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity
                    WHERE wait_event = 'SyncRep'";
                while administrator.query(CANCEL, &[]).await.unwrap().is_empty() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            let (puts, ()) = tokio::join!(inbox.put(vec![call(level, 9)]), cancelling());
            assert_eq!(puts.unwrap_err().kind(), StoreErrorKind::Unavailable, "{level}");
            let (puts, ()) = tokio::join!(inbox.put_records(records(), Scope::All), cancelling());
            assert_eq!(puts.unwrap_err().kind(), StoreErrorKind::Unavailable, "{level}");
        })
        .await;
        server.set(&[("synchronous_standby_names", "")]).await;
        assert_eq!(inbox.put(vec![call(level, 9)]).await.unwrap(), [Put::Duplicate]);
        let known = inbox.put_records(records(), Scope::All).await.unwrap();
        assert_eq!(known, [PutRecord::Known]);
    }
}

/// After an upgrade of the system, for example, each connection is told that collations may have changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_warning_that_comes_with_a_connection_keeps_nobody_from_using_it() {
    let Some(server) = Server::start(&[]) else { return };
    let database = server.database("warns").await;
    const COLUMN: &str = "SELECT FROM pg_attribute
        WHERE attrelid = 'pg_database'::regclass AND attname = 'datcollversion'";
    if database.rows(COLUMN).await.is_empty() {
        // Servers before 15 do not say so.
        return;
    }
    database.run("UPDATE pg_database SET datcollversion = '1' WHERE datname = 'warns'").await;
    for attempt in 0..100 {
        let inbox = PostgresInbox::connect(database.url()).await.unwrap();
        put(&inbox, call(&attempt.to_string(), 9)).await;
    }
}
