//! `trtc-call demo`.

use std::process::Stdio;

use crate::common::{stdout, trtc_call};

/// What is sent, what is answered, and what the handler saw.
const ROWS: [[&str; 4]; 22] = [
    ["Call.CallbackAfterEndCall", "NormalEnd", "200 OK", "NormalEnd, talked 42 s"],
    ["Call.CallbackAfterEndCall", "duplicate", "200 OK", "duplicate: NormalEnd, talked 42 s"],
    ["Call.CallbackAfterEndCall", "Cancel", "200 OK", "Cancel, not answered"],
    ["Call.CallbackAfterEndCall", "Reject", "200 OK", "Reject, not answered"],
    ["Call.CallbackAfterEndCall", "NotAnswer", "200 OK", "NotAnswer, not answered"],
    ["Call.CallbackAfterEndCall", "CallBusy", "200 OK", "CallBusy, not answered"],
    ["Call.CallbackAfterEndCall", "Interrupt", "200 OK", "Interrupt, talked 42 s"],
    ["Call.CallbackAfterEndCall", "Offline", "200 OK", "Offline, talked 42 s"],
    [
        "Call.CallbackAfterEndCall",
        "no accept time",
        "200 OK",
        "NormalEnd, ask the record: a normal end without an accept time",
    ],
    ["Call.CallbackAfterStartCall", "callee rings", "200 OK", "10001 Calling, 10002 Waiting"],
    ["Call.CallbackAfterMemberChanged", "callee accepts", "200 OK", "10002 Accept"],
    ["Call.CallbackAfterSomethingNew", "unknown command", "200 OK", "its body, 52 bytes"],
    ["Call.CallbackAfterEndCall", "foreign SDKAppID", "403 FAIL forbidden", "nothing"],
    ["Call.CallbackAfterEndCall", "wrong signature", "403 FAIL forbidden", "nothing"],
    ["Call.CallbackAfterEndCall", "stale signature", "403 FAIL forbidden", "nothing"],
    ["Call.CallbackAfterEndCall", "broken JSON", "400 FAIL malformed body", "nothing"],
    [
        "Call.CallbackAfterEndCall",
        "inbox: process ends",
        "200 OK",
        "a process ends in attempt 1, attempt 2 bills 42 s",
    ],
    ["Call.CallbackAfterEndCall", "inbox: duplicate", "200 OK", "attempt 1 bills 42 s"],
    [
        "Call.CallbackAfterEndCall",
        "inbox: fails twice",
        "200 OK",
        "attempt 1 fails, attempt 2 fails, attempt 3 bills 42 s",
    ],
    [
        "Call.CallbackAfterEndCall",
        "inbox: fails for good",
        "200 OK",
        "attempt 1 gives up, 1 dead is replayed, attempt 1 bills 42 s",
    ],
    [
        "Call.CallbackAfterEndCall",
        "inbox: disputed",
        "200 OK",
        "2 disputed are resolved, attempt 1 bills 42 s",
    ],
    [
        "Call.CallbackAfterEndCall",
        "lost, then reconciled",
        "never sent",
        "nothing; its record is found, attempt 1 bills 42 s",
    ],
];

#[test]
fn every_row_is_as_expected() {
    let text = stdout(&trtc_call(["demo"]).output().unwrap(), 0);
    let mut lines = text.lines().skip_while(|line| !line.contains('─')).skip(1);
    for row in ROWS {
        let line = lines.next().unwrap();
        let cells: Vec<&str> =
            line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        assert_eq!(cells, [row.as_slice(), &["ok"]].concat());
    }
    assert_eq!(lines.collect::<Vec<_>>(), ["", "22 of 22 as expected"]);
    // No colours where there is no terminal.
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn nobody_needs_to_read_it() {
    let mut child =
        trtc_call(["demo"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(stdout(&output, 0), "");
    assert_eq!(output.stderr, b"");
}

/// Whether the environment is set for a receiver of one's own is nothing to the demo.
#[test]
fn the_environment_does_not_matter() {
    let mut demo = trtc_call(["demo"]);
    let output = demo.env("ADDR", "").env("SDK_APP_ID", "x").env("CALLBACK_TOKEN", "").output();
    stdout(&output.unwrap(), 0);
}
