//! A file that is removed or replaced while it is open: nothing is acknowledged that is lost, and it
//! goes on with what is there.

#![cfg(unix)]

mod support;

use std::fs;
use std::time::{Duration, Instant};

use support::{Folder, call, outsider, put};
use trtc_call_inbox::store::{Put, Store, StoreError, StoreErrorKind};
use trtc_call_inbox::{Filter, State};
use trtc_call_inbox_sqlite::SqliteInbox;

impl Folder {
    fn beside(&self, suffix: &str) -> std::path::PathBuf {
        self.file().with_file_name(format!("callbacks.db{suffix}"))
    }

    fn remove_all(&self) {
        for suffix in ["", "-wal", "-shm"] {
            fs::remove_file(self.beside(suffix)).unwrap();
        }
    }
}

async fn put_fails(inbox: &SqliteInbox, call_id: &str) -> StoreError {
    inbox.put(vec![call(call_id, 10)]).await.unwrap_err()
}

async fn waiting(inbox: &SqliteInbox) -> usize {
    inbox.list(Filter::all().state(State::Waiting), 100, false).await.unwrap().len()
}

/// Puts until it succeeds, as one that knows no more than that may take a while.
async fn put_at_last(inbox: &SqliteInbox, call_id: &str) {
    let end = Instant::now() + Duration::from_secs(20);
    while let Err(error) = inbox.put(vec![call(call_id, 10)]).await {
        assert!(Instant::now() < end, "{error}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_removed_file_fails_the_put_and_is_made_anew() {
    let folder = Folder::new();
    let inbox = SqliteInbox::open(folder.file()).unwrap();
    put(&inbox, call("a", 10)).await;
    folder.remove_all();
    let error = put_fails(&inbox, "b").await;
    assert_eq!(error.kind(), StoreErrorKind::Replaced);
    assert!(error.is_transient());
    put(&inbox, call("b", 10)).await;
    assert_eq!(waiting(&inbox).await, 1);
    let again = SqliteInbox::options().must_exist().open(folder.file()).unwrap();
    assert_eq!(waiting(&again).await, 1, "it is in the file that the path leads to");
}

#[tokio::test]
async fn what_must_exist_is_not_made_anew() {
    let folder = Folder::new();
    drop(SqliteInbox::open(folder.file()).unwrap());
    let inbox = SqliteInbox::options().must_exist().open(folder.file()).unwrap();
    folder.remove_all();
    assert_eq!(put_fails(&inbox, "a").await.kind(), StoreErrorKind::Replaced);
    assert_eq!(put_fails(&inbox, "a").await.kind(), StoreErrorKind::NotFound);
    assert_eq!(folder.contents(), []);
}

#[tokio::test]
async fn each_of_the_files_is_looked_at() {
    for suffix in ["-wal", "-shm"] {
        let folder = Folder::new();
        let inbox = SqliteInbox::open(folder.file()).unwrap();
        put(&inbox, call("a", 10)).await;
        fs::remove_file(folder.beside(suffix)).unwrap();
        assert_eq!(put_fails(&inbox, "b").await.kind(), StoreErrorKind::Replaced, "{suffix}");
        put_at_last(&inbox, "b").await;
        assert_eq!(inbox.integrity().await.unwrap(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn another_inbox_in_its_place_is_used_and_not_harmed() {
    let (folder, other) = (Folder::new(), Folder::new());
    let inbox = SqliteInbox::open(folder.file()).unwrap();
    put(&inbox, call("a", 10)).await;
    let theirs = SqliteInbox::open(other.file()).unwrap();
    for call_id in ["b", "c", "d"] {
        put(&theirs, call(call_id, 10)).await;
    }
    // With its log: the process that had it open was killed.
    for (path, _) in other.contents() {
        fs::rename(&path, folder.file().with_file_name(path.file_name().unwrap())).unwrap();
    }
    assert_eq!(put_fails(&inbox, "e").await.kind(), StoreErrorKind::Replaced);
    assert_eq!(inbox.put(vec![call("c", 10)]).await.unwrap(), [Put::Duplicate]);
    put(&inbox, call("e", 10)).await;
    assert_eq!(waiting(&inbox).await, 4);
    assert_eq!(inbox.integrity().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn garbage_in_its_place_fails_until_it_is_gone() {
    let folder = Folder::new();
    let inbox = SqliteInbox::open(folder.file()).unwrap();
    folder.remove_all();
    let garbage = b"no database".repeat(1000);
    fs::write(folder.file(), &garbage).unwrap();
    assert_eq!(put_fails(&inbox, "a").await.kind(), StoreErrorKind::Replaced);
    for _ in 0..3 {
        assert_eq!(put_fails(&inbox, "a").await.kind(), StoreErrorKind::NotAnInbox);
    }
    assert!(fs::read(folder.file()).unwrap() == garbage);
    fs::remove_file(folder.file()).unwrap();
    put_at_last(&inbox, "a").await;
    assert_eq!(waiting(&inbox).await, 1);
}

/// What is acknowledged is in the log, which another file would take for its own.
#[tokio::test]
async fn a_log_that_lost_its_file_is_kept_until_it_is_back() {
    for in_its_place in [None, Some(Vec::new()), Some(b"no database".repeat(1000))] {
        let folder = Folder::new();
        let inbox = SqliteInbox::open(folder.file()).unwrap();
        put(&inbox, call("a", 10)).await;
        let away = folder.beside(".away");
        fs::rename(folder.file(), &away).unwrap();
        if let Some(bytes) = &in_its_place {
            fs::write(folder.file(), bytes).unwrap();
        }
        for _ in 0..3 {
            let error = put_fails(&inbox, "b").await;
            assert!(
                matches!(error.kind(), StoreErrorKind::Replaced | StoreErrorKind::NotFound),
                "{error:?}"
            );
        }
        assert_eq!(fs::read(folder.file()).ok(), in_its_place, "nothing is made or written");
        fs::rename(&away, folder.file()).unwrap();
        put_at_last(&inbox, "c").await;
        assert_eq!(inbox.put(vec![call("a", 10)]).await.unwrap(), [Put::Duplicate]);
        assert_eq!(inbox.integrity().await.unwrap(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn another_inbox_does_not_get_its_log_and_is_used_at_last() {
    let (folder, other) = (Folder::new(), Folder::new());
    let inbox = SqliteInbox::open(folder.file()).unwrap();
    put(&inbox, call("a", 10)).await;
    drop(SqliteInbox::open(other.file()).unwrap());
    while other.beside("-wal").exists() {
        std::thread::yield_now();
    }
    let away = folder.beside(".away");
    fs::rename(folder.file(), &away).unwrap();
    fs::rename(other.file(), folder.file()).unwrap();
    for _ in 0..3 {
        assert_eq!(put_fails(&inbox, "b").await.kind(), StoreErrorKind::Replaced);
    }
    let log = fs::read(folder.beside("-wal")).unwrap();
    // It is waited for, and then its log is kept beside.
    put_at_last(&inbox, "b").await;
    assert_eq!(waiting(&inbox).await, 1);
    assert_eq!(inbox.integrity().await.unwrap(), Vec::<String>::new());
    let files = fs::read_dir(folder.file().parent().unwrap()).unwrap();
    let is_log =
        |file: std::io::Result<fs::DirEntry>| fs::read(file.unwrap().path()).unwrap() == log;
    assert!(files.into_iter().any(is_log), "nothing is thrown away");
}

#[tokio::test]
async fn a_log_without_its_file_is_refused() {
    let folder = Folder::new();
    let inbox = SqliteInbox::open(folder.file()).unwrap();
    put(&inbox, call("a", 10)).await;
    let log = fs::read(folder.beside("-wal")).unwrap();
    folder.remove_all();
    fs::write(folder.beside("-wal"), &log).unwrap();
    let error = SqliteInbox::open(folder.file()).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::NotFound);
    assert!(error.to_string().contains("remove the log"), "{error}");
    assert!(!folder.file().exists());
    assert_eq!(fs::read(folder.beside("-wal")).unwrap(), log);
}

#[tokio::test]
async fn statements_in_a_removed_file_fail() {
    let folder = Folder::new();
    outsider(&folder.file()).execute_batch("CREATE TABLE bills (a)").unwrap();
    let inbox = SqliteInbox::open_in_app_database(folder.file()).unwrap();
    folder.remove_all();
    let write = inbox.write(|transaction| transaction.execute("INSERT INTO bills VALUES (1)", []));
    assert!(write.await.unwrap_err().to_string().contains("removed or replaced"));
}
