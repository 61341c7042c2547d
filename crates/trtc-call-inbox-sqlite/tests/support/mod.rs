//! What the tests of this crate share.

#![allow(dead_code, reason = "each test uses some of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use trtc_call_inbox::store::{LeaseRequest, LeasedItem, Put, Store};
use trtc_call_inbox::trtc_call_webhook::sender::Request;
use trtc_call_inbox::trtc_call_webhook::{CallEnded, Delivery, SdkApp, Undecoded, Verifier};
use trtc_call_inbox::{ItemId, NewItem};
use trtc_call_inbox_sqlite::SqliteInbox;
use trtc_call_inbox_sqlite::rusqlite::Connection;

pub(crate) const APP: u64 = 1_400_000_001;

pub(crate) const TERM: Duration = Duration::from_secs(30);

/// A folder that is removed again.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("trtc-call-inbox-sqlite-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("callbacks.db")
    }

    /// The bytes of all files that are there, by their names.
    pub(crate) fn contents(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let files = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        let mut contents: Vec<_> =
            files.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
        contents.sort();
        contents
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A callback of a call that took so many seconds.
pub(crate) fn call(call_id: &str, seconds: i64) -> NewItem {
    NewItem::of(&delivery(call_id, seconds))
}

/// The vendor's record of such a call.
pub(crate) fn record(call_id: &str, seconds: i64) -> NewItem {
    NewItem::of_record(APP, delivery(call_id, seconds).body().clone()).unwrap()
}

fn delivery(call_id: &str, seconds: i64) -> Delivery<Undecoded> {
    let call = CallEnded::new(call_id)
        .with_caller("alice")
        .with_members(["alice", "bob"])
        .with_result("NormalEnd")
        .with_accept_time(1_741_231_156)
        .with_end_time(1_741_231_156 + seconds);
    let verifier = Verifier::builder().app(SdkApp::unsigned(APP)).build().unwrap();
    Request::new(APP, call).deliver_to(&verifier).unwrap().unwrap()
}

/// Puts one item that is new.
pub(crate) async fn put(inbox: &SqliteInbox, item: NewItem) -> ItemId {
    match inbox.put(vec![item]).await.unwrap()[..] {
        [Put::Stored(id)] => id,
        ref other => panic!("{other:?}"),
    }
}

/// Leases what is due.
pub(crate) async fn lease(inbox: &SqliteInbox, owner: i64) -> Vec<LeasedItem> {
    inbox.lease(LeaseRequest::new(owner, 64, TERM, 5)).await.unwrap().items
}

/// A connection of somebody else.
pub(crate) fn outsider(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}
