//! Servers that are hard to reach.

use std::net::TcpListener;

use conformance::driver::in_time;
use conformance::postgres::Server;
use trtc_call_inbox::store::Store;
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
