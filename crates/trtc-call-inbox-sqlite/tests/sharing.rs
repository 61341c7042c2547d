//! Two and more on one file: handles of one process, and anybody else.

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use support::{Folder, TERM, call, lease, outsider, put, record};
use trtc_call_inbox::store::{
    LeaseRequest, Outcome, Put, PutRecord, Scope, Settlement, Store, StoreErrorKind,
};
use trtc_call_inbox::{Clock, DoneAs, Erase, Filter, Inbox, NewItem, State};
use trtc_call_inbox_sqlite::SqliteInbox;

/// Both are waiting for the lock before either has it: neither sees what the other one commits.
#[tokio::test]
async fn two_bodies_put_through_two_handles_at_once_are_never_two_jobs() {
    let folder = Folder::new();
    let open = || SqliteInbox::open(folder.file()).unwrap();
    let (one, other) = (open(), open());
    let gate = outsider(&folder.file());
    for round in 0..20 {
        let call_id = format!("call-{round}");
        gate.execute_batch("BEGIN IMMEDIATE").unwrap();
        let (a, b, ()) = tokio::join!(
            one.put(vec![call(&call_id, 10)]),
            other.put(vec![call(&call_id, 11)]),
            async { gate.execute_batch("COMMIT").unwrap() },
        );
        let puts = [a.unwrap()[0], b.unwrap()[0]];
        let is_stored = |put: &&Put| matches!(put, Put::Stored(_));
        let is_disputed = |put: &&Put| matches!(put, Put::Disputed { after_done: false, .. });
        assert_eq!(puts.iter().filter(is_stored).count(), 1, "{puts:?}");
        assert_eq!(puts.iter().filter(is_disputed).count(), 1, "{puts:?}");
    }
    assert_eq!(one.list(Filter::all().state(State::Disputed), 100, false).await.unwrap().len(), 40);
    assert_eq!(lease(&other, 1).await.len(), 0);
}

#[tokio::test]
async fn a_stale_worker_changes_nothing() {
    let folder = Folder::new();
    let clock = Clock::manual();
    let open = || SqliteInbox::options().clock(clock.clone()).open(folder.file()).unwrap();
    let (stale, other) = (open(), open());
    let id = put(&stale, call("a", 10)).await;
    let held = lease(&stale, 1).await[0].lease;
    clock.advance(TERM * 2);
    let mut suspects = LeaseRequest::new(2, 64, TERM, 5);
    suspects.suspects = true;
    let newer = other.lease(suspects).await.unwrap().items[0].lease;
    for outcome in [
        Outcome::Done(DoneAs::Handled),
        Outcome::Dead { error: String::new() },
        Outcome::GiveBack,
        Outcome::Retry { after: TERM, counted: true, error: String::new() },
    ] {
        let settlement = Settlement { lease: held, outcome };
        assert_eq!(stale.settle(vec![settlement]).await.unwrap(), [false]);
    }
    assert_eq!(stale.renew(vec![held], TERM).await.unwrap(), [false]);
    assert_eq!(stale.get(id).await.unwrap().unwrap().state, State::Leased);
    let settlement = Settlement { lease: newer, outcome: Outcome::Done(DoneAs::Handled) };
    assert_eq!(other.settle(vec![settlement]).await.unwrap(), [true]);
}

#[tokio::test]
async fn a_lock_that_is_held_fails_puts_within_a_second_and_loses_none() {
    let folder = Folder::new();
    let inbox = SqliteInbox::open(folder.file()).unwrap();
    let gate = outsider(&folder.file());
    gate.execute_batch("BEGIN IMMEDIATE").unwrap();
    let start = Instant::now();
    let error = inbox.put(vec![call("a", 10)]).await.unwrap_err();
    let took = start.elapsed();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.is_transient());
    assert!((Duration::from_millis(850)..Duration::from_secs(2)).contains(&took), "{took:?}");
    gate.execute_batch("COMMIT").unwrap();
    put(&inbox, call("a", 10)).await;
}

/// Most records of a span are known, each time that it is read.
#[tokio::test]
async fn records_that_are_known_wait_for_no_lock() {
    let folder = Folder::new();
    let inbox = SqliteInbox::open(folder.file()).unwrap();
    put(&inbox, call("worked", 10)).await;
    let lease = lease(&inbox, 1).await[0].lease;
    let done = Settlement { lease, outcome: Outcome::Done(DoneAs::Handled) };
    inbox.settle(vec![done]).await.unwrap();
    put(&inbox, call("waits", 10)).await;
    let records = [("worked", 10), ("waits", 11), ("unheard of", 10)];
    let records = records.map(|(call_id, seconds)| record(call_id, seconds)).to_vec();
    let put = inbox.put_records(records.clone(), Scope::All).await.unwrap();
    let [PutRecord::Known, PutRecord::Confirmed(_), PutRecord::Stored(_)] = put[..] else {
        panic!("{put:?}")
    };
    let gate = outsider(&folder.file());
    gate.execute_batch("BEGIN IMMEDIATE").unwrap();
    for scope in [Scope::Unknown, Scope::All] {
        let put = inbox.put_records(records.clone(), scope).await.unwrap();
        assert_eq!(put, [PutRecord::Known; 3]);
    }
    let error = inbox.put_records(vec![record("new", 10)], Scope::All).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
}

#[tokio::test]
async fn an_item_that_nobody_asks_about_is_damage() {
    let folder = Folder::new();
    let inbox = SqliteInbox::open(folder.file()).unwrap();
    let id = put(&inbox, call("a", 10)).await;
    let leased = lease(&inbox, 1).await.remove(0);
    let settlement = Settlement { lease: leased.lease, outcome: Outcome::AskRecord };
    inbox.settle(vec![settlement]).await.unwrap();
    assert_eq!(inbox.integrity().await.unwrap(), [""; 0]);
    let outsider = outsider(&folder.file());
    outsider.execute_batch("UPDATE trtc_call_items SET has_record = 0").unwrap();
    let found = inbox.integrity().await.unwrap();
    assert_eq!(found, [format!("item {id} waits for a record that nobody asks for")]);
}

/// SQLite's lock knows no queue: without courtesy, who has it takes it again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_write_all_the_time_neither_starves() {
    let folder = Folder::new();
    let open = || SqliteInbox::open(folder.file()).unwrap();
    let (busy, other) = (open(), open());
    let goes_on = Arc::new(AtomicBool::new(true));
    // Long transactions, and always another one that waits: the thread never rests.
    let crowd: Vec<_> = (0..4)
        .map(|member| {
            let (busy, goes_on) = (busy.clone(), Arc::clone(&goes_on));
            tokio::spawn(async move {
                let mut puts = 0;
                while goes_on.load(Ordering::Relaxed) {
                    let one = call("a", 10);
                    let many = (0..200).map(|number| {
                        let mut item = one.clone();
                        item.key = format!("{member}-{puts}-{number}");
                        item
                    });
                    busy.put(many.collect()).await.unwrap();
                    puts += 1;
                }
            })
        })
        .collect();
    for number in 0..20 {
        // It has the lock within its 0.9 seconds, or fails.
        put(&other, call(&format!("other-{number}"), 10)).await;
    }
    goes_on.store(false, Ordering::Relaxed);
    for member in crowd {
        member.await.unwrap();
    }
}

/// A body that no other bytes look like, and that takes several pages.
fn secret(call_id: &str) -> NewItem {
    let mut item = call(call_id, 10);
    item.body = format!("secret of {call_id}! ").repeat(2000).into();
    item
}

#[tokio::test]
async fn what_is_erased_is_in_no_file() {
    let folder = Folder::new();
    let inbox = SqliteInbox::open(folder.file()).unwrap();
    for number in 0..40 {
        put(&inbox, secret(&format!("call-{number}"))).await;
    }
    let mut known = record("call-9", 10);
    known.body = "secret of the record! ".repeat(2000).into();
    inbox.put_records(vec![known], Scope::All).await.unwrap();
    let leased = lease(&inbox, 1).await;
    let done = leased.iter().map(|item| {
        let outcome = Outcome::Retry {
            after: Duration::ZERO,
            counted: true,
            error: "secret of the error".to_owned(),
        };
        Settlement { lease: item.lease, outcome }
    });
    inbox.settle(done.collect()).await.unwrap();
    let ids: Vec<_> = leased.iter().map(|item| item.lease.item).collect();
    assert_eq!(inbox.erase(ids.clone()).await.unwrap(), [false; 40], "they are not done");
    let found = |text: &str| {
        let is_in = |bytes: &[u8]| bytes.windows(text.len()).any(|found| found == text.as_bytes());
        folder.contents().iter().any(|(_, bytes)| is_in(bytes))
    };
    for text in ["secret of call-7!", "secret of the record!", "secret of the error"] {
        assert!(found(text), "{text}");
    }
    inbox.discard(ids.clone()).await.unwrap();
    assert_eq!(inbox.erase(ids.clone()).await.unwrap(), [true; 40]);
    assert!(!found("secret of"));
    let id = inbox.list(Filter::all().call_id("call-7"), 1, false).await.unwrap()[0].id;
    let item = inbox.get(id).await.unwrap().unwrap();
    assert_eq!((item.body, item.sha256), (None, secret("call-7").sha256));
    assert_eq!(inbox.put(vec![secret("call-7")]).await.unwrap(), [Put::Duplicate]);
}

#[tokio::test]
async fn what_is_erased_while_somebody_reads_is_not_called_gone() {
    let folder = Folder::new();
    let inbox = SqliteInbox::open(folder.file()).unwrap();
    let id = put(&inbox, secret("a")).await;
    inbox.discard(vec![id]).await.unwrap();
    let reader = outsider(&folder.file());
    reader.execute_batch("BEGIN; SELECT count(*) FROM trtc_call_items").unwrap();
    let (erased, stored) = tokio::join!(inbox.erase(vec![id]), inbox.put(vec![call("b", 10)]));
    assert_eq!(erased.unwrap_err().kind(), StoreErrorKind::Unavailable);
    stored.unwrap();
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(inbox.erase(vec![id]).await.unwrap(), [true]);
}

/// An erasure that was broken off has no bodies left to find, but the log still has them.
#[tokio::test]
async fn an_erasure_that_is_repeated_empties_the_log_too() {
    let folder = Folder::new();
    let sqlite = SqliteInbox::open(folder.file()).unwrap();
    let inbox = Inbox::from(sqlite.clone());
    let id = put(&sqlite, secret("a")).await;
    inbox.discard(vec![id]).await.unwrap();
    let reader = outsider(&folder.file());
    reader.execute_batch("BEGIN; SELECT count(*) FROM trtc_call_items").unwrap();
    let whose = Erase::Call("a".to_owned());
    for _ in 0..2 {
        let error = inbox.erase(&whose, None).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    }
    reader.execute_batch("COMMIT").unwrap();
    inbox.erase(&whose, None).await.unwrap();
    let secret = b"secret of a";
    for (path, bytes) in folder.contents() {
        let is_in = bytes.windows(secret.len()).any(|found| found == secret);
        assert!(!is_in, "{}", path.display());
    }
}

#[tokio::test]
async fn the_log_is_written_back_while_items_come() {
    let folder = Folder::new();
    let inbox = SqliteInbox::open(folder.file()).unwrap();
    for number in 0..300 {
        put(&inbox, secret(&format!("call-{number}"))).await;
    }
    let length = |path: &Path| fs::metadata(path).unwrap().len();
    let log = folder.file().with_file_name("callbacks.db-wal");
    assert!(length(&folder.file()) > 8_000_000, "{}", length(&folder.file()));
    assert!(length(&log) < 6_000_000, "{}", length(&log));
}
