//! Settings of the server, the database and the role.

use std::time::{Duration, UNIX_EPOCH};

use conformance::postgres::Server;
use trtc_call_inbox::store::{Store, StoreErrorKind};
use trtc_call_inbox::{Filter, State};
use trtc_call_inbox_postgres::PostgresInbox;

use crate::{call, put};

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_lose_data_are_refused_by_name() {
    for setting in ["fsync", "full_page_writes"] {
        let Some(server) = Server::start(&[(setting, "off")]) else { return };
        let database = server.database("loses").await;
        let error = PostgresInbox::connect(database.url()).await.unwrap_err();
        assert!(error.to_string().contains(&format!("{setting} is off")), "{error}");
        let options = PostgresInbox::options().insecure_settings();
        put(&options.connect(database.url()).await.unwrap(), call("a", 9)).await;
        server.set(&[(setting, "on")]).await;
        let inbox = PostgresInbox::connect(database.url()).await.unwrap();
        inbox.health().await.unwrap();
        // Also while it runs.
        server.set(&[(setting, "off")]).await;
        let error = inbox.health().await.unwrap_err();
        assert!(error.to_string().contains(&format!("{setting} is off")), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_are_not_logged_are_refused() {
    let Some(server) = Server::shared() else { return };
    let database = server.database("unlogged").await;
    PostgresInbox::connect(database.url()).await.unwrap();
    database.run("ALTER TABLE trtc_call.items SET UNLOGGED").await;
    let error = PostgresInbox::connect(database.url()).await.unwrap_err();
    assert!(error.to_string().contains("not logged"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_write_and_one_of_another_isolation_are_refused() {
    let Some(server) = Server::shared() else { return };
    let database = server.database("roles").await;
    PostgresInbox::connect(database.url()).await.unwrap();
    let admin = server.client().await;
    let set = async |setting| {
        admin.batch_execute(&format!("ALTER DATABASE roles {setting}")).await.unwrap();
    };
    set("SET default_transaction_read_only = on").await;
    let error = PostgresInbox::connect(database.url()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::ReadOnly, "{error}");
    set("RESET default_transaction_read_only").await;
    set("SET default_transaction_isolation = 'serializable'").await;
    let error = PostgresInbox::connect(database.url()).await.unwrap_err();
    assert!(error.to_string().contains("default_transaction_isolation"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_another_encoding_is_refused() {
    let Some(server) = Server::shared() else { return };
    let database = server.database("latin").await;
    let admin = server.client().await;
    admin.batch_execute("DROP DATABASE latin").await.unwrap();
    let latin = "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0";
    admin.batch_execute(latin).await.unwrap();
    let error = PostgresInbox::connect(database.url()).await.unwrap_err();
    assert!(error.to_string().contains("UTF8"), "{error}");
}

/// What a role does not wait for by itself is waited for here, and other levels stay.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_waits_for_the_disk_whatever_the_role_has() {
    let Some(server) = Server::shared() else { return };
    let database = server.database("synchronous").await;
    PostgresInbox::connect(database.url()).await.unwrap();
    database
        .run(
            "CREATE TABLE levels (level text);
             GRANT ALL ON levels TO PUBLIC;
             CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 INSERT INTO public.levels VALUES (current_setting('synchronous_commit'));
                 RETURN NULL;
             END $$;
             CREATE TRIGGER note AFTER INSERT ON trtc_call.items EXECUTE FUNCTION note()",
        )
        .await;
    for (level, expected) in [("off", "on"), ("local", "local"), ("remote_apply", "remote_apply")] {
        database.run(&format!("ALTER DATABASE synchronous SET synchronous_commit = {level}")).await;
        let inbox = PostgresInbox::connect(database.url()).await.unwrap();
        database.run("TRUNCATE levels").await;
        put(&inbox, call(level, 9)).await;
        let levels = database.rows("SELECT level FROM levels").await;
        assert_eq!(levels[0].get::<_, String>(0), expected);
    }
}

/// Old programs have roles with such settings.
#[tokio::test(flavor = "multi_thread")]
async fn settings_of_a_role_that_are_of_no_matter() {
    let Some(server) = Server::shared() else { return };
    let database = server.database("odd").await;
    database
        .run(
            "ALTER DATABASE odd SET standard_conforming_strings = off;
             ALTER DATABASE odd SET backslash_quote = off;
             ALTER DATABASE odd SET bytea_output = escape;
             ALTER DATABASE odd SET datestyle = 'German, DMY';
             ALTER DATABASE odd SET intervalstyle = sql_standard;
             ALTER DATABASE odd SET timezone = 'Pacific/Apia';
             ALTER DATABASE odd SET search_path = '';
             ALTER DATABASE odd SET row_security = off;
             ALTER DATABASE odd SET default_transaction_deferrable = on",
        )
        .await;
    let inbox = PostgresInbox::connect(database.url()).await.unwrap();
    let item = put(&inbox, call("a\\b\0'c", 9)).await;
    let [held] = crate::lease(&inbox).await[..] else { panic!("a lease") };
    let mut client = inbox.client().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    let arguments = (held.item.get(), held.token);
    let complete = "SELECT trtc_call.complete($1, $2)";
    transaction.query(complete, &[&arguments.0, &arguments.1]).await.unwrap();
    transaction.commit().await.unwrap();
    let stored = inbox.get(item).await.unwrap().unwrap();
    assert_eq!((stored.state, stored.call_id.as_deref()), (State::Done, Some("a\\b\0'c")));
    assert_eq!(inbox.integrity().await.unwrap(), [""; 0]);
}

/// No server has times that are as far away.
#[tokio::test(flavor = "multi_thread")]
async fn items_since_any_time_are_listed() {
    let Some(server) = Server::shared() else { return };
    let database = server.database("since").await;
    let inbox = PostgresInbox::connect(database.url()).await.unwrap();
    put(&inbox, call("a", 9)).await;
    for (years, items) in [(0, 1), (10_000, 0), (1_000_000, 0), (100_000_000, 0)] {
        let mut filter = Filter::default();
        filter.since = Some(UNIX_EPOCH + Duration::from_secs(years * 365 * 24 * 60 * 60));
        assert_eq!(inbox.list(filter, 10, false).await.unwrap().len(), items, "{years}");
    }
}
