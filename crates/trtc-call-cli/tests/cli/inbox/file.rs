//! What only a file can do.

use std::fs;

use trtc_call_inbox_sqlite::rusqlite;

use super::kept::Store;
use crate::common::{sentence, stdout, trtc_call};

/// Each has a sentence of its own, and nothing is made or changed.
#[test]
fn what_cannot_be_opened_is_one_sentence() {
    let kept = Store::Sqlite.empty("errors");
    let text = sentence(&kept.run(&["status"]));
    assert!(text.starts_with(&format!("trtc-call: there is no inbox {}", kept.name)), "{text}");
    assert!(!kept.file().exists());

    fs::write(kept.file(), "a text that is longer than the header of a database".repeat(20))
        .unwrap();
    let text = sentence(&kept.run(&["status"]));
    assert!(text.contains(": not an inbox"), "{text}");

    fs::remove_file(kept.file()).unwrap();
    rusqlite::Connection::open(kept.file()).unwrap().execute("CREATE TABLE t (a)", ()).unwrap();
    let before = fs::read(kept.file()).unwrap();
    for args in [&["inbox", "check"][..], &["listen", "--addr", "127.0.0.1:0"]] {
        let args = [args, &["--inbox", &kept.name]].concat();
        let text = sentence(&trtc_call(args).output().unwrap());
        assert!(text.contains(": not an inbox"), "{text}");
    }
    assert_eq!(fs::read(kept.file()).unwrap(), before);

    let text = sentence(&kept.command(&["list"]).args(["--since", "noon"]).output().unwrap());
    assert!(text.contains("the value of --since <TIME> is not allowed"), "{text}");
    let text = sentence(&trtc_call(["inbox", "status"]).output().unwrap());
    assert!(text.contains("there is no inbox: --inbox names one, or INBOX"), "{text}");
    let text = sentence(&trtc_call(["inbox", "status"]).env("INBOX", "").output().unwrap());
    assert!(text.contains("INBOX must be a value"), "{text}");
}

#[test]
fn a_file_of_the_future_and_a_locked_one_are_one_sentence() {
    let kept = Store::Sqlite.filled("future");
    let connection = rusqlite::Connection::open(kept.file()).unwrap();
    connection.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let text = sentence(&kept.run(&["status"]));
    assert!(text.contains("somebody else has been writing to it for too long"), "{text}");
    connection.execute_batch("ROLLBACK").unwrap();
    stdout(&kept.run(&["status"]), 0);

    connection.execute("UPDATE trtc_call_schema SET version = 99, oldest = 98", ()).unwrap();
    let text = sentence(&kept.run(&["status"]));
    assert!(
        text.contains("version 99") && text.contains("a later version of this command"),
        "{text}"
    );
}
