//! The billing example while its disk is full, fails, is read-only or slow, while its file is taken away
//! or locked, and while a process stands still: nothing is acknowledged that is not stored, FAIL comes
//! in time, and it recovers by itself. In the end all that was acknowledged is billed exactly once.

#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, mem};

use conformance::billing::{self, health};
use conformance::books::Books;
use conformance::caller::{Caller, DELAY};
use conformance::driver::in_time;
use conformance::example::APP;
use conformance::memory::Memory;
use conformance::programs::{BILLING, Programs, built};
use conformance::strace::Injection;
use rusqlite::Connection;
use trtc_call_inbox::NewItem;
use trtc_call_inbox::store::Store;
use trtc_call_inbox_sqlite::SqliteInbox;
use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{CallEnded, SdkApp, Undecoded, Verifier};

/// Makes a test of each function, which takes books of its own.
macro_rules! tests {
    ($($(#[$attribute:meta])* $test:ident)*) => {
        mod example_billing {
            $(
                $(#[$attribute])*
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    super::in_time(super::$test(super::books(stringify!($test)))).await;
                }
            )*
        }
    };
}

tests! {
    a_full_disk
    a_disk_that_fails
    a_disk_that_cannot_sync
    a_disk_that_is_read_only
    a_disk_that_fails_now_and_then
    a_disk_that_takes_seconds
    a_lock_that_is_held_for_a_moment
    a_lock_that_is_held_for_too_long
    a_folder_that_is_moved_away_and_back
    a_folder_that_is_removed_and_made_again
    a_file_that_is_moved_away_and_back
    an_empty_file_in_its_place
    garbage_in_its_place
    #[ignore = "waits until leases end"]
    another_inbox_in_its_place
    a_process_that_stands_still_for_longer_than_its_lease
    many_that_wait_are_worked_off
}

fn programs() -> &'static Programs {
    Programs::build(env!("CARGO_TARGET_TMPDIR"))
}

fn books(test: &str) -> Books {
    let name = built(BILLING, env!("CARGO_TARGET_TMPDIR"));
    Books::new(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).join("faults").join(test))
}

fn start<'a>(books: &'a Books, switches: &[(&str, &str)]) -> Caller<'a> {
    Caller::start(programs(), books, 1, switches)
}

/// The database and what SQLite has beside it.
fn files(books: &Books) -> [String; 3] {
    ["", "-wal", "-shm"].map(|ending| format!("{}{ending}", books.path()))
}

/// Calls whose jobs come into a fault of the disk, during which nothing can be stored.
async fn nothing_is_stored_during(books: &Books, fault: &str) {
    let mut caller = start(books, &[DELAY]);
    caller.has_jobs_running().await;
    let Some(injection) = Injection::into(caller.example(), &files(books), fault) else { return };
    caller.fails_for_a_while().await;
    assert_eq!(health(caller.example()).await, 503);
    drop(injection);
    caller.recovers().await;
    caller.settles().await;
}

async fn a_full_disk(books: Books) {
    nothing_is_stored_during(&books, "pwrite64,fallocate:error=ENOSPC").await;
}

async fn a_disk_that_fails(books: Books) {
    let fault = "pread64,pwrite64,fsync,fdatasync,ftruncate:error=EIO";
    nothing_is_stored_during(&books, fault).await;
}

async fn a_disk_that_cannot_sync(books: Books) {
    nothing_is_stored_during(&books, "fsync,fdatasync:error=EIO").await;
}

async fn a_disk_that_is_read_only(books: Books) {
    nothing_is_stored_during(&books, "openat,unlink,pwrite64,ftruncate:error=EROFS").await;
}

async fn a_disk_that_fails_now_and_then(books: Books) {
    let mut caller = start(&books, &[]);
    let fault = "pread64,pwrite64,fsync,fdatasync,ftruncate:error=EIO:when=20+150";
    let Some(injection) = Injection::into(caller.example(), &files(&books), fault) else { return };
    while caller.acknowledged.len() < 30 || caller.sent - caller.acknowledged.len() < 10 {
        caller.call().await;
    }
    drop(injection);
    caller.recovers().await;
    caller.settles().await;
}

async fn a_disk_that_takes_seconds(books: Books) {
    let mut caller = start(&books, &[DELAY]);
    caller.has_jobs_running().await;
    let fault = "fsync,fdatasync:delay_enter=3000000";
    let Some(injection) = Injection::into(caller.example(), &files(&books), fault) else { return };
    caller.fails_for_a_while().await;
    drop(injection);
    caller.recovers().await;
    caller.settles().await;
}

/// Another program that holds the lock for writing.
fn lock(books: &Books) -> Connection {
    let other = Connection::open(books.path()).unwrap();
    other.busy_timeout(Duration::from_secs(10)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

async fn a_lock_that_is_held_for_a_moment(books: Books) {
    let mut caller = start(&books, &[DELAY]);
    caller.is_kept().await;
    let lock = lock(&books);
    let held = Duration::from_millis(500);
    let release = tokio::task::spawn_blocking(move || {
        std::thread::sleep(held);
        drop(lock);
    });
    caller.is_kept().await;
    release.await.unwrap();
    caller.settles().await;
}

async fn a_lock_that_is_held_for_too_long(books: Books) {
    let mut caller = start(&books, &[DELAY]);
    caller.is_kept().await;
    let lock = lock(&books);
    caller.fails_for_a_while().await;
    drop(lock);
    caller.recovers().await;
    caller.settles().await;
}

fn folder(books: &Books) -> PathBuf {
    Path::new(books.path()).parent().unwrap().to_owned()
}

/// A folder beside that of the books, which is not there yet.
fn beside(books: &Books, ending: &str) -> PathBuf {
    let folder = folder(books).with_extension(ending);
    let _ = fs::remove_dir_all(&folder);
    folder
}

async fn a_folder_that_is_moved_away_and_back(books: Books) {
    let mut caller = start(&books, &[DELAY]);
    caller.has_jobs_running().await;
    let away = beside(&books, "away");
    fs::rename(folder(&books), &away).unwrap();
    caller.fails_for_a_while().await;
    assert_eq!(health(caller.example()).await, 503);
    fs::rename(&away, folder(&books)).unwrap();
    caller.recovers().await;
    caller.settles().await;
}

async fn a_folder_that_is_removed_and_made_again(books: Books) {
    let mut caller = start(&books, &[]);
    caller.is_kept().await;
    books.until_billed(1).await;
    fs::remove_dir_all(folder(&books)).unwrap();
    caller.fails_for_a_while().await;
    fs::create_dir(folder(&books)).unwrap();
    // What was billed is gone with its folder.
    caller.acknowledged.clear();
    caller.recovers().await;
    caller.settles().await;
}

/// Its log stays where it was, and is of no use to any other file.
async fn comes_back_to_its_log(books: &Books, meanwhile: Option<&[u8]>) {
    let mut caller = start(books, &[DELAY]);
    caller.has_jobs_running().await;
    let away = format!("{}.away", books.path());
    fs::rename(books.path(), &away).unwrap();
    if let Some(meanwhile) = meanwhile {
        fs::write(books.path(), meanwhile).unwrap();
    }
    caller.fails_for_a_while().await;
    fs::rename(&away, books.path()).unwrap();
    caller.recovers().await;
    caller.settles().await;
}

async fn a_file_that_is_moved_away_and_back(books: Books) {
    comes_back_to_its_log(&books, None).await;
}

async fn an_empty_file_in_its_place(books: Books) {
    comes_back_to_its_log(&books, Some(b"")).await;
}

async fn garbage_in_its_place(books: Books) {
    comes_back_to_its_log(&books, Some(&b"no database".repeat(1000))).await;
}

/// For a while; what is in either is worked as long as it is there.
async fn another_inbox_in_its_place(books: Books) {
    let other = Books::new(beside(&books, "other"));
    let theirs = ["x", "y", "z"];
    store(&other, &theirs).await;
    let mut caller = start(&books, &[DELAY]);
    caller.has_jobs_running().await;
    let away = beside(&books, "away");
    fs::rename(folder(&books), &away).unwrap();
    fs::rename(folder(&other), folder(&books)).unwrap();
    let ours = mem::take(&mut caller.acknowledged);
    caller.recovers().await;
    let here =
        [&mem::replace(&mut caller.acknowledged, ours)[..], &theirs.map(str::to_owned)].concat();
    caller.books.until("all is worked off", |books| books.count_open() == 0).await;
    fs::rename(folder(&books), folder(&other)).unwrap();
    fs::rename(&away, folder(&books)).unwrap();
    caller.recovers().await;
    caller.settles().await;
    assert!(other.bills().iter().all(|bill| bill.times_billed == 1));
    let billed = other.billed();
    assert!(here.iter().all(|call_id| billed.contains(call_id)), "{here:?}, {billed:?}");
}

/// Another process works its job meanwhile.
async fn a_process_that_stands_still_for_longer_than_its_lease(books: Books) {
    let mut caller = start(&books, &[("BILL_DELAY_MS", "1000")]);
    caller.is_kept().await;
    books.until("it is worked", |books| books.count("leased") == 1).await;
    caller.example().signal("-STOP");
    let other = billing::start_with(programs(), &books, &[]);
    books.until_billed(1).await;
    assert_eq!(other.line()["call_id"], "00000");
    other.stops();
    caller.example().signal("-CONT");
    caller.is_kept().await;
    books.until_billed(2).await;
    assert_eq!(
        caller.example().line()["call_id"],
        "00001",
        "it prints a bill that it has not written"
    );
    assert!(books.bills().iter().all(|bill| bill.times_billed == 1));
    let ended = caller.examples.remove(0).stops();
    let warning = |line: &str| line.contains("WARN") && line.contains("lease of a job was lost");
    assert!(ended.stderr.lines().any(warning), "{ended:?}");
}

async fn many_that_wait_are_worked_off(books: Books) {
    const WAITING: usize = 20_000;
    let ids: Vec<String> = (0..WAITING).map(|number| format!("waiting-{number}")).collect();
    store(&books, &ids).await;

    let start = Instant::now();
    let example = programs().start_read(BILLING, &[("INBOX", books.inbox())], |_| ());
    let mut caller = Caller::of(&books, vec![example]);
    caller.is_kept().await;
    println!("acknowledged {:?} after its start", start.elapsed());
    let memory = Memory::of(caller.example().id());
    books.until("all are worked off", |books| books.count("done") == WAITING + 1).await;
    println!("worked off in {:?}", start.elapsed());
    memory.has_hardly_grown("example-billing", "many that wait");
    caller.acknowledged.extend(ids);
    caller.settles().await;
}

/// Has calls wait in an inbox that nobody works.
async fn store(books: &Books, call_ids: &[impl AsRef<str>]) {
    let inbox = SqliteInbox::open(books.path()).unwrap();
    for call_ids in call_ids.chunks(500) {
        inbox.put(call_ids.iter().map(|id| ended(id.as_ref())).collect()).await.unwrap();
    }
}

fn ended(call_id: &str) -> NewItem {
    let call = CallEnded::new(call_id).with_accept_time(1_741_231_000).with_end_time(1_741_231_004);
    let verifier = Verifier::builder().app(SdkApp::unsigned(APP)).build().unwrap();
    let delivery = Request::new(APP, call).deliver_to::<Undecoded>(&verifier).unwrap().unwrap();
    NewItem::of(&delivery)
}
