//! `trtc-call inbox` and `trtc-call listen --inbox`.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trtc_call_inbox::store::{LeaseRequest, Outcome, Settlement};
use trtc_call_inbox::{Acceptance, Clock, DoneAs, Inbox, ItemId};
use trtc_call_inbox_sqlite::{SqliteInbox, rusqlite};
use trtc_call_webhook::adapter::{Receipt, RequestHead};
use trtc_call_webhook::{SdkApp, Undecoded, Verifier};

use crate::common::{APP, Listen, TOKEN, lines, send, sentence, stdout, trtc_call};

/// Another app, which has items too.
const OTHER_APP: &str = "1400000002";

/// A file in a folder of its own, which goes with it.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let folder = format!("trtc-call-inbox-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder.join("callbacks.db"))
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// A command on this inbox.
    fn command(&self, args: &[&str]) -> Command {
        trtc_call([&["inbox"], args, &["--inbox", self.path()]].concat())
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// What it prints for people, if it ends with this status.
    #[track_caller]
    fn text(&self, args: &[&str], status: i32) -> String {
        stdout(&self.run(args), status)
    }

    /// The objects that it prints for machines.
    #[track_caller]
    fn json(&self, args: &[&str], status: i32) -> Vec<Value> {
        let output = self.run(&[args, &["--json"]].concat());
        stdout(&output, status);
        lines(&output).into_iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The numbers and states of all items.
    fn states(&self) -> Vec<(i64, String)> {
        let items = self.json(&["list"], 0);
        let state = |item: &Value| {
            (item["id"].as_i64().unwrap(), item["state"].as_str().unwrap().to_owned())
        };
        items.iter().map(state).collect()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().unwrap());
    }
}

/// An ended call's body.
fn ended(call_id: &str, caller: &str, seconds: i64, more: &str) -> String {
    let [start, end] = [1_741_231_146, 1_741_231_146 + seconds];
    format!(
        r#"{{"CallRecord":{{"CallId":"{call_id}","Caller_Account":"{caller}",
        "CallResult":"NormalEnd","AcceptTime":{start},"EndTime":{end}{more}}}}}"#
    )
}

async fn put(inbox: &Inbox, app: &str, body: &str) -> Acceptance {
    let app_id: u64 = app.parse().unwrap();
    let verifier = Verifier::builder().app(SdkApp::unsigned(app_id)).build().unwrap();
    let query = format!("SdkAppid={app}&CallbackCommand=Call.CallbackAfterEndCall");
    let mut buffer = verifier.check(RequestHead::new("POST", &query)).unwrap().read_body();
    buffer.push(body.as_bytes()).unwrap();
    match buffer.receive::<Undecoded>().unwrap() {
        Receipt::Deliver(delivery) => inbox.accept(&delivery).await,
        Receipt::Acknowledge(_) => panic!("everything is taken"),
    }
}

/// Puts a call, and has it end so.
async fn work(inbox: &Inbox, body: &str, outcome: Outcome) {
    assert!(matches!(put(inbox, APP, body).await, Acceptance::Stored));
    let request = LeaseRequest::new(1, 1, Duration::from_secs(30), 5);
    let leased = inbox.store().lease(request).await.unwrap();
    let lease = leased.items[0].lease;
    assert_eq!(inbox.store().settle(vec![Settlement { lease, outcome }]).await.unwrap(), [true]);
}

/// 1 is dead, 2 done, 3 and 4 disputed, 5 waits, 6 does not decode, and 7 is another app's.
fn filled(name: &str) -> File {
    let file = File::new(name);
    let inbox: Inbox = SqliteInbox::open(&file.0).unwrap().into();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let error = "no tariff\u{1b}[2J".to_owned();
        work(&inbox, &ended("a-1", "u1", 42, ""), Outcome::Dead { error }).await;
        work(&inbox, &ended("a-2", "u1", 42, ""), Outcome::Done(DoneAs::Handled)).await;
        for seconds in [42, 43] {
            let _ = put(&inbox, APP, &ended("a-3", "u1", seconds, "")).await;
        }
        let _ = put(&inbox, APP, &ended("a-5", "u5", 42, r#","Tariff":{"Night":1.0}"#)).await;
        let _ = put(&inbox, APP, r#"{"CallRecord":"#).await;
        let _ = put(&inbox, OTHER_APP, &ended("a-1", "u1", 42, "")).await;
    });
    drop(inbox);
    file
}

#[test]
fn status_counts_for_each_app() {
    let file = filled("status");
    let text = file.text(&["status"], 0);
    for line in ["can store   yes", "behind      "] {
        assert!(text.contains(line), "{text}");
    }
    let mut rows = text.lines().skip_while(|line| !line.starts_with(" app "));
    let cells = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let header = ["app", "waiting", "leased", "done", "dead", "disputed", "behind"];
    assert_eq!(cells(rows.next().unwrap()), header);
    assert_eq!(cells(rows.nth(1).unwrap())[..6], [APP, "2", "0", "1", "1", "2"]);

    let status = file.json(&["status", "--sdk-app-id", OTHER_APP], 0).remove(0);
    assert_eq!((&status["can_store"], &status["why_not"]), (&json!(true), &Value::Null));
    assert!(status["file_bytes"].as_u64().unwrap() > 0, "{status}");
    let [app] = &status["apps"].as_array().unwrap()[..] else { panic!("{status}") };
    assert_eq!((&app["sdk_app_id"], &app["waiting"]), (&json!(1_400_000_002), &json!(1)));

    assert_eq!(file.text(&["status", "--sdk-app-id", "7"], 1), "");
}

#[test]
fn list_takes_filters() {
    let file = filled("list");
    let ids = |more: &[&str]| -> Vec<Value> {
        let items = file.json(&[&["list"], more].concat(), 0);
        items.iter().map(|item| item["id"].clone()).collect()
    };
    assert_eq!(ids(&[]), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(ids(&["--state", "disputed"]), [3, 4]);
    assert_eq!(ids(&["--call-id", "a-1"]), [1, 7]);
    assert_eq!(ids(&["--call-id", "a-1", "--sdk-app-id", APP]), [1]);
    assert_eq!(ids(&["--since", "1h", "--state", "dead"]), [1]);
    assert_eq!(ids(&["--since", "2025-01-01", "--limit", "2"]), [1, 2]);
    for nothing in [["--since", "2999-01-01"], ["--call-id", "A-1"], ["--state", "leased"]] {
        let output = file.run(&[&["list"], &nothing[..]].concat());
        assert_eq!(stdout(&output, 1), "");
        assert_eq!(output.stderr, b"trtc-call: there is no such item\n");
    }
    let output = file.run(&["list", "--limit", "6"]);
    assert_eq!(output.stderr, b"there are more: --limit N lists them\n");
    let text = stdout(&output, 0);
    assert_eq!(text.lines().count(), 8, "{text}");
    let row = text.lines().nth(2).unwrap();
    assert!(row.starts_with(" 1 ") && row.contains("  dead  "), "{row}");
    assert!(row.ends_with(r"a-1    1          no tariff\u{1b}[2J"), "{row}");
}

#[test]
fn show_tells_all_of_an_item() {
    let file = filled("show");
    let text = file.text(&["show", "5", "--body"], 0);
    for line in [
        "id               5\n",
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
    assert!(!file.text(&["show", "5"], 0).contains("Tariff"));
    let text = file.text(&["show", "6"], 0);
    assert!(text.contains("\nnot decoded      malformed body"), "{text}");

    let dead = file.json(&["show", "1"], 0).remove(0);
    assert_eq!((&dead["state"], &dead["attempts"]), (&json!("dead"), &json!(1)));
    assert_eq!(dead["last_error"], "no tariff\u{1b}[2J");
    assert_eq!(dead["event"]["CallEnded"]["caller"], "u1");
    assert_eq!((&dead["erased"], dead.get("body")), (&json!(false), None));
    let done = file.json(&["show", "2", "--body"], 0).remove(0);
    assert_eq!((&done["done_as"], &done["due_at"]), (&json!("handled"), &Value::Null));
    assert_eq!(done["body"], ended("a-2", "u1", 42, ""));

    file.text(&["show", "8"], 1);
    file.text(&["show", "7", "--sdk-app-id", APP], 1);
}

#[test]
fn dead_items_are_replayed() {
    let file = filled("replay");
    let text = file.text(&["replay", "1", "99"], 1);
    let why = "there is no such item, it is done, disputed, or a worker has it";
    assert_eq!(text, format!("99 is not replayed: {why}\nreplayed 1 of 2\n"));
    assert_eq!(file.states()[0], (1, "waiting".to_owned()));
    assert_eq!(file.text(&["replay", "--all"], 1), "");
    let waiting = file.text(&["replay", "--all", "--state", "waiting"], 0);
    assert!(waiting.starts_with("replayed "), "{waiting}");
    let twice = filled("replay-twice");
    assert_eq!(twice.text(&["replay", "1", "1"], 0), "replayed 1 of 1\n");
    let text = sentence(&file.run(&["replay", "1", "--state", "dead"]));
    assert!(text.contains("--all"), "{text}");
    file.text(&["discard", "1"], 0);
    assert_eq!(file.json(&["replay", "1"], 1), [json!({ "id": 1, "replayed": false })]);

    let file = filled("replay-all");
    assert_eq!(file.text(&["replay", "--all", "--sdk-app-id", OTHER_APP], 1), "");
    assert_eq!(file.text(&["replay", "1", "--sdk-app-id", OTHER_APP], 1), "");
    let output = file.run(&["discard", "6", "7", "--sdk-app-id", APP]);
    assert_eq!(stdout(&output, 1), "discarded 1 of 1\n");
    assert_eq!(output.stderr, b"there is no item 7 of this app\n");
    let replayed = file.json(&["replay", "--all", "--call-id", "a-1", "--since", "1d"], 0);
    assert_eq!(replayed, [json!({ "id": 1, "replayed": true })]);
}

#[test]
fn what_is_not_done_can_be_discarded() {
    let file = filled("discard");
    // Nobody can be asked here.
    let text = sentence(&file.run(&["discard", "--all"]));
    assert_eq!(
        text,
        "trtc-call: items to be discarded: 6. --yes says so where nobody can be asked\n"
    );
    let all = ["discard", "--all", "--state", "disputed", "--yes"];
    assert_eq!(file.text(&all, 0), "discarded 2 of 2\n");
    assert_eq!(file.text(&all, 1), "");
    assert_eq!(file.text(&["discard", "6"], 0), "discarded 1 of 1\n");
    let text = file.text(&["discard", "2", "99"], 1);
    assert!(text.ends_with("\ndiscarded 0 of 2\n"), "{text}");
    file.text(&["discard", "--all", "--yes"], 0);
    assert!(file.states().iter().all(|(_, state)| state == "done"));
}

#[test]
fn a_dispute_is_resolved() {
    let file = filled("resolve");
    assert_eq!(file.text(&["resolve", "3"], 0), "3 waits, and is worked\n");
    assert_eq!(file.states()[2..4], [(3, "waiting".to_owned()), (4, "done".to_owned())]);
    let said = json!({ "id": 3, "resolved": "not disputed", "corrects": null });
    assert_eq!(file.json(&["resolve", "3"], 1), [said]);
    assert_eq!(file.text(&["resolve", "4", "--sdk-app-id", OTHER_APP], 1), "");

    // The other call was billed before somebody else said otherwise.
    let inbox: Inbox = SqliteInbox::open(&file.0).unwrap().into();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let accepted = runtime.block_on(put(&inbox, APP, &ended("a-2", "u1", 4200, "")));
    assert!(matches!(accepted, Acceptance::Disputed));
    let text = file.text(&["resolve", "8"], 0);
    assert_eq!(text, "8 waits, and when it is worked it corrects 2\n");
    let item = runtime.block_on(inbox.get(ItemId::new(8))).unwrap().unwrap();
    assert_eq!(item.replaces, Some(ItemId::new(2)));
}

#[test]
fn bodies_are_erased_where_they_are_done() {
    let file = filled("erase");
    let text = file.text(&["erase", "--user", "u1", "--sdk-app-id", APP], 0);
    let kept = "kept 3, which are not done: 1, 3, 4";
    assert_eq!(text, format!("erased 1\n{kept}\nbackups of the file keep what they hold\n"));
    let text = file.text(&["show", "2", "--body"], 0);
    assert!(text.contains("erased           true\n"), "{text}");
    assert!(!text.contains("u1") && text.contains("\nsha256           "), "{text}");
    let erased = file.json(&["erase", "--call-id", "a-3"], 1);
    assert_eq!(erased, [json!({ "erased": [], "kept": [3, 4] })]);
    assert_eq!(file.text(&["erase", "--user", "nobody"], 1), "");
}

#[test]
fn what_is_old_is_pruned() {
    let file = filled("prune");
    assert_eq!(file.text(&["prune"], 0), "items removed: 0, keys removed: 0\n");
    let text = sentence(&file.run(&["prune", "--done-after", "0s"]));
    assert!(text.contains("--yes"), "{text}");
    let text = sentence(&file.run(&["prune", "--keys-after", "6d", "--yes"]));
    assert!(text.contains("at least 7d"), "{text}");
    let pruned = file.json(&["prune", "--done-after", "0s", "--yes"], 0);
    assert_eq!(pruned, [json!({ "items": 1, "keys": 0 })]);
    file.text(&["show", "2"], 1);
}

#[test]
fn check_names_what_needs_a_person() {
    let file = filled("check");
    let text = file.text(&["check"], 1);
    for line in [
        "dead          no tariff\\u{1b}[2J\n              -> items 1: mend the cause",
        "disputed      2 × 1400000001:Call.CallbackAfterEndCall:a-3\n",
        "              -> items 3, 4: compare them",
        "undecodable   malformed body",
        "unknown field CallRecord.Tariff\n",
        "findings: 4  items looked at: 7\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let of_app = file.json(&["check", "--sdk-app-id", OTHER_APP], 0);
    assert_eq!(of_app, [] as [Value; 0]);
    let found = file.json(&["check"], 1);
    let field = found.iter().find(|finding| finding["finding"] == "unknown_field").unwrap();
    assert_eq!((&field["count"], &field["items"]), (&json!(1), &json!([5])));
    let text = file.text(&["check", "--sdk-app-id", OTHER_APP], 0);
    assert_eq!(text, "findings: 0  items looked at: 1\n");
}

/// Whoever decides has to see both, and that one of them is billed.
#[test]
fn check_names_what_was_done_before_it_was_disputed() {
    let file = filled("check-done");
    let inbox: Inbox = SqliteInbox::open(&file.0).unwrap().into();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (app, call, seconds) in [(APP, "a-2", 4200), (APP, "a-2", 4201), (OTHER_APP, "a-2", 1)] {
        let _ = runtime.block_on(put(&inbox, app, &ended(call, "u1", seconds, "")));
    }
    let text = file.text(&["check"], 1);
    let line = "disputed      2 × 1400000001:Call.CallbackAfterEndCall:a-2\n              \
        -> items 8, 9, against 2, which is done: compare them with `show ID --body`, and `resolve` \
        the right one\n";
    assert!(text.contains(line), "{text}");
    let found = file.json(&["check"], 1);
    let of_key = |end: &str| {
        let is_it = |what: &Value| what.as_str().is_some_and(|what| what.ends_with(end));
        found.iter().find(|finding| is_it(&finding["what"])).unwrap()
    };
    assert_eq!((&of_key(":a-2")["items"], &of_key(":a-2")["done"]), (&json!([8, 9]), &json!([2])));
    assert_eq!((&of_key(":a-3")["items"], &of_key(":a-3")["done"]), (&json!([3, 4]), &json!([])));
    // What a person has put away was not billed.
    file.text(&["resolve", "2"], 0);
    let _ = runtime.block_on(put(&inbox, APP, &ended("a-2", "u1", 4203, "")));
    let text = file.text(&["check"], 1);
    assert!(text.contains("-> items 11, against 2, which is done: "), "{text}");
}

/// Each attempt puts it off, so that it is never late.
#[test]
fn check_names_what_has_failed_for_an_hour() {
    let file = File::new("check-failing");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (hour, clock) in [(1, Clock::manual()), (2, Clock::system())] {
        let inbox: Inbox = SqliteInbox::options().clock(clock).open(&file.0).unwrap().into();
        for (call, counted) in [("a", true), ("b", true), ("asked again", false)] {
            let after = Duration::from_secs(100 * 365 * 24 * 60 * 60);
            let error = "the bank is closed".to_owned();
            let body = ended(&format!("{call} {hour}"), "u1", 42, "");
            runtime.block_on(work(&inbox, &body, Outcome::Retry { after, counted, error }));
        }
    }
    let text = file.text(&["check"], 1);
    let found = "failing       2 × the bank is closed\n              -> items 1, 2: mend the cause; \
        each is tried again by itself\nfindings: 1  items looked at: 6\n";
    assert_eq!(text, found);
    assert_eq!(file.json(&["check"], 1)[0]["finding"], "failing");
}

/// Each has a sentence of its own, and nothing is made or changed.
#[test]
fn what_cannot_be_opened_is_one_sentence() {
    let file = File::new("errors");
    let text = sentence(&file.run(&["status"]));
    assert!(text.starts_with(&format!("trtc-call: there is no inbox {}", file.path())), "{text}");
    assert!(!file.0.exists());

    fs::write(&file.0, "a text that is longer than the header of a database".repeat(20)).unwrap();
    let text = sentence(&file.run(&["status"]));
    assert!(text.contains(": not an inbox"), "{text}");

    fs::remove_file(&file.0).unwrap();
    rusqlite::Connection::open(&file.0).unwrap().execute("CREATE TABLE t (a)", ()).unwrap();
    let before = fs::read(&file.0).unwrap();
    for args in [&["inbox", "check"][..], &["listen", "--addr", "127.0.0.1:0"]] {
        let args = [args, &["--inbox", file.path()]].concat();
        let text = sentence(&trtc_call(args).output().unwrap());
        assert!(text.contains(": not an inbox"), "{text}");
    }
    assert_eq!(fs::read(&file.0).unwrap(), before);

    let text = sentence(&file.command(&["list"]).args(["--since", "noon"]).output().unwrap());
    assert!(text.contains("the value of --since <TIME> is not allowed"), "{text}");
    let url = "postgres://user:secret@host/db";
    for args in [["inbox", "status"], ["listen", "--json"]] {
        let text = sentence(&trtc_call(args).args(["--inbox", url]).output().unwrap());
        assert!(text.contains("no PostgreSQL") && !text.contains("secret"), "{text}");
    }
    let text = sentence(&trtc_call(["inbox", "status"]).output().unwrap());
    assert!(text.contains("there is no inbox: --inbox PATH names one, or INBOX"), "{text}");
    let text = sentence(&trtc_call(["inbox", "status"]).env("INBOX", "").output().unwrap());
    assert!(text.contains("INBOX must be a value"), "{text}");
}

#[test]
fn a_file_of_the_future_and_a_locked_one_are_one_sentence() {
    let file = filled("future");
    let connection = rusqlite::Connection::open(&file.0).unwrap();
    connection.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let text = sentence(&file.run(&["status"]));
    assert!(text.contains("somebody else has been writing to it for too long"), "{text}");
    connection.execute_batch("ROLLBACK").unwrap();
    stdout(&file.run(&["status"]), 0);

    connection.execute("UPDATE trtc_call_schema SET version = 99, oldest = 98", ()).unwrap();
    let text = sentence(&file.run(&["status"]));
    assert!(
        text.contains("version 99") && text.contains("a later version of this command"),
        "{text}"
    );
}

#[test]
fn the_environment_names_the_inbox() {
    let file = filled("environment");
    let run = |app: &str| {
        let mut command = trtc_call(["inbox", "list", "--call-id", "a-1", "--json"]);
        command.env("INBOX", file.path()).env("SDK_APP_ID", app).output().unwrap()
    };
    assert!(stdout(&run(OTHER_APP), 0).contains("\"id\":7,"));
    stdout(&run("7"), 1);
}

/// Two bodies of one call, and one that nobody can read, kept and told.
#[test]
fn listen_keeps_what_it_acknowledges() {
    let file = File::new("listen");
    let start = |more: &[&str]| Listen::start(&[&["--inbox", file.path()], more].concat());
    let call = ["--token", TOKEN, "--call-id", "a-1", "--start-time", "1741231146"];
    let body = file.0.with_extension("json");
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
    let states = ["disputed", "disputed", "waiting"].map(str::to_owned);
    assert_eq!(file.states(), [1, 2, 3].into_iter().zip(states).collect::<Vec<_>>());
}

/// What is stored is acknowledged, whoever reads the lines.
#[test]
fn a_reader_that_stalls_does_not_keep_it_from_storing() {
    let file = File::new("stalled");
    let listen = Listen::start(&["--json", "--inbox", file.path()]);
    let more = ["--token", TOKEN, "--count", "1000", "--concurrency", "50", "--timeout", "20"];
    stdout(&send(&listen.url, &more), 0);
    let started = Instant::now();
    let (status, stderr) = listen.stop_unread("-TERM");
    assert_eq!(status, Some(0));
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    let says = "nobody reads standard output: lines are left out, and their callbacks stored\n";
    assert_eq!(stderr, says);
    let status = file.json(&["status"], 0).remove(0);
    assert_eq!(status["apps"][0]["waiting"], 1000);
}

#[test]
fn a_callback_that_cannot_be_stored_is_not_acknowledged() {
    let file = File::new("unstored");
    let listen = Listen::start(&["--inbox", file.path()]);
    for name in ["callbacks.db", "callbacks.db-wal", "callbacks.db-shm"] {
        let _ = fs::remove_file(file.0.with_file_name(name));
    }
    fs::remove_dir(file.0.parent().unwrap()).unwrap();
    let text = stdout(&send(&listen.url, &["--token", TOKEN]), 1);
    assert!(text.contains("HTTP 500"), "{text}");
    let (_, _, stderr) = listen.stop("-TERM");
    assert!(stderr.contains("a callback is not stored: "), "{stderr}");
}
