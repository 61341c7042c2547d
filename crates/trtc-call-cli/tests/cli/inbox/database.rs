//! What only a database can do.

use std::net::TcpListener;
use std::process::Output;

use conformance::postgres::Server;

use super::kept::{Kept, PASSWORD, Store, block_on, without_password};
use crate::common::{Listen, TOKEN, send, sentence, stdout, trtc_call};

/// None where there is no PostgreSQL.
fn filled(name: &str) -> Option<Kept> {
    Server::shared().map(|server| Store::Postgres(server).filled(name))
}

/// Both commands, at the same.
fn both(inbox: &str) -> [Output; 2] {
    [&["inbox", "status"][..], &["listen", "--addr", "127.0.0.1:0"]].map(|args| {
        let args = [args, &["--inbox", inbox]].concat();
        without_password(trtc_call(args).output().unwrap())
    })
}

#[test]
fn tools_make_nothing() {
    let Some(server) = Server::shared() else { return };
    let kept = Store::Postgres(server).empty("nothing");
    let text = sentence(&kept.run(&["check"]));
    assert!(text.starts_with("trtc-call: PostgreSQL at "), "{text}");
    assert!(text.ends_with(", database command_nothing: there is no inbox in it\n"), "{text}");
    let database = kept.database.as_ref().unwrap();
    let schemas = block_on(database.rows("SELECT to_regnamespace('trtc_call') IS NULL"));
    assert!(schemas[0].get::<_, bool>(0));

    let missing = kept.name.replace("command_nothing", "command_missing");
    for output in both(&missing) {
        let text = sentence(&output);
        assert!(text.contains("database \"command_missing\" does not exist"), "{text}");
    }
    let listen = Listen::start(&["--inbox", &kept.name]);
    stdout(&send(&listen.url, &["--token", TOKEN]), 0);
    assert_eq!(kept.states(), [(1, "waiting".to_owned())]);
}

#[test]
fn a_server_that_is_away_or_silent_is_one_sentence() {
    // It takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let away = TcpListener::bind("127.0.0.1:0").unwrap();
    let [silent_port, away_port] =
        [&silent, &away].map(|listener| listener.local_addr().unwrap().port());
    drop(away);
    let is_told = |port: u16, output: Output, says: &str| {
        let text = sentence(&output);
        let place = format!("trtc-call: PostgreSQL at 127.0.0.1:{port}, database calls: ");
        assert!(text.starts_with(&place) && text.contains(says), "{text}");
    };
    let url = |port| format!("postgres://me:{PASSWORD}@127.0.0.1:{port}/calls");
    for output in both(&url(away_port)) {
        is_told(away_port, output, "error connecting");
    }
    let status = trtc_call(["inbox", "status", "--inbox", &url(silent_port)]).output().unwrap();
    is_told(silent_port, without_password(status), "it did not answer in time");
}

#[test]
fn a_schema_of_the_future_and_a_locked_one_are_one_sentence() {
    let Some(kept) = filled("future") else { return };
    let database = kept.database.as_ref().unwrap();
    block_on(async {
        let client = database.client().await;
        client.batch_execute("BEGIN; LOCK TABLE trtc_call.schema").await.unwrap();
        let text = sentence(&kept.run(&["status"]));
        assert!(text.contains("somebody else holds it for too long"), "{text}");
        client.batch_execute("ROLLBACK").await.unwrap();
        stdout(&kept.run(&["status"]), 0);

        database.run("UPDATE trtc_call.schema SET version = 99, oldest = 98").await;
        let text = sentence(&kept.run(&["status"]));
        let says = ["the schema is of version 99", "a later version of this command may do"];
        assert!(says.iter().all(|says| text.contains(says)), "{text}");
    });
}

/// Nor what nobody can tell from a path, which would be printed.
#[test]
fn no_url_is_printed_however_it_is_written() {
    for (url, says) in [
        ("postgers://me:s3cret@h/d", "--inbox must be the path of a file, or postgres://URL"),
        ("POSTGRES://me:s3cret@h/d", "--inbox must be the path of a file, or postgres://URL"),
        ("postgres:me:s3cret@h/d", "--inbox must be the path of a file, or postgres://URL"),
        ("host=h password=s3cret", "--inbox must be the path of a file, or postgres://URL"),
        ("postgres://me:pw@s3cret@h/d", "the URL of PostgreSQL cannot be used: each @ but"),
        ("postgres://me:pw@h/d?sslmode=s3cret", "its sslmode must be disable, prefer"),
        ("postgres://me:s3cret@h:port/d", "the URL of PostgreSQL cannot be used: its form is"),
    ] {
        for output in both(url) {
            let text = sentence(&output);
            assert!(text.contains(says), "{text}");
        }
    }
    // Where no value is expected.
    for args in [["inbox", "postgres://me:s3cret@h/d"], ["listen", "postgres://me:s3cret@h/d"]] {
        sentence(&without_password(trtc_call(args).output().unwrap()));
    }
    let help = trtc_call(["inbox", "--help"]).env("INBOX", "postgres://me:s3cret@h/d").output();
    stdout(&without_password(help.unwrap()), 0);
}

/// What a restored backup, a person with `psql` or a bad disk may leave.
#[test]
fn check_names_what_is_damaged_in_a_database() {
    let Some(kept) = filled("damaged") else { return };
    let rival = kept.rival();
    let database = kept.database.as_ref().unwrap();
    block_on(async {
        database
            .run(
                r"
                UPDATE trtc_call.items SET body = NULL WHERE id = 1;
                UPDATE trtc_call.keys SET items = 5 WHERE first_item = 1;
                UPDATE trtc_call.items SET done_at = NULL, digest = '\x02' WHERE id = 2;
                UPDATE trtc_call.keys SET digest = '\x02' WHERE first_item = 2;
                UPDATE trtc_call.items SET is_rival = true WHERE id = 3;
                UPDATE trtc_call.items SET body = 'other', state = 'frozen' WHERE id = 4;
                DELETE FROM trtc_call.keys WHERE first_item = 5;
                UPDATE trtc_call.items SET state = 'confirming', has_record = false WHERE id = 5;
                UPDATE trtc_call.items SET state = 'leased' WHERE id = 6;
                SELECT setval('trtc_call.item_numbers', 6);
                UPDATE trtc_call.schema SET test_time = now();
                DROP INDEX trtc_call.items_call;
                DROP INDEX trtc_call.items_leased",
            )
            .await;
        // One that was begun and did not come to an end.
        let invalid =
            "CREATE UNIQUE INDEX CONCURRENTLY items_call ON trtc_call.items (length(call_id))";
        assert!(database.client().await.batch_execute(invalid).await.is_err());
    });
    let text = kept.text(&["check"], 1);
    for line in [
        "bodies that are not those that came: 1, the first is 4",
        "items that are done, and not how or when: nothing prunes them: 1, the first is 2",
        "items that are leased to nobody: no worker takes them back: 1, the first is 6",
        "items that are not done and have no body: 1, the first is 1",
        "items that their key does not know: 1, the first is 3",
        "items that wait for a record that nobody asks for: 1, the first is 5",
        "items whose key is missing: nobody works or lists them: 1, the first is 5",
        "items with the word \"frozen\", which this version does not know: 1, the first is 4",
        "keys that count more or fewer items than they have: 1, the first is 1",
        "keys with a wrong digest: what comes again is taken for new: 1, the first is 2",
        "not all items can be read: PostgreSQL at ",
        "the clock stands still: test_time is set in trtc_call.schema",
        "the index trtc_call.items_call is missing, or not valid",
        "the index trtc_call.items_leased is missing, or not valid",
        &format!("the sequence trtc_call.item_numbers is behind item {rival}: what is new "),
    ] {
        let finding = format!("damage        {line}");
        assert!(text.lines().any(|found| found.starts_with(&finding)), "{line}: {text}");
    }
    assert_eq!(text.matches("pg_dump").count(), 15, "{text}");
}
