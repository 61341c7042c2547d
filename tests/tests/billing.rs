//! The billing example, driven from outside: what it acknowledged is in its journal, and what is in
//! there is billed, whenever it is killed and whatever its disk does.

#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use conformance::descriptors::skipped;
use conformance::driver::in_time;
use conformance::example::{Ended, Example, TOKEN};
use conformance::programs::{BILLING, Programs, built};
use conformance::raw::{QUERY, Raw, head, ok, refusal, whole};
use conformance::{Answer, PATH};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Makes a test of each function, which takes a journal of its own.
macro_rules! tests {
    ($($test:ident)*) => {
        mod example_billing {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    super::in_time(super::$test(super::Journal::new(stringify!($test)))).await;
                }
            )*
        }
    };
}

tests! {
    a_call_is_one_line_of_json
    what_is_acknowledged_is_billed_after_a_kill
    many_at_once_are_all_stored
    what_cannot_be_printed_is_billed_by_the_next_start
    a_repeated_delivery_is_billed_once
    another_event_under_a_key_is_kept_and_reported
    of_two_events_that_are_found_together_neither_is_billed
    any_body_is_kept_byte_for_byte
    a_torn_tail_is_cut_off_and_kept_beside
    a_torn_note_bills_again
    a_disk_that_takes_nothing_acknowledges_nothing
    what_does_not_fit_on_the_disk_is_cut_off_again
    a_journal_that_cannot_be_opened_ends_it_with_status_2
    refused_requests_are_counted_and_not_kept
    a_request_in_flight_is_stored_and_billed_before_it_stops
}

fn programs() -> &'static Programs {
    Programs::build(env!("CARGO_TARGET_TMPDIR"))
}

/// A journal in a folder of its own.
struct Journal(PathBuf);

impl Journal {
    fn new(test: &str) -> Self {
        let name = built(BILLING, env!("CARGO_TARGET_TMPDIR"));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).join(test);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder.join("journal"))
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    fn read(&self) -> Vec<u8> {
        fs::read(&self.0).unwrap()
    }

    /// A file beside it.
    fn beside(&self, ending: &str) -> PathBuf {
        format!("{}{ending}", self.path()).into()
    }

    fn holds(&self, bytes: impl AsRef<[u8]>) -> bool {
        let bytes = bytes.as_ref();
        self.read().windows(bytes.len()).any(|window| window == bytes)
    }

    fn append(&self, bytes: &[u8]) {
        append(&self.0, bytes);
    }

    fn start(&self) -> Example {
        programs().start(BILLING, &[("JOURNAL", self.path())])
    }

    /// Nobody reads what it prints, so that it can bill nothing.
    fn start_unread(&self) -> Example {
        programs().start_unread(BILLING, &[("JOURNAL", self.path())])
    }

    /// Starts it after a line of shell.
    fn start_after(&self, line: &str) -> Example {
        let mut command = programs().command_after(line, BILLING);
        command.env("ADDR", "127.0.0.1:0").env("JOURNAL", self.path());
        Example::start(command).unwrap()
    }

    /// Starts it and stops it cleanly: all that it prints is what was not billed before.
    fn bills_now(&self) -> (Vec<String>, Ended) {
        let ended = self.start().stop("-TERM");
        assert_eq!(ended.status, Some(0), "{ended:?}");
        (call_ids(&ended.stdout), ended)
    }
}

fn append(path: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

fn call_ids(lines: &str) -> Vec<String> {
    let call_id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["call_id"].clone();
    lines.lines().map(|line| call_id(line).as_str().unwrap().to_owned()).collect()
}

/// Unix seconds on which the times of a call are counted.
const DAY: u64 = 1_741_231_000;

/// A call that was connected from 5 on, in seconds of [`DAY`].
fn body(call_id: &str, end_time: u64) -> String {
    let (accept_time, end_time) = (DAY + 5, DAY + end_time);
    let record = json!({ "CallId": call_id, "AcceptTime": accept_time, "EndTime": end_time });
    json!({ "CallRecord": record }).to_string()
}

async fn post(address: SocketAddr, body: impl AsRef<[u8]>) -> Answer {
    post_to(address, QUERY, body).await
}

async fn post_to(address: SocketAddr, query: &str, body: impl AsRef<[u8]>) -> Answer {
    let body = body.as_ref();
    let mut raw = Raw::connect(address).await;
    raw.send(head(query, &format!("Content-Length: {}\r\n", body.len()))).await;
    raw.send(body).await;
    raw.answer().await
}

/// The status that a load balancer sees.
async fn health(example: &Example) -> u16 {
    let mut raw = Raw::connect(example.address()).await;
    raw.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    raw.answer().await.status
}

/// The answer to what is not stored.
fn not_stored() -> Answer {
    let body = r#"{"ActionStatus":"FAIL","ErrorInfo":"not stored","ErrorCode":1}"#;
    Answer { body: body.into(), ..refusal(500, "") }
}

async fn a_call_is_one_line_of_json(journal: Journal) {
    let example = journal.start();
    assert_eq!(example.first_line(), format!("listening on http://{}{PATH}\n", example.address()));
    assert_eq!(health(&example).await, 200);
    for (record, line) in [
        (
            json!({ "CallId": "a", "Caller_Account": "x", "CallResult": "NormalEnd",
                "AcceptTime": DAY + 5, "EndTime": DAY + 12 }),
            json!({ "call_id": "a", "caller": "x", "result": "NormalEnd", "seconds": 7 }),
        ),
        (
            json!({ "CallId": "b", "CallResult": "NotAnswer", "EndTime": 12 }),
            json!({ "call_id": "b", "caller": null, "result": "NotAnswer", "seconds": 0 }),
        ),
        // Answered, but nobody knows for how long.
        (
            json!({ "CallId": "c", "CallResult": "NormalEnd" }),
            json!({ "call_id": "c", "caller": null, "result": "NormalEnd", "seconds": null }),
        ),
        // Nor whether anybody answered.
        (
            json!({ "CallId": "d", "CallResult": "NewResult", "EndTime": 12 }),
            json!({ "call_id": "d", "caller": null, "result": "NewResult", "seconds": null }),
        ),
    ] {
        let body = json!({ "CallRecord": record }).to_string();
        assert_eq!(post(example.address(), body).await, ok());
        assert_eq!(example.line(), line);
    }
    example.stops();
}

async fn what_is_acknowledged_is_billed_after_a_kill(journal: Journal) {
    let mut printed = BTreeSet::new();
    let ids = ["a", "b", "c", "d", "e"];
    for id in ids {
        let example = journal.start();
        assert_eq!(post(example.address(), body(id, 9)).await, ok());
        let ended = example.stop("-KILL");
        assert_eq!(ended.status, None);
        assert!(journal.holds(body(id, 9)));
        // Some of it may have been printed before the kill.
        printed.extend(call_ids(&ended.stdout));
    }
    printed.extend(journal.bills_now().0);
    assert!(printed.iter().eq(&ids), "{printed:?}");
    // The last stop was a clean one.
    assert_eq!(journal.bills_now().0, [""; 0]);
}

async fn many_at_once_are_all_stored(journal: Journal) {
    let example = journal.start_unread();
    let mut posts = JoinSet::new();
    for number in 0..200 {
        let (address, body) = (example.address(), body(&format!("{number:03}"), 9));
        posts.spawn(async move { post(address, body).await });
    }
    assert!(posts.join_all().await.iter().all(|answer| *answer == ok()));
    drop(example.stop("-KILL"));
    let mut billed = journal.bills_now().0;
    billed.sort();
    assert!(
        billed.iter().eq((0..200).map(|number| format!("{number:03}")).collect::<Vec<_>>().iter())
    );
}

async fn what_cannot_be_printed_is_billed_by_the_next_start(journal: Journal) {
    let example = journal.start_unread();
    for id in ["a", "b"] {
        assert_eq!(post(example.address(), body(id, 9)).await, ok());
    }
    let ended = example.stops();
    assert!(ended.stderr.contains(":a: not billed yet"), "{ended:?}");
    assert_eq!(journal.bills_now().0, ["a", "b"]);
    assert_eq!(journal.bills_now().0, [""; 0]);
}

async fn a_repeated_delivery_is_billed_once(journal: Journal) {
    // Another body may be the same event.
    let again = body("a", 9).replace(':', " : ");
    let mut stderr = String::new();
    for id in ["a", "b"] {
        let example = journal.start();
        for body in [body(id, 9), body("a", 9), again.clone()] {
            assert_eq!(post(example.address(), body).await, ok());
        }
        assert_eq!(example.line()["call_id"], id);
        stderr += &example.stops().stderr;
    }
    assert!(!stderr.contains("key"), "{stderr}");
    assert!(journal.holds(again));
}

async fn another_event_under_a_key_is_kept_and_reported(journal: Journal) {
    let example = journal.start();
    assert_eq!(post(example.address(), body("a", 9)).await, ok());
    assert_eq!(example.line()["seconds"], 4);
    assert_eq!(post(example.address(), body("a", 9999)).await, ok());
    let report = ":a: different events under one key, one is billed";
    let ended = example.stops();
    assert!(ended.stderr.contains(report), "{ended:?}");
    assert!(journal.holds(body("a", 9)) && journal.holds(body("a", 9999)));

    let (billed, ended) = journal.bills_now();
    assert_eq!(billed, [""; 0]);
    assert!(ended.stderr.contains(report), "{ended:?}");
}

async fn of_two_events_that_are_found_together_neither_is_billed(journal: Journal) {
    let example = journal.start_unread();
    for (id, end_time) in [("a", 9), ("b", 9), ("a", 9999)] {
        assert_eq!(post(example.address(), body(id, end_time)).await, ok());
    }
    drop(example.stop("-KILL"));
    let (billed, ended) = journal.bills_now();
    assert_eq!(billed, ["b"]);
    let report = ":a: different events under one key, none is noted as billed";
    assert!(ended.stderr.contains(report), "{ended:?}");
}

async fn any_body_is_kept_byte_for_byte(journal: Journal) {
    let example = journal.start();
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let record = |id| {
        // As if a record were inside.
        [b"\n".as_slice(), body(id, 9).as_bytes(), b"\n00000000 {\"key\":\"k\",\"length\":0}\n"]
            .concat()
    };
    let others = ["CallbackAfterStartCall", "CallbackAfterMemberChanged", "Unheard%0aOf"];
    for body in [&b""[..], b"\n", &every_byte, &record("a"), b"{\"CallRecord\":{}}"] {
        assert_eq!(post(example.address(), body).await, ok());
        assert!(journal.holds([b"\n", body, b"\n"].concat()), "{body:?}");
    }
    for other in others {
        let query = QUERY.replace("CallbackAfterEndCall", other);
        assert_eq!(post_to(example.address(), &query, body("a", 9)).await, ok());
    }
    assert_eq!(post(example.address(), body("a", 9)).await, ok());
    assert_eq!(example.line()["call_id"], "a");
    let ended = example.stops();
    assert_eq!(ended.stderr.matches("kept, not decoded").count(), 5, "{ended:?}");
    assert_eq!(ended.stderr.matches("kept, no end of a call").count(), 3, "{ended:?}");

    let (billed, again) = journal.bills_now();
    assert_eq!(billed, [""; 0]);
    // But for what the webhook logged when it took them.
    let said =
        ended.stderr.split_inclusive('\n').filter(|line| !line.contains(" trtc_call_webhook: "));
    assert_eq!(again.stderr, said.collect::<String>(), "all of it is read again");
}

async fn a_torn_tail_is_cut_off_and_kept_beside(journal: Journal) {
    let example = journal.start();
    assert_eq!(post(example.address(), body("a", 9)).await, ok());
    let _ = example.line();
    example.stops();
    let whole = journal.read();
    let but_one = &whole[..whole.len() - 1];
    let mut changed = whole.clone();
    changed[whole.len() - 5] ^= 1;
    let mut kept = Vec::new();
    for torn in [but_one, &whole[..3], &changed, b"\n", &[0; 5000], b"\n\xff"] {
        journal.append(torn);
        kept.extend_from_slice(torn);
        let (billed, ended) = journal.bills_now();
        assert_eq!(billed, [""; 0]);
        let report = format!("cut at byte {}, {} bytes moved to", whole.len(), torn.len());
        assert!(ended.stderr.contains(&report), "{ended:?}");
        assert_eq!(journal.read(), whole);
        assert_eq!(fs::read(journal.beside(".cut")).unwrap(), kept);
    }
    // What is stored afterwards is read again.
    journal.append(but_one);
    let example = journal.start_unread();
    assert_eq!(post(example.address(), body("b", 9)).await, ok());
    drop(example.stop("-KILL"));
    let (billed, ended) = journal.bills_now();
    assert_eq!(billed, ["b"]);
    assert!(!ended.stderr.contains("cut"), "{ended:?}");
}

async fn a_torn_note_bills_again(journal: Journal) {
    let example = journal.start();
    for id in ["a", "a2"] {
        assert_eq!(post(example.address(), body(id, 9)).await, ok());
        assert_eq!(example.line()["call_id"], id);
    }
    example.stops();
    let notes = fs::read(journal.beside(".billed")).unwrap();
    // Of the second key all but its last letter and the end of its line: what is left is the first.
    fs::write(journal.beside(".billed"), &notes[..notes.len() - 2]).unwrap();
    assert_eq!(journal.bills_now().0, ["a2"]);
    assert_eq!(fs::read(journal.beside(".billed")).unwrap(), notes);
    assert_eq!(journal.bills_now().0, [""; 0]);
}

async fn a_disk_that_takes_nothing_acknowledges_nothing(journal: Journal) {
    if !Path::new("/dev/full").exists() {
        skipped("a_disk_that_takes_nothing_acknowledges_nothing: there is no /dev/full");
        return;
    }
    symlink("/dev/full", &journal.0).unwrap();
    let example = journal.start();
    for _ in 0..3 {
        assert_eq!(health(&example).await, 503);
        assert_eq!(post(example.address(), body("a", 9)).await, not_stored());
    }
    let ended = example.stops();
    assert!(ended.stderr.contains("the journal is not written"), "{ended:?}");
}

/// A limit of the process's own stands in for a disk that is nearly full.
async fn what_does_not_fit_on_the_disk_is_cut_off_again(journal: Journal) {
    // Without the signal, a write beyond the limit fails half way.
    let example = journal.start_after("trap '' XFSZ && ulimit -f 16");
    let large = body(&"large".repeat(10_000), 9);
    for id in ["a", "b"] {
        assert_eq!(post(example.address(), body(id, 9)).await, ok());
        assert_eq!(example.line()["call_id"], id);
        let length = journal.read().len();
        assert_eq!(post(example.address(), &large).await, not_stored());
        assert!(journal.read().len() > length, "it was not written half way");
        // There is room for something smaller.
        assert_eq!(health(&example).await, 200);
        assert_eq!(journal.read().len(), length);
        assert_eq!(post(example.address(), &large).await, not_stored());
    }
    // A torn tail that was not made by hand.
    drop(example.stop("-KILL"));
    let (billed, ended) = journal.bills_now();
    assert_eq!(billed, [""; 0]);
    assert!(ended.stderr.contains("cut at byte"), "{ended:?}");
    assert!(!journal.holds("large"));
}

async fn a_journal_that_cannot_be_opened_ends_it_with_status_2(journal: Journal) {
    let folder = journal.0.parent().unwrap().to_str().unwrap();
    for path in ["", folder, &format!("{folder}/missing/journal")] {
        let mut command = programs().command(BILLING);
        command.env("ADDR", "127.0.0.1:0").env("CALLBACK_TOKEN", TOKEN).env("JOURNAL", path);
        let ended = Example::start(command).unwrap_err();
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
        assert!(ended.stderr.contains("JOURNAL") && ended.stderr.contains(path), "{ended:?}");
    }
}

async fn refused_requests_are_counted_and_not_kept(journal: Journal) {
    let switches = [("JOURNAL", journal.path()), ("CALLBACK_TOKEN", TOKEN)];
    let example = programs().start(BILLING, &switches);
    for refused in
        ["--wrong-signature", "--wrong-signature", "--stale", "--unsigned", "--sdk-app-id=7"]
    {
        let refused: Vec<_> = refused.split('=').collect();
        let sending = programs().send(example.url(), Some(TOKEN), &refused, "");
        assert_eq!(sending.status, Some(1), "{}", sending.text);
    }
    let mut raw = Raw::connect(example.address()).await;
    raw.send(whole(QUERY, &body("a", 9)).replacen("POST", "PUT", 1)).await;
    assert_eq!(raw.answer().await.status, 405);
    let ended = example.stops();
    for count in [
        "bad signature: 2",
        "stale signature: 1",
        "unsigned: 1",
        "foreign app: 1",
        "method not allowed: 1",
    ] {
        assert!(ended.stderr.contains(&format!("refused, {count}\n")), "{count}: {ended:?}");
    }
    assert_eq!(journal.read(), b"");
}

async fn a_request_in_flight_is_stored_and_billed_before_it_stops(journal: Journal) {
    let example = journal.start();
    let body = body("a", 9);
    let mut raw = Raw::connect(example.address()).await;
    let headers = format!("Content-Length: {}\r\nExpect: 100-continue\r\n", body.len());
    raw.send(head(QUERY, &headers)).await;
    assert_eq!(raw.answer().await.status, 100);
    example.signal("-TERM");
    raw.send(body).await;
    assert_eq!(raw.answer().await, ok());
    assert_eq!(example.line()["call_id"], "a");
    example.stops();
    assert_eq!(journal.bills_now().0, [""; 0]);
}
