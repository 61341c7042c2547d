//! Inboxes in a SQLite file and in a PostgreSQL database, and what is in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use conformance::postgres::{Database, Server};
use serde_json::Value;
use tokio::runtime::Runtime;
use trtc_call_inbox::store::{LeaseRequest, Outcome, Settlement};
use trtc_call_inbox::{Acceptance, Clock, DoneAs, Inbox};
use trtc_call_inbox_postgres::PostgresInbox;
use trtc_call_inbox_sqlite::SqliteInbox;
use trtc_call_webhook::adapter::{Receipt, RequestHead};
use trtc_call_webhook::{SdkApp, Undecoded, Verifier};

use crate::common::{APP, lines, stdout, trtc_call};

/// Another app, which has items too.
pub(crate) const OTHER_APP: &str = "1400000002";

/// Stands in the URL of every database, and nowhere in what is printed. Servers of the tests ask for none.
pub(crate) const PASSWORD: &str = "s3cret";

#[derive(Clone, Copy)]
pub(crate) enum Store {
    Sqlite,
    Postgres(&'static Server),
}

/// An inbox of a test's own, with a folder that goes with it.
pub(crate) struct Kept {
    folder: PathBuf,
    /// Where it is not in the folder.
    pub(crate) database: Option<Database>,
    /// What names it.
    pub(crate) name: String,
}

impl Store {
    /// Where there is none yet.
    pub(crate) fn empty(self, name: &str) -> Kept {
        let folder = format!("trtc-call-inbox-{}-{name}-{}", self.word(), std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(&folder).unwrap();
        match self {
            Self::Sqlite => {
                let name = folder.join("callbacks.db").to_str().unwrap().to_owned();
                Kept { folder, database: None, name }
            }
            Self::Postgres(server) => {
                let name = format!("command_{}", name.replace('-', "_"));
                let database = block_on(server.database(&name));
                let name = with_password(database.url());
                Kept { folder, database: Some(database), name }
            }
        }
    }

    /// 1 is dead, 2 done, 3 waits, 4 does not decode, 5 is another app's, and 6 and its rival are disputed.
    /// A database leaves out numbers, where it finds out that there is a dispute.
    pub(crate) fn filled(self, name: &str) -> Kept {
        let kept = self.empty(name);
        kept.with(async |inbox| {
            let error = "no tariff\u{1b}[2J".to_owned();
            work(&inbox, &ended("a-1", "u1", 42, ""), Outcome::Dead { error }).await;
            work(&inbox, &ended("a-2", "u1", 42, ""), Outcome::Done(DoneAs::Handled)).await;
            let _ = put(&inbox, APP, &ended("a-5", "u5", 42, r#","Tariff":{"Night":1.0}"#)).await;
            let _ = put(&inbox, APP, r#"{"CallRecord":"#).await;
            let _ = put(&inbox, OTHER_APP, &ended("a-1", "u1", 42, "")).await;
            for seconds in [42, 43] {
                let _ = put(&inbox, APP, &ended("a-3", "u1", seconds, "")).await;
            }
        });
        kept
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }
}

impl Kept {
    /// The path of its file.
    pub(crate) fn file(&self) -> &Path {
        Path::new(&self.name)
    }

    /// A file for something else.
    pub(crate) fn file_beside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Works on it as a server does.
    pub(crate) fn with<T>(&self, work: impl AsyncFnOnce(Inbox) -> T) -> T {
        self.with_clock(None, work)
    }

    /// The same, long ago.
    pub(crate) fn with_long_ago<T>(&self, work: impl AsyncFnOnce(Inbox) -> T) -> T {
        self.with_clock(Some(Clock::manual()), work)
    }

    fn with_clock<T>(&self, clock: Option<Clock>, work: impl AsyncFnOnce(Inbox) -> T) -> T {
        block_on(async {
            if self.database.is_none() {
                let options = SqliteInbox::options().clock(clock.unwrap_or_else(Clock::system));
                return work(options.open(&self.name).unwrap().into()).await;
            }
            let inbox = PostgresInbox::connect(&self.name).await.unwrap();
            inbox.set_test_time(clock.map(|clock| clock.now())).await.unwrap();
            let done = work(inbox.clone().into()).await;
            inbox.set_test_time(None).await.unwrap();
            done
        })
    }

    /// Has it disappear while it is in use.
    pub(crate) fn remove(&self) {
        match &self.database {
            None => fs::remove_dir_all(&self.folder).unwrap(),
            Some(database) => block_on(database.run("DROP SCHEMA trtc_call CASCADE")),
        }
    }

    /// A command on this inbox.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        trtc_call([&["inbox"], args, &["--inbox", &self.name]].concat())
    }

    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        without_password(self.command(args).output().unwrap())
    }

    /// What it prints for people, if it ends with this status.
    #[track_caller]
    pub(crate) fn text(&self, args: &[&str], status: i32) -> String {
        stdout(&self.run(args), status)
    }

    /// The objects that it prints for machines.
    #[track_caller]
    pub(crate) fn json(&self, args: &[&str], status: i32) -> Vec<Value> {
        let output = self.run(&[args, &["--json"]].concat());
        stdout(&output, status);
        lines(&output).into_iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The numbers of items.
    #[track_caller]
    pub(crate) fn ids(&self, filter: &[&str]) -> Vec<i64> {
        let items = self.json(&[&["list"], filter].concat(), 0);
        items.iter().map(|item| item["id"].as_i64().unwrap()).collect()
    }

    /// The number of what contradicts item 6.
    #[track_caller]
    pub(crate) fn rival(&self) -> i64 {
        self.ids(&["--call-id", "a-3"])[1]
    }

    /// The number of what came last.
    #[track_caller]
    pub(crate) fn newest(&self) -> i64 {
        *self.ids(&[]).last().unwrap()
    }

    /// The numbers and states of all items.
    pub(crate) fn states(&self) -> Vec<(i64, String)> {
        let items = self.json(&["list"], 0);
        let state = |item: &Value| {
            (item["id"].as_i64().unwrap(), item["state"].as_str().unwrap().to_owned())
        };
        items.iter().map(state).collect()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    Runtime::new().unwrap().block_on(work)
}

fn with_password(url: &str) -> String {
    match url.split_once('@') {
        Some((user, server)) if user.matches(':').count() == 1 => {
            format!("{user}:{PASSWORD}@{server}")
        }
        _ => url.to_owned(),
    }
}

/// The output, in which no password stands.
#[track_caller]
pub(crate) fn without_password(output: Output) -> Output {
    for text in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(text);
        assert!(!text.contains(PASSWORD), "{text}");
    }
    output
}

/// An ended call's body.
pub(crate) fn ended(call_id: &str, caller: &str, seconds: i64, more: &str) -> String {
    let [start, end] = [1_741_231_146, 1_741_231_146 + seconds];
    format!(
        r#"{{"CallRecord":{{"CallId":"{call_id}","Caller_Account":"{caller}",
        "CallResult":"NormalEnd","AcceptTime":{start},"EndTime":{end}{more}}}}}"#
    )
}

pub(crate) async fn put(inbox: &Inbox, app: &str, body: &str) -> Acceptance {
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
pub(crate) async fn work(inbox: &Inbox, body: &str, outcome: Outcome) {
    assert!(matches!(put(inbox, APP, body).await, Acceptance::Stored));
    let request = LeaseRequest::new(1, 1, Duration::from_secs(30), 5);
    let leased = inbox.store().lease(request).await.unwrap();
    let lease = leased.items[0].lease;
    assert_eq!(inbox.store().settle(vec![Settlement { lease, outcome }]).await.unwrap(), [true]);
}
