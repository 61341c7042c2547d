//! The billing example, driven from outside: what it acknowledged is in its inbox, and what is in there is
//! billed exactly once, whenever it is killed and whatever becomes of its file.

#![cfg(unix)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use conformance::PATH;
use conformance::billing::{self, DAY, bill, body, health, not_stored, post, post_to};
use conformance::books::{Bill, Books};
use conformance::crashes::{self, Plan};
use conformance::driver::in_time;
use conformance::example::{Example, TOKEN};
use conformance::postgres::Server;
use conformance::programs::{BILLING, Programs, built, output};
use conformance::raw::{QUERY, Raw, head, ok, whole};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Makes a test of each function, which takes books of its own.
macro_rules! tests {
    ($module:ident, $books:ident: $($test:ident)*) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    let Some(books) = super::$books(stringify!($test)).await else { return };
                    super::in_time(super::$test(books)).await;
                }
            )*
        }
    };
    (any: $($any:ident)*; file: $($in_file:ident)*) => {
        tests! { example_billing, in_a_file: $($any)* $($in_file)* }
        tests! { example_billing_in_postgres, in_postgres: $($any)* }
    };
}

tests! {
    any:
    a_call_is_a_row_and_a_line_of_json
    what_the_callback_does_not_tell_is_not_billed
    what_is_acknowledged_is_billed_after_a_kill
    many_at_once_are_all_stored
    a_repeated_delivery_is_billed_once
    a_handler_that_fails_is_tried_again
    a_dispute_is_decided_by_a_person
    a_correction_takes_the_bills_place
    any_body_is_kept_byte_for_byte
    a_stalled_reader_stops_no_bill
    refused_requests_are_counted_and_not_kept
    a_request_in_flight_is_stored_before_it_stops
    a_bill_in_the_making_is_given_back;

    file:
    what_does_not_fit_on_the_disk_is_not_acknowledged
    a_file_that_is_removed_is_made_anew
    an_inbox_that_cannot_be_opened_ends_it_with_status_2
    a_variable_that_cannot_be_meant_ends_it_with_status_2
}

fn programs() -> &'static Programs {
    Programs::build(env!("CARGO_TARGET_TMPDIR"))
}

async fn in_a_file(test: &str) -> Option<Books> {
    Some(books(test))
}

async fn in_postgres(test: &str) -> Option<Books> {
    let _ = programs();
    let database = Server::shared()?.database(test).await;
    let url = database.url().to_owned();
    Some(Books::in_database(database, url))
}

fn books(test: &str) -> Books {
    let name = built(BILLING, env!("CARGO_TARGET_TMPDIR"));
    Books::new(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).join(test))
}

fn start(books: &Books) -> Example {
    start_with(books, &[])
}

fn start_with(books: &Books, switches: &[(&str, &str)]) -> Example {
    billing::start_with(programs(), books, switches)
}

/// What `trtc-call inbox` prints about an inbox, with its exit status.
fn inbox(books: &Books, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = programs().command("trtc-call");
    command.arg("inbox").args(arguments).args(["--inbox", books.inbox()]);
    let output = output(command, b"");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The numbers of the items in a state.
fn items(books: &Books, state: &str) -> Vec<String> {
    let (_, lines) = inbox(books, &["list", "--state", state, "--json"]);
    let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].to_string();
    lines.lines().map(id).collect()
}

async fn a_call_is_a_row_and_a_line_of_json(books: Books) {
    let example = start(&books);
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
    ] {
        let body = json!({ "CallRecord": record }).to_string();
        assert_eq!(post(example.address(), body).await, ok());
        assert_eq!(example.line(), line);
    }
    let text = |text: &str| Some(text.to_owned());
    let expected = [
        Bill { caller: text("x"), result: text("NormalEnd"), ..bill("a", 7) },
        Bill { result: text("NotAnswer"), ..bill("b", 0) },
    ];
    assert_eq!(books.bills(), expected);
    example.stops();
}

async fn what_the_callback_does_not_tell_is_not_billed(books: Books) {
    let example = start(&books);
    for (id, result) in [("c", "NormalEnd"), ("d", "NewResult")] {
        let record = json!({ "CallId": id, "CallResult": result, "EndTime": 12 });
        let body = json!({ "CallRecord": record }).to_string();
        assert_eq!(post(example.address(), body).await, ok());
    }
    books.until("they are dead", |books| books.count("dead") == 2).await;
    assert_eq!(books.billed(), [""; 0]);
    let (status, text) = inbox(&books, &["check"]);
    assert!(status == Some(1) && text.contains("ask the vendor's record API"), "{text}");
    example.stops();
}

async fn what_is_acknowledged_is_billed_after_a_kill(books: Books) {
    let ids = ["a", "b", "c", "d", "e"];
    for id in ids {
        let example = start(&books);
        assert_eq!(post(example.address(), body(id, 9)).await, ok());
        let ended = example.stop("-KILL");
        assert_eq!(ended.status, None);
        assert!(books.holds(body(id, 9)));
    }
    let example = start(&books);
    // Some of them may be leased still by a process that is no more.
    books.until_billed(ids.len()).await;
    assert_eq!(books.bills(), ids.map(|id| bill(id, 4)));
    drop(example.stop("-TERM"));
}

async fn many_at_once_are_all_stored(books: Books) {
    let example = programs().start_unread(BILLING, &[("INBOX", books.inbox())]);
    let mut posts = JoinSet::new();
    let ids: Vec<String> = (0..200).map(|number| format!("{number:03}")).collect();
    for id in &ids {
        let (address, body) = (example.address(), body(id, 9));
        posts.spawn(async move { post(address, body).await });
    }
    assert!(posts.join_all().await.iter().all(|answer| *answer == ok()));
    // That nobody reads the lines does not matter.
    books.until_billed(ids.len()).await;
    assert_eq!(books.billed(), ids);
    let ended = example.stop("-TERM");
    assert!(ended.stderr.contains("billed, but not printed"), "{ended:?}");
}

async fn a_repeated_delivery_is_billed_once(books: Books) {
    // Another body may be the same event.
    let again = body("a", 9).replace(':', " : ");
    for id in ["a", "b"] {
        let example = start(&books);
        for body in [body(id, 9), body("a", 9), again.clone()] {
            assert_eq!(post(example.address(), body).await, ok());
        }
        assert_eq!(example.line()["call_id"], id);
        example.stops();
    }
    assert_eq!(books.bills(), [bill("a", 4), bill("b", 4)]);
    assert_eq!((books.count("done"), books.count("disputed")), (2, 0));
}

async fn a_handler_that_fails_is_tried_again(books: Books) {
    let example = start_with(&books, &[("BILL_FAIL_FIRST", "2")]);
    assert_eq!(post(example.address(), body("a", 9)).await, ok());
    assert_eq!(example.line()["seconds"], 4);
    assert_eq!(books.bills(), [bill("a", 4)]);
    example.stops();
}

/// Two bodies of one key that come before either is billed.
async fn a_dispute_is_decided_by_a_person(books: Books) {
    // Nothing is billed before the dispute is there.
    let example = start_with(&books, &[("BILL_FAIL_FIRST", "1000000")]);
    for (id, end_time) in [("a", 9), ("b", 9), ("a", 9999)] {
        assert_eq!(post(example.address(), body(id, end_time)).await, ok());
    }
    // One that is in somebody's hands at that moment is marked when it is due again, in PostgreSQL.
    books.until("both are disputed", |books| books.count("disputed") == 2).await;
    example.stops();
    let disputed = items(&books, "disputed");
    assert_eq!(disputed.len(), 2);
    let example = start(&books);
    assert_eq!(example.line()["call_id"], "b");
    let (status, said) = inbox(&books, &["resolve", &disputed[1]]);
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(example.line()["seconds"], 9994);
    example.stops();
    assert_eq!(books.bills(), [bill("a", 9994), bill("b", 4)]);
    assert_eq!((books.count("done"), books.count("disputed")), (3, 0));
}

/// Two bodies of one key, of which the first was billed.
async fn a_correction_takes_the_bills_place(books: Books) {
    let example = start(&books);
    assert_eq!(post(example.address(), body("a", 9)).await, ok());
    assert_eq!(example.line()["seconds"], 4);
    assert_eq!(post(example.address(), body("a", 9999)).await, ok());
    assert_eq!(books.bills(), [bill("a", 4)]);
    let [disputed] = items(&books, "disputed").try_into().unwrap();
    assert_eq!(inbox(&books, &["resolve", &disputed]).0, Some(0));
    assert_eq!(example.line()["seconds"], 9994);
    assert_eq!(books.bills(), [bill("a", 9994)]);
    let ended = example.stops();
    assert!(ended.stderr.contains("WARN"), "a person has to hear of it: {ended:?}");
}

async fn any_body_is_kept_byte_for_byte(books: Books) {
    let example = start(&books);
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let bodies = [&b""[..], b"\n", &every_byte, b"{\"CallRecord\":{}}"];
    for body in bodies {
        assert_eq!(post(example.address(), body).await, ok());
        assert!(books.holds(body), "{body:?}");
    }
    for other in ["CallbackAfterStartCall", "CallbackAfterMemberChanged", "Unheard%0aOf"] {
        let query = QUERY.replace("CallbackAfterEndCall", other);
        assert_eq!(post_to(example.address(), &query, body("a", 9)).await, ok());
    }
    assert_eq!(post(example.address(), body("a", 9)).await, ok());
    assert_eq!(example.line()["call_id"], "a");
    books.until("they are dead", |books| books.count("dead") == bodies.len()).await;
    books.until("no other waits", |books| books.count("done") == 4).await;
    example.stops();
}

async fn a_stalled_reader_stops_no_bill(books: Books) {
    let example = programs().start_stalled(BILLING, &[("INBOX", books.inbox())]);
    let long = "x".repeat(20_000);
    for number in 0..20 {
        let body = body(&format!("{number:02}{long}"), 9);
        assert_eq!(post(example.address(), body).await, ok());
    }
    books.until_billed(20).await;
    assert_eq!(health(&example).await, 200);
    assert_eq!(example.stop("-TERM").status, Some(0));
}

/// A limit of the process's own stands in for a disk that is nearly full.
async fn what_does_not_fit_on_the_disk_is_not_acknowledged(books: Books) {
    // Without the signal, a write beyond the limit fails half way.
    let mut command = programs().command_after("trap '' XFSZ && ulimit -f 400", BILLING);
    command.env("ADDR", "127.0.0.1:0").env("INBOX", books.inbox());
    let example = Example::start(command).unwrap();
    let mut kept = Vec::new();
    let full = loop {
        let body = body(&format!("{}-{}", kept.len(), "x".repeat(10_000)), 9);
        let answer = post(example.address(), &body).await;
        if answer != ok() {
            assert_eq!(answer, not_stored());
            break body;
        }
        kept.push(body);
        assert!(kept.len() < 200, "there is no limit");
    };
    assert!(!books.holds(&full));
    drop(example.stop("-KILL"));

    // There is room again.
    let example = start(&books);
    assert_eq!(post(example.address(), &full).await, ok());
    kept.push(full);
    assert!(kept.iter().all(|body| books.holds(body)));
    books.until_billed(kept.len()).await;
    assert!(books.bills().iter().all(|bill| bill.times_billed == 1));
    example.stop("-TERM").status.unwrap();
}

async fn a_file_that_is_removed_is_made_anew(books: Books) {
    let example = start(&books);
    assert_eq!(post(example.address(), body("a", 9)).await, ok());
    assert_eq!(example.line()["call_id"], "a");
    for ending in ["", "-wal", "-shm"] {
        fs::remove_file(format!("{}{ending}", books.path())).unwrap();
    }
    // What is acknowledged now must be in the file that the next start will open.
    loop {
        let answer = post(example.address(), body("b", 9)).await;
        if answer == ok() {
            break;
        }
        assert_eq!(answer, not_stored());
    }
    assert!(books.holds(body("b", 9)));
    drop(example.stop("-KILL"));
}

async fn an_inbox_that_cannot_be_opened_ends_it_with_status_2(books: Books) {
    let folder = Path::new(books.path()).parent().unwrap().to_str().unwrap();
    let foreign = format!("{folder}/foreign");
    fs::write(&foreign, "not a database").unwrap();
    let missing = format!("{folder}/missing/inbox");
    let urls = ["postgres://u:pw@127.0.0.1:1/db", "postgers://u:pw@127.0.0.1:1/db"];
    for path in ["", folder, &missing, &foreign].into_iter().chain(urls) {
        let mut command = programs().command(BILLING);
        command.env("ADDR", "127.0.0.1:0").env("CALLBACK_TOKEN", TOKEN).env("INBOX", path);
        let ended = Example::start(command).unwrap_err();
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
        // The store may have logged what it met before.
        let logged = |line: &&str| line.contains(" WARN ");
        let said: Vec<&str> = ended.stderr.lines().skip_while(logged).collect();
        assert!(said.len() == 1 && said[0].contains("INBOX"), "{ended:?}");
        assert!(!ended.stderr.contains("pw"), "{ended:?}");
    }
    assert_eq!(fs::read(&foreign).unwrap(), b"not a database");
    // Nobody else may read the user ids in it.
    start(&books).stops();
    let mode = fs::metadata(books.path()).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, Permissions::from_mode(0o600).mode());
}

async fn a_variable_that_cannot_be_meant_ends_it_with_status_2(books: Books) {
    let wrong: [&[(&str, &str)]; 8] = [
        &[("BILL_FAIL_FIRST", "x")],
        &[("BILL_DELAY_MS", "-1")],
        &[("CONFIRM", "perhaps")],
        &[("CONFIRM", "")],
        // Nobody could be asked.
        &[("CONFIRM", "always")],
        &[("TRTC_SECRET_KEY", "")],
        &[("TRTC_SECRET_KEY", "hidden\n")],
        &[("TRTC_API_URL", "example.com"), ("TRTC_SECRET_KEY", "hidden")],
    ];
    for variables in wrong {
        let name = variables[0].0;
        let mut command = programs().command(BILLING);
        command.env("ADDR", "127.0.0.1:0").env("INBOX", books.inbox());
        command.envs(variables.iter().copied());
        let ended = Example::start(command).unwrap_err();
        assert_eq!(ended.status, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(name), "{ended:?}");
        assert!(!ended.stderr.contains("hidden"), "{ended:?}");
        assert!(!fs::exists(books.path()).unwrap(), "it is seen before anything is made");
    }
}

async fn refused_requests_are_counted_and_not_kept(books: Books) {
    let example = start_with(&books, &[("CALLBACK_TOKEN", TOKEN)]);
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
    assert_eq!(inbox(&books, &["list"]).0, Some(1));
}

async fn a_request_in_flight_is_stored_before_it_stops(books: Books) {
    let example = start(&books);
    let body = body("a", 9);
    let mut raw = Raw::connect(example.address()).await;
    let headers = format!("Content-Length: {}\r\nExpect: 100-continue\r\n", body.len());
    raw.send(head(QUERY, &headers)).await;
    assert_eq!(raw.answer().await.status, 100);
    example.signal("-TERM");
    raw.send(&body).await;
    assert_eq!(raw.answer().await, ok());
    assert_eq!(example.ended().status, Some(0));
    assert!(books.holds(&body));
    let example = start(&books);
    books.until_billed(1).await;
    assert_eq!(example.stop("-TERM").status, Some(0));
}

/// A handler that takes longer than the stop waits for loses nothing: the next process bills at once.
async fn a_bill_in_the_making_is_given_back(books: Books) {
    let example = start_with(&books, &[("BILL_DELAY_MS", "600000")]);
    assert_eq!(post(example.address(), body("a", 9)).await, ok());
    books.until("it is worked", |books| books.count("leased") == 1).await;
    assert_eq!(example.stop("-TERM").status, Some(0));
    assert_eq!(books.count("waiting"), 1);
    let example = start(&books);
    assert_eq!(example.line()["seconds"], 4);
    example.stops();
    assert_eq!(books.bills(), [bill("a", 4)]);
}

/// Runs for half a minute more than it kills: so long are the leases of killed processes.
async fn nothing_is_lost(books: Books, processes: usize) {
    let plan = Plan { kills: 150, processes, seed: 0x5eed };
    let outcome = crashes::run(programs(), &books, plan).await;
    println!("{plan:?}: {outcome:?}");
    assert!(outcome.is_right(), "{outcome:?}");
    assert!(outcome.acknowledged > 150, "the processes did hardly anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_is_billed_once_whenever_the_process_is_killed() {
    nothing_is_lost(books("crashes"), 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_one_file_serve_and_work_while_one_is_killed() {
    nothing_is_lost(books("crashes_of_two"), 2).await;
}
