//! `trtc-call inbox` and `trtc-call listen --inbox`, over both stores.

mod database;
mod file;
pub(crate) mod kept;

use std::fs;
use std::time::{Duration, Instant};

use conformance::postgres::Server;
use serde_json::{Value, json};
use trtc_call_inbox::store::{Answer, AskRequest, Outcome, Scope};
use trtc_call_inbox::{Acceptance, Confirmation, Inbox, ItemId, NewItem};

use self::kept::{OTHER_APP, PASSWORD, Store, ended, put, work};
use crate::common::{APP, Listen, TOKEN, send, sentence, stdout, trtc_call};

/// Makes a test for each store.
macro_rules! tests {
    ($($test:ident)*) => {
        mod sqlite {
            $(
                #[test]
                fn $test() {
                    super::$test(super::Store::Sqlite);
                }
            )*
        }
        mod postgres {
            $(
                #[test]
                fn $test() {
                    let Some(server) = super::Server::shared() else { return };
                    super::$test(super::Store::Postgres(server));
                }
            )*
        }
    };
}

tests! {
    status_counts_for_each_app
    list_takes_filters
    show_tells_all_of_an_item
    dead_items_are_replayed
    what_is_not_done_can_be_discarded
    a_dispute_is_resolved
    bodies_are_erased_where_they_are_done
    what_is_old_is_pruned
    check_names_what_needs_a_person
    check_names_what_was_done_before_it_was_disputed
    check_names_what_has_failed_for_an_hour
    what_waits_for_its_record_is_told
    check_says_why_there_is_no_record
    the_record_is_shown
    the_environment_names_the_inbox
    listen_keeps_what_it_acknowledges
    a_reader_that_stalls_does_not_keep_it_from_storing
    a_callback_that_cannot_be_stored_is_not_acknowledged
}

fn status_counts_for_each_app(store: Store) {
    let kept = store.filled("status");
    let text = kept.text(&["status"], 0);
    for line in ["can store   yes", "behind      "] {
        assert!(text.contains(line), "{text}");
    }
    let mut rows = text.lines().skip_while(|line| !line.starts_with(" app "));
    let cells = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let header = ["app", "waiting", "confirming", "leased", "done", "dead", "disputed", "behind"];
    assert_eq!(cells(rows.next().unwrap()), header);
    assert_eq!(cells(rows.nth(1).unwrap())[..7], [APP, "2", "0", "0", "1", "1", "2"]);

    let status = kept.json(&["status", "--sdk-app-id", OTHER_APP], 0).remove(0);
    assert_eq!((&status["can_store"], &status["why_not"]), (&json!(true), &Value::Null));
    if let Store::Sqlite = store {
        assert!(status["file_bytes"].as_u64().unwrap() > 0, "{status}");
    } else {
        let name = status["inbox"].as_str().unwrap();
        assert!(name.starts_with("PostgreSQL at ") && text.contains(name), "{status}: {text}");
    }
    let [app] = &status["apps"].as_array().unwrap()[..] else { panic!("{status}") };
    assert_eq!((&app["sdk_app_id"], &app["waiting"]), (&json!(1_400_000_002), &json!(1)));

    assert_eq!(kept.text(&["status", "--sdk-app-id", "7"], 1), "");
}

fn list_takes_filters(store: Store) {
    let kept = store.filled("list");
    let rival = kept.rival();
    assert_eq!(kept.ids(&[]), [1, 2, 3, 4, 5, 6, rival]);
    assert_eq!(kept.ids(&["--state", "disputed"]), [6, rival]);
    assert_eq!(kept.ids(&["--call-id", "a-1"]), [1, 5]);
    assert_eq!(kept.ids(&["--call-id", "a-1", "--sdk-app-id", APP]), [1]);
    assert_eq!(kept.ids(&["--since", "1h", "--state", "dead"]), [1]);
    assert_eq!(kept.ids(&["--since", "2025-01-01", "--limit", "2"]), [1, 2]);
    for nothing in [["--since", "2999-01-01"], ["--call-id", "A-1"], ["--state", "leased"]] {
        let output = kept.run(&[&["list"], &nothing[..]].concat());
        assert_eq!(stdout(&output, 1), "");
        assert_eq!(output.stderr, b"trtc-call: there is no such item\n");
    }
    let output = kept.run(&["list", "--limit", "6"]);
    assert_eq!(output.stderr, b"there are more: --limit N lists them\n");
    let text = stdout(&output, 0);
    assert_eq!(text.lines().count(), 8, "{text}");
    let row = text.lines().nth(2).unwrap();
    assert!(row.starts_with(" 1 ") && row.contains("  dead  "), "{row}");
    assert!(row.ends_with(r"a-1    1          no tariff\u{1b}[2J"), "{row}");
}

fn show_tells_all_of_an_item(store: Store) {
    let kept = store.filled("show");
    let text = kept.text(&["show", "3", "--body"], 0);
    for line in [
        "id               3\n",
        "state            waiting\n",
        "call id          a-5\n",
        "idempotency key  1400000001:Call.CallbackAfterEndCall:a-5\n",
        "signature        missing\n",
        "attempts         0\n",
        "billing          connected for 42 s\n",
        "\n    \"Tariff\": {\n      \"Night\": 1.0\n    }\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!kept.text(&["show", "3"], 0).contains("Tariff"));
    let text = kept.text(&["show", "4"], 0);
    assert!(text.contains("\nnot decoded      malformed body"), "{text}");

    let dead = kept.json(&["show", "1"], 0).remove(0);
    assert_eq!((&dead["state"], &dead["attempts"]), (&json!("dead"), &json!(1)));
    assert_eq!(dead["last_error"], "no tariff\u{1b}[2J");
    assert_eq!(dead["event"]["CallEnded"]["caller"], "u1");
    assert_eq!((&dead["erased"], dead.get("body")), (&json!(false), None));
    let done = kept.json(&["show", "2", "--body"], 0).remove(0);
    assert_eq!((&done["done_as"], &done["due_at"]), (&json!("handled"), &Value::Null));
    assert_eq!(done["body"], ended("a-2", "u1", 42, ""));

    kept.text(&["show", "99"], 1);
    kept.text(&["show", "5", "--sdk-app-id", APP], 1);
}

fn dead_items_are_replayed(store: Store) {
    let kept = store.filled("replay");
    let text = kept.text(&["replay", "1", "99"], 1);
    let why = "there is no such item, it is done, disputed, or a worker has it";
    assert_eq!(text, format!("99 is not replayed: {why}\nreplayed 1 of 2\n"));
    assert_eq!(kept.states()[0], (1, "waiting".to_owned()));
    assert_eq!(kept.text(&["replay", "--all"], 1), "");
    let waiting = kept.text(&["replay", "--all", "--state", "waiting"], 0);
    assert!(waiting.starts_with("replayed "), "{waiting}");
    let twice = store.filled("replay-twice");
    assert_eq!(twice.text(&["replay", "1", "1"], 0), "replayed 1 of 1\n");
    let text = sentence(&kept.run(&["replay", "1", "--state", "dead"]));
    assert!(text.contains("--all"), "{text}");
    kept.text(&["discard", "1"], 0);
    assert_eq!(kept.json(&["replay", "1"], 1), [json!({ "id": 1, "replayed": false })]);

    let kept = store.filled("replay-all");
    assert_eq!(kept.text(&["replay", "--all", "--sdk-app-id", OTHER_APP], 1), "");
    assert_eq!(kept.text(&["replay", "1", "--sdk-app-id", OTHER_APP], 1), "");
    let output = kept.run(&["discard", "4", "5", "--sdk-app-id", APP]);
    assert_eq!(stdout(&output, 1), "discarded 1 of 1\n");
    assert_eq!(output.stderr, b"there is no item 5 of this app\n");
    let replayed = kept.json(&["replay", "--all", "--call-id", "a-1", "--since", "1d"], 0);
    assert_eq!(replayed, [json!({ "id": 1, "replayed": true })]);
}

fn what_is_not_done_can_be_discarded(store: Store) {
    let kept = store.filled("discard");
    // Nobody can be asked here.
    let text = sentence(&kept.run(&["discard", "--all"]));
    assert_eq!(
        text,
        "trtc-call: nothing is changed. items to be discarded: 6. --yes says so where nobody can be asked\n"
    );
    let all = ["discard", "--all", "--state", "disputed", "--yes"];
    assert_eq!(kept.text(&all, 0), "discarded 2 of 2\n");
    assert_eq!(kept.text(&all, 1), "");
    assert_eq!(kept.text(&["discard", "4"], 0), "discarded 1 of 1\n");
    let text = kept.text(&["discard", "2", "99"], 1);
    assert!(text.ends_with("\ndiscarded 0 of 2\n"), "{text}");
    kept.text(&["discard", "--all", "--yes"], 0);
    assert!(kept.states().iter().all(|(_, state)| state == "done"));
}

fn a_dispute_is_resolved(store: Store) {
    let kept = store.filled("resolve");
    let rival = kept.rival();
    assert_eq!(kept.text(&["resolve", "6"], 0), "6 waits, and is worked\n");
    assert_eq!(kept.states()[5..], [(6, "waiting".to_owned()), (rival, "done".to_owned())]);
    let said = json!({ "id": 6, "resolved": "not disputed", "corrects": null });
    assert_eq!(kept.json(&["resolve", "6"], 1), [said]);
    assert_eq!(kept.text(&["resolve", &rival.to_string(), "--sdk-app-id", OTHER_APP], 1), "");

    // The other call was billed before somebody else said otherwise.
    let body = ended("a-2", "u1", 4200, "");
    let accepted = kept.with(async |inbox| put(&inbox, APP, &body).await);
    assert!(matches!(accepted, Acceptance::Disputed));
    let new = kept.newest();
    let text = kept.text(&["resolve", &new.to_string()], 0);
    assert_eq!(text, format!("{new} waits, and when it is worked it corrects 2\n"));
    let item = kept.with(async |inbox| inbox.get(ItemId::new(new)).await.unwrap().unwrap());
    assert_eq!(item.replaces, Some(ItemId::new(2)));
}

fn bodies_are_erased_where_they_are_done(store: Store) {
    let kept = store.filled("erase");
    let text = kept.text(&["erase", "--user", "u1", "--sdk-app-id", APP], 0);
    let rival = kept.rival();
    let waits = format!("kept 3, which are not done: 1, 6, {rival}");
    assert_eq!(text, format!("erased 1\n{waits}\nbackups keep what they hold\n"));
    let text = kept.text(&["show", "2", "--body"], 0);
    assert!(text.contains("erased           true\n"), "{text}");
    assert!(!text.contains("u1") && text.contains("\nsha256           "), "{text}");
    let erased = kept.json(&["erase", "--call-id", "a-3"], 1);
    assert_eq!(erased, [json!({ "erased": [], "kept": [6, rival] })]);
    assert_eq!(kept.text(&["erase", "--user", "nobody"], 1), "");
}

fn what_is_old_is_pruned(store: Store) {
    let kept = store.filled("prune");
    assert_eq!(kept.text(&["prune"], 0), "items removed: 0, keys removed: 0\n");
    let text = sentence(&kept.run(&["prune", "--done-after", "0s"]));
    assert!(text.contains("--yes"), "{text}");
    let text = sentence(&kept.run(&["prune", "--keys-after", "6d", "--yes"]));
    assert!(text.contains("at least 7d"), "{text}");
    let pruned = kept.json(&["prune", "--done-after", "0s", "--yes"], 0);
    assert_eq!(pruned, [json!({ "items": 1, "keys": 0 })]);
    kept.text(&["show", "2"], 1);
}

fn check_names_what_needs_a_person(store: Store) {
    let kept = store.filled("check");
    let text = kept.text(&["check"], 1);
    for line in [
        "dead          no tariff\\u{1b}[2J\n              -> items 1: mend the cause",
        "disputed      2 × 1400000001:Call.CallbackAfterEndCall:a-3\n",
        &format!("              -> items 6, {}: compare them", kept.rival()),
        "undecodable   malformed body",
        "unknown field CallRecord.Tariff\n",
        "findings: 4  items looked at: 7\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let of_app = kept.json(&["check", "--sdk-app-id", OTHER_APP], 0);
    assert_eq!(of_app, [] as [Value; 0]);
    let found = kept.json(&["check"], 1);
    let field = found.iter().find(|finding| finding["finding"] == "unknown_field").unwrap();
    assert_eq!((&field["count"], &field["items"]), (&json!(1), &json!([3])));
    let text = kept.text(&["check", "--sdk-app-id", OTHER_APP], 0);
    assert_eq!(text, "findings: 0  items looked at: 1\n");
}

/// Whoever decides has to see both, and that one of them is billed.
fn check_names_what_was_done_before_it_was_disputed(store: Store) {
    let kept = store.filled("check-done");
    let rival = kept.rival();
    let put = |app, seconds| {
        let body = ended("a-2", "u1", seconds, "");
        let _ = kept.with(async |inbox| put(&inbox, app, &body).await);
        kept.newest()
    };
    let [one, other] = [4200, 4201].map(|seconds| put(APP, seconds));
    put(OTHER_APP, 1);
    let text = kept.text(&["check"], 1);
    let line = format!(
        "disputed      2 × 1400000001:Call.CallbackAfterEndCall:a-2\n              \
        -> items {one}, {other}, against 2, which is done: compare them with `show ID --body`, and \
        `resolve` the right one\n"
    );
    assert!(text.contains(&line), "{text}");
    let found = kept.json(&["check"], 1);
    let of_key = |end: &str| {
        let is_it = |what: &Value| what.as_str().is_some_and(|what| what.ends_with(end));
        found.iter().find(|finding| is_it(&finding["what"])).unwrap()
    };
    let [a2, a3] = [":a-2", ":a-3"].map(of_key);
    assert_eq!((&a2["items"], &a2["done"]), (&json!([one, other]), &json!([2])));
    assert_eq!((&a3["items"], &a3["done"]), (&json!([6, rival]), &json!([])));
    // What a person has put away was not billed.
    kept.text(&["resolve", "2"], 0);
    let new = put(APP, 4203);
    let text = kept.text(&["check"], 1);
    assert!(text.contains(&format!("-> items {new}, against 2, which is done: ")), "{text}");
}

/// Each attempt puts it off, so that it is never late.
fn check_names_what_has_failed_for_an_hour(store: Store) {
    let kept = store.empty("check-failing");
    let fail = async |inbox: Inbox, hour: &str| {
        for (call, counted) in [("a", true), ("b", true), ("asked again", false)] {
            let after = Duration::from_secs(100 * 365 * 24 * 60 * 60);
            let error = "the bank is closed".to_owned();
            let body = ended(&format!("{call} {hour}"), "u1", 42, "");
            work(&inbox, &body, Outcome::Retry { after, counted, error }).await;
        }
    };
    kept.with_long_ago(async |inbox| fail(inbox, "long ago").await);
    kept.with(async |inbox| fail(inbox, "now").await);
    let text = kept.text(&["check"], 1);
    let found = "failing       2 × the bank is closed\n              -> items 1, 2: mend the cause; \
        each is tried again by itself\nfindings: 1  items looked at: 6\n";
    assert_eq!(text, found);
    assert_eq!(kept.json(&["check"], 1)[0]["finding"], "failing");
}

fn what_waits_for_its_record_is_told(store: Store) {
    let kept = store.empty("confirming");
    let confirm = async |inbox: Inbox, call_id: &str| {
        work(&inbox, &ended(call_id, "u1", 42, ""), Outcome::AskRecord).await;
    };
    kept.with_long_ago(async |inbox| confirm(inbox, "a-1").await);
    kept.with(async |inbox| {
        confirm(inbox.clone(), "a-2").await;
        // One of them is asked about now, and the vendor is down.
        let request = AskRequest::new(APP.parse::<u64>().unwrap().into(), 1, 1, Duration::ZERO);
        let asked = inbox.store().ask(request).await.unwrap().items;
        assert_eq!(asked[0].call_id, "a-1");
        let error = "the vendor is down".to_owned();
        let answer = Answer::Later { after: Duration::from_secs(60), error };
        inbox.store().answer(vec![(asked[0].lease, answer)]).await.unwrap();
    });
    assert_eq!(kept.json(&["status"], 0)[0]["apps"][0]["confirming"], 2);
    assert_eq!(kept.ids(&["--state", "confirming"]), [1, 2]);
    let text = kept.text(&["list"], 0);
    let rows: Vec<&str> = text.lines().skip(2).collect();
    assert!(
        rows[0].contains("  asked next ") && rows[0].ends_with(": the vendor is down"),
        "{text}"
    );
    assert!(rows[1].contains("  asked next ") && !rows[1].ends_with(": "), "{text}");
    assert!(kept.json(&["show", "2"], 0)[0]["due_at"].is_string());
    let text = kept.text(&["check"], 1);
    assert!(text.starts_with("failing       the vendor is down\n"), "{text}");
    assert!(text.ends_with("findings: 1  items looked at: 2\n"), "{text}");

    assert_eq!(kept.text(&["replay", "2"], 0), "replayed 1 of 1\n");
    assert_eq!(kept.text(&["discard", "--all", "--yes"], 0), "discarded 2 of 2\n");

    let unasked = store.empty("unasked");
    unasked.with_long_ago(async |inbox| confirm(inbox, "a-1").await);
    assert_eq!(unasked.json(&["check"], 1)[0]["finding"], "unasked");
    assert_eq!(unasked.text(&["resolve", "1"], 0), "1 waits, and is worked\n");
}

fn check_says_why_there_is_no_record(store: Store) {
    let kept = store.empty("no-record");
    kept.with_long_ago(async |inbox| {
        for call_id in ["a-1", "a-2"] {
            work(&inbox, &ended(call_id, "u1", 42, ""), Outcome::AskRecord).await;
        }
    });
    kept.with(async |inbox| {
        let request = AskRequest::new(APP.parse::<u64>().unwrap().into(), 2, 2, Duration::ZERO);
        let asked = inbox.store().ask(request).await.unwrap().items;
        let give_up = |why| Answer::GiveUp { why, error: "101050".to_owned() };
        let why = [Confirmation::Missing, Confirmation::TooOld].map(give_up);
        let answers = asked.iter().map(|item| item.lease).zip(why).collect();
        assert_eq!(inbox.store().answer(answers).await.unwrap(), [true, true]);
        let error = "undecidable: no end".to_owned();
        work(&inbox, &ended("a-3", "u1", 42, ""), Outcome::Undecidable { error }).await;
    });
    let text = kept.text(&["check"], 1);
    let to_do = "`resolve` those that you know to be true, and `discard` the others";
    let found =
        [("too old to confirm: 101050", 2), ("unconfirmed: 101050", 1), ("undecidable: no end", 3)];
    for (what, item) in found {
        let line = format!("no record     {what}\n              -> items {item}: {to_do}\n");
        assert!(text.contains(&line), "{line}: {text}");
    }
    assert!(text.ends_with("findings: 3  items looked at: 3\n"), "{text}");
    let row = kept.text(&["list", "--call-id", "a-1"], 0);
    assert!(row.trim_end().ends_with("  unconfirmed: 101050"), "{row}");
    let shown = kept.json(&["show", "1"], 0).remove(0);
    assert_eq!(
        (&shown["confirmation"], &shown["last_error"]),
        (&json!("unconfirmed"), &json!("101050"))
    );

    kept.text(&["resolve", "1"], 0);
    let text = kept.text(&["show", "1"], 0);
    assert!(text.contains("\nconfirmation     resolved\n"), "{text}");
}

/// Beside what the callback said.
fn the_record_is_shown(store: Store) {
    let kept = store.empty("record");
    let record = ended("a-1", "u1", 43, r#","Tariff":1.0"#);
    kept.with(async |inbox| {
        work(&inbox, &ended("a-1", "u1", 42, ""), Outcome::AskRecord).await;
        let app: u64 = APP.parse().unwrap();
        let body = record.replacen('{', r#"{"CallbackCommand":"Call.CallbackAfterEndCall","#, 1);
        let new = NewItem::of_record(app, body.into()).unwrap();
        inbox.store().put_records(vec![new], Scope::All).await.unwrap();
    });
    let text = kept.text(&["show", "1", "--body"], 0);
    for line in [
        "billing          connected for 42 s\n",
        "record billing   connected for 43 s\n",
        "\n    \"Tariff\": 1.0\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!kept.text(&["show", "1"], 0).contains("Tariff"));
    let shown = kept.json(&["show", "1", "--body"], 0).remove(0);
    assert_eq!((&shown["state"], &shown["confirmation"]), (&json!("waiting"), &Value::Null));
    assert!(shown["record"].as_str().unwrap().contains("Tariff"), "{shown}");
    assert_eq!(shown["body"], ended("a-1", "u1", 42, ""));
}

fn the_environment_names_the_inbox(store: Store) {
    let kept = store.filled("environment");
    let run = |app: &str| {
        let mut command = trtc_call(["inbox", "list", "--call-id", "a-1", "--json"]);
        command.env("INBOX", &kept.name).env("SDK_APP_ID", app).output().unwrap()
    };
    assert!(stdout(&run(OTHER_APP), 0).contains("\"id\":5,"));
    stdout(&run("7"), 1);
}

/// Two bodies of one call, and one that nobody can read, kept and told.
fn listen_keeps_what_it_acknowledges(store: Store) {
    let kept = store.empty("listen");
    let start = |more: &[&str]| Listen::start(&[&["--inbox", &kept.name], more].concat());
    let call = ["--token", TOKEN, "--call-id", "a-1", "--start-time", "1741231146"];
    let body = kept.file_beside("body.json");
    fs::write(&body, r#"{"CallRecord":"#).unwrap();

    let mut listen = start(&["--json"]);
    let mut told = |more: &[&str]| -> Value {
        stdout(&send(&listen.url, more), 0);
        serde_json::from_str(&listen.line()).unwrap()
    };
    let stored = told(&call);
    assert_eq!((&stored["inbox"], &stored["talk_seconds"]), (&json!("stored"), &json!(42)));
    assert_eq!(told(&call)["inbox"], "duplicate");
    let disputed = told(&[&call[..], &["--talk-seconds", "43"]].concat());
    assert_eq!(disputed["inbox"], "disputed");
    let command = "Call.CallbackAfterEndCall";
    let more = ["--token", TOKEN, "--command", command, "--body", body.to_str().unwrap()];
    let undecodable = told(&more);
    assert_eq!(
        (&undecodable["inbox"], &undecodable["command"]),
        (&json!("stored"), &json!(command))
    );
    assert!(undecodable["error"].is_string(), "{undecodable}");
    let (status, ..) = listen.stop("-TERM");
    assert_eq!(status, Some(0));

    let mut listen = start(&[]);
    stdout(&send(&listen.url, &call), 0);
    let line = "Call.CallbackAfterEndCall  a-1  NormalEnd  10001 -> 10002  talked 42 s  rang 5 s";
    assert_eq!(listen.line(), format!("{line}  duplicate\n"));
    let states: Vec<String> = kept.states().into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, ["disputed", "disputed", "waiting"]);
}

/// What is stored is acknowledged, whoever reads the lines.
fn a_reader_that_stalls_does_not_keep_it_from_storing(store: Store) {
    let kept = store.empty("stalled");
    let listen = Listen::start(&["--json", "--inbox", &kept.name]);
    let more = ["--token", TOKEN, "--count", "1000", "--concurrency", "50", "--timeout", "20"];
    stdout(&send(&listen.url, &more), 0);
    let started = Instant::now();
    let (status, stderr) = listen.stop_unread("-TERM");
    assert_eq!(status, Some(0));
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    let says = "nobody reads standard output: lines are left out, and their callbacks stored\n";
    assert_eq!(stderr, says);
    let status = kept.json(&["status"], 0).remove(0);
    assert_eq!(status["apps"][0]["waiting"], 1000);
}

fn a_callback_that_cannot_be_stored_is_not_acknowledged(store: Store) {
    let kept = store.empty("unstored");
    let listen = Listen::start(&["--inbox", &kept.name]);
    kept.remove();
    let text = stdout(&send(&listen.url, &["--token", TOKEN]), 1);
    assert!(text.contains("HTTP 500"), "{text}");
    let (_, _, stderr) = listen.stop("-TERM");
    assert!(stderr.contains("a callback is not stored: "), "{stderr}");
    assert!(!stderr.contains(PASSWORD), "{stderr}");
}
