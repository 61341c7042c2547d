//! What is opened, what is refused, and what a refusal leaves alone.

mod support;

use std::fs;

use support::{APP, Folder, call, lease, outsider, put};
use trtc_call_inbox::store::{Outcome, Retention, Settlement, Store, StoreError, StoreErrorKind};
use trtc_call_inbox::{Clock, DoneAs, Filter, State};
use trtc_call_inbox_sqlite::rusqlite::Connection;
use trtc_call_inbox_sqlite::{SqliteInbox, SqliteOptions};

const ALL_WAYS: [fn() -> SqliteOptions; 2] =
    [SqliteInbox::options, || SqliteInbox::options().must_exist()];

/// Opens it in each way that must leave it alone, and looks that nothing was written.
#[track_caller]
fn refused(folder: &Folder, kind: StoreErrorKind) -> StoreError {
    let before = folder.contents();
    let [error, _] = ALL_WAYS.map(|options| {
        let error = options().open(folder.file()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains("callbacks.db: "), "{error}");
        error
    });
    for (path, bytes) in before {
        assert!(fs::read(&path).unwrap() == bytes, "{} was written", path.display());
    }
    error
}

fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// An inbox that has been used, and is closed.
async fn used(folder: &Folder) {
    let inbox = SqliteInbox::open(folder.file()).unwrap();
    for number in 0..64 {
        put(&inbox, call(&format!("call-{number}"), 10)).await;
    }
    drop(inbox);
    // The thread closes it a moment later: then the log is gone.
    while folder.file().with_file_name("callbacks.db-wal").exists() {
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_new_file_is_made_for_its_owner_only() {
    let folder = Folder::new();
    let inbox = SqliteInbox::open(folder.file()).unwrap();
    put(&inbox, call("a", 10)).await;
    let files = folder.contents();
    let names: Vec<_> = files.iter().map(|(path, _)| path.file_name().unwrap()).collect();
    assert_eq!(names, ["callbacks.db", "callbacks.db-shm", "callbacks.db-wal"]);
    #[cfg(unix)]
    for (path, _) in files {
        use std::os::unix::fs::PermissionsExt;

        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn what_was_stored_is_there_after_opening_again() {
    let folder = Folder::new();
    used(&folder).await;
    let inbox = SqliteInbox::options().must_exist().open(folder.file()).unwrap();
    assert_eq!(inbox.stats(None).await.unwrap().count(State::Waiting), 64);
}

#[test]
fn each_opening_commits() {
    let folder = Folder::new();
    let opened = || number(&outsider(&folder.file()), "SELECT opened FROM trtc_call_schema");
    let first = SqliteInbox::open(folder.file()).unwrap();
    assert_eq!(opened(), 1);
    let _second = SqliteInbox::open(folder.file()).unwrap();
    assert_eq!(opened(), 2);
    drop(first);
    let without = SqliteInbox::options().insecure_without_commit_at_opening();
    let _third = without.open(folder.file()).unwrap();
    assert_eq!(opened(), 2);
}

#[test]
fn many_may_open_a_new_file_at_once() {
    let folder = Folder::new();
    let open = || SqliteInbox::open(folder.file()).map(drop);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap().unwrap());
    });
    assert_eq!(number(&outsider(&folder.file()), "SELECT opened FROM trtc_call_schema"), 8);
}

#[test]
fn the_database_of_another_program_is_refused() {
    let folder = Folder::new();
    outsider(&folder.file())
        .execute_batch("CREATE TABLE theirs (a); PRAGMA user_version = 3")
        .unwrap();
    let error = refused(&folder, StoreErrorKind::NotAnInbox);
    assert!(error.to_string().ends_with("callbacks.db: not an inbox"), "{error}");
}

#[test]
fn a_database_that_is_marked_is_refused() {
    let folder = Folder::new();
    outsider(&folder.file()).execute_batch("PRAGMA application_id = 3").unwrap();
    refused(&folder, StoreErrorKind::NotAnInbox);
}

/// What another program's killed process leaves: its log is its own to write back.
#[test]
fn the_log_of_another_program_is_left_alone() {
    let theirs = Folder::new();
    let connection = outsider(&theirs.file());
    connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE theirs (a)").unwrap();
    let folder = Folder::new();
    for (path, bytes) in theirs.contents() {
        if !path.ends_with("callbacks.db-shm") {
            fs::write(folder.file().with_file_name(path.file_name().unwrap()), bytes).unwrap();
        }
    }
    refused(&folder, StoreErrorKind::NotAnInbox);
    assert_eq!(number(&outsider(&folder.file()), "SELECT count(*) FROM theirs"), 0);
}

#[test]
fn no_database_is_refused() {
    let folder = Folder::new();
    fs::write(folder.file(), b"2026-01-01 12:00:00 called\n".repeat(400)).unwrap();
    refused(&folder, StoreErrorKind::NotAnInbox);
    fs::write(folder.file(), b"short").unwrap();
    refused(&folder, StoreErrorKind::NotAnInbox);
}

#[test]
fn a_folder_is_refused() {
    let folder = Folder::new();
    fs::create_dir(folder.file()).unwrap();
    let error = SqliteInbox::open(folder.file()).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::NotAnInbox);
}

#[tokio::test]
async fn an_inbox_that_is_cut_is_refused() {
    let folder = Folder::new();
    used(&folder).await;
    let whole = fs::read(folder.file()).unwrap();
    assert!(whole.len() > 5 * 4096);
    for length in [whole.len() / 4096 / 2 * 4096, 4096, 100] {
        fs::write(folder.file(), &whole[..length]).unwrap();
        refused(&folder, StoreErrorKind::Corrupt);
    }
}

#[test]
fn what_must_exist_is_not_made() {
    let folder = Folder::new();
    let must_exist = || SqliteInbox::options().must_exist().open(folder.file()).unwrap_err();
    assert_eq!(must_exist().kind(), StoreErrorKind::NotFound);
    assert_eq!(folder.contents(), []);
    fs::write(folder.file(), "").unwrap();
    assert_eq!(must_exist().kind(), StoreErrorKind::NotAnInbox);
    assert_eq!(folder.contents(), [(folder.file(), Vec::new())]);
}

#[tokio::test]
async fn an_apps_database_stays_the_apps() {
    let folder = Folder::new();
    let theirs = "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (5);
                  PRAGMA user_version = 3; PRAGMA application_id = 4";
    outsider(&folder.file()).execute_batch(theirs).unwrap();
    for _ in 0..2 {
        let inbox = SqliteInbox::open_in_app_database(folder.file()).unwrap();
        inbox.put(vec![call("a", 10)]).await.unwrap();
    }
    let connection = outsider(&folder.file());
    assert_eq!(number(&connection, "PRAGMA user_version"), 3);
    assert_eq!(number(&connection, "PRAGMA application_id"), 4);
    assert_eq!(number(&connection, "SELECT a FROM theirs"), 5);
    let foreign = "SELECT count(*) FROM sqlite_schema
                   WHERE name NOT LIKE 'trtc_call_%' AND name NOT LIKE 'sqlite_%'";
    assert_eq!(number(&connection, foreign), 1);
    // It is an inbox now.
    SqliteInbox::open(folder.file()).unwrap();
}

#[tokio::test]
async fn a_schema_of_the_future_is_refused() {
    let folder = Folder::new();
    used(&folder).await;
    outsider(&folder.file())
        .execute_batch("UPDATE trtc_call_schema SET version = 9, oldest = 7")
        .unwrap();
    let error = refused(&folder, StoreErrorKind::SchemaTooNew);
    for number in ["version 9", "version 7", "knows 1"] {
        assert!(error.to_string().contains(number), "{error}");
    }
}

#[tokio::test]
async fn a_schema_that_moves_on_under_an_open_inbox_is_not_written() {
    let folder = Folder::new();
    let inbox = SqliteInbox::open(folder.file()).unwrap();
    let later = outsider(&folder.file());
    later.execute_batch("UPDATE trtc_call_schema SET version = 9, oldest = 9").unwrap();
    let error = inbox.put(vec![call("a", 10)]).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::SchemaTooNew);
    assert_eq!(inbox.get(trtc_call_inbox::ItemId::new(1)).await.unwrap_err().kind(), error.kind());
    assert_eq!(number(&later, "SELECT count(*) FROM trtc_call_items"), 0);
    later.execute_batch("UPDATE trtc_call_schema SET version = 9, oldest = 1").unwrap();
    put(&inbox, call("a", 10)).await;
}

/// A rolling deploy: a later version adds a column while this one is running, and this one goes on.
#[tokio::test]
async fn a_later_version_may_add_columns_and_this_one_goes_on() {
    let folder = Folder::new();
    let clock = Clock::manual();
    let open = || SqliteInbox::options().clock(clock.clone()).open(folder.file()).unwrap();
    let before = open();
    let first = put(&before, call("a", 10)).await;
    let later = outsider(&folder.file());
    later
        .execute_batch(
            "BEGIN;
             ALTER TABLE trtc_call_items ADD COLUMN later TEXT NOT NULL DEFAULT 'x';
             ALTER TABLE trtc_call_keys ADD COLUMN later TEXT NOT NULL DEFAULT 'x';
             UPDATE trtc_call_schema SET version = 2, oldest = 1;
             COMMIT",
        )
        .unwrap();
    for inbox in [&before, &open()] {
        inbox.put(vec![call("b", 10), call("b", 11)]).await.unwrap();
        let leased = lease(inbox, 1).await;
        let settle = |lease| Settlement { lease, outcome: Outcome::Done(DoneAs::Handled) };
        let settled = inbox.settle(leased.iter().map(|item| settle(item.lease)).collect()).await;
        assert!(settled.unwrap().iter().all(|held| *held));
    }
    let listed = before.list(Filter::all().sdk_app_id(APP), 10, true).await.unwrap();
    assert_eq!(listed.len(), 3);
    assert_eq!(listed[0].id, first);
    before.resolve(listed[1].id).await.unwrap();
    before.erase(vec![first]).await.unwrap();
    clock.advance(Retention::default().done * 2);
    assert_eq!(before.prune(Retention::default(), 10).await.unwrap().items, 2);
    assert_eq!(number(&later, "SELECT version FROM trtc_call_schema"), 2, "it is never lowered");
    assert_eq!(before.integrity().await.unwrap(), Vec::<String>::new());
}
