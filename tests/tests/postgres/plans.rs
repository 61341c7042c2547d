//! By which indexes rows are found: what is dead stands in one until a vacuum, and that may have to wait.

use conformance::postgres::Server;
use trtc_call_inbox::State;
use trtc_call_inbox_postgres::PostgresInbox;

use crate::{call, lease, put};

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
