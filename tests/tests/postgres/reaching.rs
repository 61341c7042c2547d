//! Servers that are hard to reach.

use std::net::TcpListener;
use std::time::Duration;

use conformance::driver::in_time;
use conformance::postgres::Server;
use tokio::task::JoinSet;
use trtc_call_inbox::store::{LeaseRequest, Store};
use trtc_call_inbox_postgres::PostgresInbox;

use crate::{call, put};

/// It takes longer than a check of health does until the second host is tried.
#[tokio::test(flavor = "multi_thread")]
async fn a_check_of_health_that_is_given_up_leaves_its_connection_to_the_next_one() {
    let Some(server) = Server::start(&[]) else { return };
    let database = server.database("hard_to_reach").await;
    // It takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap();
    let url = database.url().replace('@', &format!("@{silent},"));
    let inbox = PostgresInbox::connect(&url).await.unwrap();
    const END: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'trtc-call-inbox'";
    database.rows(END).await;
    in_time(async { while inbox.health().await.is_err() {} }).await;
    put(&inbox, call("a", 9)).await;
}

/// Its network answers for it, so that no connection to it ever fails: nobody may wait for that.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_keeps_nothing_from_the_one_that_took_over() {
    let Some(primary) = Server::start(&[]) else { return };
    let database = primary.database("still").await;
    let standby = primary.standby("other");
    let both = format!("127.0.0.1:{},127.0.0.1:{}", primary.port(), standby.port());
    let url = format!("postgres://app@{both}/still");
    let inbox = PostgresInbox::connect(&url).await.unwrap();
    let four = async || {
        let leases = [(); 4].map(|()| has_leased(inbox.clone()));
        leases.into_iter().collect::<JoinSet<()>>().join_all().await;
    };
    // All that may be kept is open, and idle.
    four().await;
    put(&inbox, call("a", 9)).await;
    let follower = standby.same(&database).client().await;
    while follower.query("SELECT FROM trtc_call.items", &[]).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    primary.pause();
    standby.promote().await;
    in_time(async {
        four().await;
        while inbox.put(vec![call("b", 9)]).await.is_err() {}
        while inbox.health().await.is_err() {}
    })
    .await;
    primary.resume();
}

async fn has_leased(inbox: PostgresInbox) {
    let request = || LeaseRequest::new(1, 1, Duration::from_secs(30), 3);
    while inbox.lease(request()).await.is_err() {}
}

/// Whoever asks and goes, again and again, has the server do one thing after the other all the same.
#[tokio::test(flavor = "multi_thread")]
async fn reads_that_nobody_waits_for_take_no_more_connections() {
    let Some(server) = Server::shared() else { return };
    let database = server.database("given_up").await;
    let inbox = PostgresInbox::connect(database.url()).await.unwrap();
    database
        .run(
            "ALTER FUNCTION trtc_call.begin_work(integer) RENAME TO begin_quickly;
             CREATE FUNCTION trtc_call.begin_work(version integer) RETURNS timestamptz
             LANGUAGE plpgsql AS $$ BEGIN
                 PERFORM pg_sleep(3600);
                 RETURN trtc_call.begin_quickly(version);
             END $$",
        )
        .await;
    const SLEEPING: &str = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = 'given_up' AND application_name = 'trtc-call-inbox' AND wait_event = 'PgSleep'";
    in_time(async {
        for _ in 0..20 {
            let gives_up = tokio::time::sleep(Duration::from_millis(100));
            tokio::select! {
                _ = inbox.stats(None) => panic!("it sleeps"),
                () = gives_up => {}
            }
        }
    })
    .await;
    let sleeping: i64 = database.rows(SLEEPING).await[0].get(0);
    database
        .rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
        .await;
    assert!(sleeping <= 2, "{sleeping}");
}
