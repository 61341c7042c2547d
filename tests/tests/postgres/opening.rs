//! Making the schema, and finding one.

use conformance::driver::in_time;
use conformance::postgres::{Database, Server};
use tokio::task::JoinSet;
use trtc_call_inbox::store::{Store, StoreErrorKind};
use trtc_call_inbox::{Filter, StoreError};
use trtc_call_inbox_postgres::PostgresInbox;

use crate::{call, lease, put};

async fn database(name: &str) -> Option<Database> {
    Some(Server::shared()?.database(name).await)
}

/// Why it cannot be opened.
async fn refusal(url: &str) -> StoreError {
    PostgresInbox::connect(url).await.expect_err("it is opened")
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_start_at_once_make_one_schema() {
    let Some(database) = database("at_once").await else { return };
    let mut servers = JoinSet::new();
    for _ in 0..8 {
        let url = database.url().to_owned();
        servers.spawn(async move { PostgresInbox::connect(&url).await.map(drop) });
    }
    for opened in in_time_all(servers).await {
        opened.unwrap();
    }
}

async fn in_time_all<T: 'static>(tasks: JoinSet<T>) -> Vec<T> {
    let mut done = Vec::new();
    in_time(async { done = tasks.join_all().await }).await;
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_may_be_made_for_a_role_that_may_not_make_one() {
    let Some(database) = database("made_for").await else { return };
    database
        .run(
            "DO $$ BEGIN CREATE ROLE narrow LOGIN;
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
             CREATE SCHEMA trtc_call AUTHORIZATION narrow",
        )
        .await;
    let url = database.url().replace("://app", "://narrow");
    let inbox = PostgresInbox::connect(&url).await.unwrap();
    put(&inbox, call("a", 9)).await;
    assert_eq!(lease(&inbox).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_something_else_is_refused_and_left_alone() {
    let Some(database) = database("something_else").await else { return };
    database.run("CREATE SCHEMA trtc_call CREATE TABLE diary (day date)").await;
    assert_eq!(refusal(database.url()).await.kind(), StoreErrorKind::NotAnInbox);
    let tables =
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'trtc_call'::regnamespace";
    let tables = database.rows(tables).await;
    assert_eq!(tables.iter().map(|row| row.get(0)).collect::<Vec<String>>(), ["diary"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_make_nothing() {
    let Some(database) = database("tools").await else { return };
    let open = || PostgresInbox::options().must_exist().connect(database.url());
    assert_eq!(open().await.unwrap_err().kind(), StoreErrorKind::NotFound);
    let schemas = "SELECT 1 FROM pg_namespace WHERE nspname = 'trtc_call'";
    assert!(database.rows(schemas).await.is_empty());
    PostgresInbox::connect(database.url()).await.unwrap();
    open().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_named_and_no_error_shows_the_password() {
    let Some(database) = database("not_there").await else { return };
    let with_password = database.url().replace("://app@", "://app:s3cret@");
    let missing = refusal(&with_password.replace("not_there", "missing")).await;
    assert_eq!(missing.kind(), StoreErrorKind::NotFound);
    assert!(missing.to_string().contains("missing"), "{missing}");
    let closed = refusal("postgres://app:s3cret@127.0.0.1:1/d").await;
    assert_eq!(closed.kind(), StoreErrorKind::Unavailable);
    assert!(closed.to_string().contains("127.0.0.1:1"), "{closed}");
    let nobody = refusal(&with_password.replace("app:", "nobody_at_all:")).await;
    assert!(nobody.to_string().contains("nobody_at_all"), "{nobody}");
    for error in [missing, closed, nobody] {
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
}

/// A later release has changed the schema while this one was running.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_program_works_beside_a_newer_one_as_long_as_it_may() {
    let Some(database) = database("versions").await else { return };
    let inbox = PostgresInbox::connect(database.url()).await.unwrap();
    database.run("UPDATE trtc_call.schema SET version = 2").await;
    put(&inbox, call("a", 9)).await;
    PostgresInbox::connect(database.url()).await.unwrap();

    database.run("UPDATE trtc_call.schema SET version = 3, oldest = 2").await;
    assert_eq!(refusal(database.url()).await.kind(), StoreErrorKind::SchemaTooNew);
    let error = inbox.put(vec![call("b", 9)]).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::SchemaTooNew, "{error}");
    assert!(error.to_string().contains("knows version 2"), "{error}");
    let request = trtc_call_inbox::store::LeaseRequest::new(1, 1, std::time::Duration::ZERO, 3);
    let errors = [
        inbox.lease(request).await.map(drop),
        inbox.list(Filter::all(), 1, false).await.map(drop),
        inbox.stats(None).await.map(drop),
        inbox.health().await,
        inbox.replay(Vec::new()).await.map(drop),
    ];
    let kinds = errors.map(|error| error.err().map(|error| error.kind()));
    assert_eq!(kinds, [Some(StoreErrorKind::SchemaTooNew); 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_is_dropped_is_missed() {
    let Some(database) = database("dropped").await else { return };
    let inbox = PostgresInbox::connect(database.url()).await.unwrap();
    database.run("DROP SCHEMA trtc_call CASCADE").await;
    let error = inbox.put(vec![call("a", 9)]).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::NotAnInbox, "{error}");
    assert_eq!(inbox.health().await.unwrap_err().kind(), StoreErrorKind::NotAnInbox);
}
