//! A whole deployment at home: the vendor that `trtc-call vendor` plays, with callbacks that are lost,
//! repeated, late and forged, and the billing example, which believes nobody.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{SystemTime, UNIX_EPOCH};

use conformance::books::Books;
use conformance::chapter;
use conformance::example::{APP, Example};
use conformance::postgres::Server;
use conformance::programs::{BILLING, Programs, built, output};
use conformance::raw::Raw;
use serde_json::{Value, json};
use trtc_call_webhook::{CallEnded, Command as Callback, decode};

/// Of no app.
const SECRET: &str = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";

const TRTC_CALL: &str = "trtc-call";

fn programs() -> &'static Programs {
    Programs::build(env!("CARGO_TARGET_TMPDIR"))
}

/// What there is of it.
struct Deployment {
    books: Books,
    state: String,
    confirm: &'static str,
    vendor: Example,
    servers: Vec<Example>,
}

impl Deployment {
    fn new(books: Books, folder: &Path, confirm: &'static str, servers: usize) -> Self {
        let state = folder.join("vendor.jsonl").to_str().expect("UTF-8").to_owned();
        let _ = std::fs::remove_file(&state);
        let any = "127.0.0.1:0".parse().expect("an address");
        let vendor = vendor(any, &state);
        let servers = (0..servers).map(|_| server(any, &books, &vendor, confirm)).collect();
        Self { books, state, confirm, vendor, servers }
    }

    /// The command, with what it has to know of the vendor.
    fn run(&self, args: &[&str]) -> Output {
        let mut command = programs().command(TRTC_CALL);
        command.args(args).env("SDK_APP_ID", APP.to_string());
        command.env("TRTC_SECRET_KEY", SECRET).env("TRTC_API_URL", self.vendor.url());
        output(command, b"")
    }

    /// Runs a command that succeeds, and gives its lines of JSON.
    fn json(&self, args: &[&str]) -> Vec<Value> {
        let output = self.run(args);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {text}");
        let lines = String::from_utf8(output.stdout).expect("UTF-8");
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    fn switch_on(&self) {
        let url = self.servers[0].url();
        self.json(&["callback", "set", "--url", url, "--command", "CallEnded", "--yes", "--json"]);
    }

    /// Calls that ended a quarter of an hour ago, and one second after the other.
    async fn calls(&self, numbers: std::ops::Range<u64>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs();
        let results = ["NormalEnd", "NormalEnd", "Cancel", "NotAnswer", "Interrupt"];
        let calls: Vec<Value> = numbers
            .map(|number| {
                let (end, talked) = (now - 900 - number % 100, 10 + number % 50);
                let result = results[usize::try_from(number).expect("a number") % results.len()];
                let accepted = if result == "NormalEnd" { end - talked } else { 0 };
                json!({
                    "CallId": format!("call-{number}"), "Caller_Account": format!("user-{number}"),
                    "StartTime": end - talked - 5, "AcceptTime": accepted, "EndTime": end,
                    "CallResult": result,
                })
            })
            .collect();
        let calls = Value::from(calls).to_string();
        let mut raw = Raw::connect(self.vendor.address()).await;
        let length = calls.len();
        raw.send(format!(
            "POST /calls HTTP/1.1\r\nHost: vendor\r\nContent-Length: {length}\r\n\r\n"
        ))
        .await;
        raw.send(calls).await;
        assert_eq!(raw.answer().await.status, 200);
    }

    /// What each call costs, by the vendor's records.
    async fn truth(&self) -> BTreeMap<String, Option<i64>> {
        let mut raw = Raw::connect(self.vendor.address()).await;
        raw.send("GET /calls HTTP/1.1\r\nHost: vendor\r\n\r\n").await;
        let records: Value = serde_json::from_slice(&raw.answer().await.body).expect("JSON");
        let price = |record: &Value| {
            let body = json!({ "CallRecord": record }).to_string();
            let call = decode::<CallEnded>(Some(&Callback::CallEnded), body.as_bytes());
            let call = call.expect("a record").expect("an end");
            let seconds = call.billing().seconds().and_then(|seconds| seconds.try_into().ok());
            (call.call_id, seconds)
        };
        records.as_array().expect("a list").iter().map(price).collect()
    }

    /// Kills everything without a word, and starts it again where it was.
    fn restart(&mut self) {
        let addresses: Vec<SocketAddr> = self.servers.iter().map(Example::address).collect();
        for server in self.servers.drain(..) {
            let _ = server.stop("-KILL");
        }
        let address = self.vendor.address();
        self.vendor.signal("-KILL");
        while std::net::TcpStream::connect(address).is_ok() {
            std::thread::yield_now();
        }
        self.vendor = vendor(address, &self.state);
        for address in addresses {
            self.servers.push(server(address, &self.books, &self.vendor, self.confirm));
        }
    }

    fn reconcile(&self) -> Value {
        let inbox = self.books.inbox();
        let args =
            ["reconcile", "--inbox", inbox, "--confirm", self.confirm, "--since", "1h", "--json"];
        self.json(&args).remove(0)
    }

    fn bills(&self) -> BTreeMap<String, Option<i64>> {
        let bills = self.books.bills();
        for bill in &bills {
            assert_eq!(bill.times_billed, 1, "{bill:?}");
        }
        bills.into_iter().map(|bill| (bill.call_id, bill.seconds)).collect()
    }
}

fn vendor(address: SocketAddr, state: &str) -> Example {
    let mut command = programs().command(TRTC_CALL);
    command.args(["vendor", "--json", "--state", state, "--seed", "15"]);
    command.args(["--lose", "0.2", "--repeat", "0.2", "--reorder", "0.2", "--delay", "1"]);
    command.args(["--forge", "0.3"]);
    started(command, address)
}

fn server(address: SocketAddr, books: &Books, vendor: &Example, confirm: &str) -> Example {
    let mut command = programs().command(BILLING);
    command.env("INBOX", books.inbox()).env("CONFIRM", confirm);
    command.env("TRTC_API_URL", vendor.url());
    started(command, address)
}

fn started(mut command: Command, address: SocketAddr) -> Example {
    command.env("ADDR", address.to_string()).env("SDK_APP_ID", APP.to_string());
    command.env("TRTC_SECRET_KEY", SECRET);
    Example::start(command).unwrap_or_else(|ended| panic!("it does not run: {ended:?}"))
}

/// In the end every true call is billed exactly once, with the true figures, and no forged one.
async fn every_call_is_billed_as_it_was(mut deployment: Deployment) {
    deployment.switch_on();
    deployment.calls(0..500).await;
    // In the middle of it.
    deployment.books.until_billed(50).await;
    deployment.restart();
    deployment.calls(500..1000).await;
    deployment.books.until_billed(500).await;
    // The servers may have found some by then.
    assert_eq!(deployment.reconcile()["records"], 1000);
    assert!(deployment.books.count_where("source = 'record'") > 100);
    deployment.books.until_billed(1000).await;
    let (bills, truth) = (deployment.bills(), deployment.truth().await);
    assert_eq!(bills.len(), 1000);
    assert_eq!(bills, truth);
    // What is forged waits for a record that never comes.
    deployment.books.until("nothing else waits", |books| books.count_open() == 0).await;
    assert!(deployment.books.count("confirming") > 50);
    assert_eq!(deployment.bills(), truth);
}

/// What the guide's chapter on switching on says, at other ports.
#[tokio::test(flavor = "multi_thread")]
async fn the_guides_commands_work() {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("skipped: curl (it is not installed)");
        return;
    }
    let folder = folder("guide");
    let books = Books::new(folder.join("books"));
    let [exports, vendor, server, steps, ..] = &chapter::blocks("switching-on.md", "sh")[..] else {
        panic!("four blocks");
    };
    let shell = |script: &str, vendor: Option<&Example>, server: Option<&Example>| {
        let mut script = format!("{exports}\n{script}");
        for (package, name) in [("trtc-call-cli --", TRTC_CALL), (BILLING, BILLING)] {
            let path = programs().path(name).to_str().expect("UTF-8").to_owned();
            script = script.replace(&format!("cargo run -p {package}"), &format!("exec {path}"));
        }
        for (port, program) in [("8090", vendor), ("8080", server)] {
            if let Some(program) = program {
                script = script.replace(port, &program.address().port().to_string());
            }
        }
        script = script.replace("callbacks.db", books.path());
        let mut command = Command::new("sh");
        // A block is more than one command: those that are not the last must not end it.
        command.args([
            "-e",
            "-c",
            &script.replace("exec ", if server.is_some() { "" } else { "exec " }),
        ]);
        command
    };
    let started = |mut command: Command| {
        command.env("ADDR", "127.0.0.1:0").env("INBOX", books.inbox());
        Example::start(command).unwrap_or_else(|ended| panic!("it does not run: {ended:?}"))
    };
    let vendor = started(shell(vendor, None, None));
    let server = started(shell(server, Some(&vendor), None));
    let output = output(shell(steps, Some(&vendor), Some(&server)), b"");
    let [text, errors] =
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).expect("UTF-8"));
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.contains("lost") && text.contains("forged"), "{text}");
    books.until_billed(2).await;
    assert_eq!(books.billed(), ["came", "lost"]);
    assert_eq!(books.count("confirming"), 1);
    let _ = (server.stop("-TERM"), vendor.stop("-TERM"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_calls_are_billed_as_they_were_in_a_file() {
    let folder = folder("in_a_file");
    let deployment = Deployment::new(Books::new(folder.join("books")), &folder, "always", 1);
    every_call_is_billed_as_it_was(deployment).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_calls_are_billed_as_they_were_in_postgres() {
    let folder = folder("in_postgres");
    let Some(server) = Server::shared() else { return };
    let database = server.database("deployment").await;
    let url = database.url().to_owned();
    let books = Books::in_database(database, url);
    every_call_is_billed_as_it_was(Deployment::new(books, &folder, "always", 2)).await;
}

fn folder(name: &str) -> std::path::PathBuf {
    let _ = built(BILLING, env!("CARGO_TARGET_TMPDIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("deployment").join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}
