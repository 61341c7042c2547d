//! The axum server with the inbox, and without: each is a process on core 0, and `wrk` loads it from
//! core 1.

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use axum::Router;
use axum::extract::{FromRef, State};
use axum::routing::post;
use axum::serve::ListenerExt;
use tempfile::tempdir_in;
use tokio::net::TcpListener;
use trtc_call_inbox::Inbox;
use trtc_call_inbox_sqlite::SqliteInbox;
use trtc_call_webhook_axum::{Ack, Undecoded, Verifier, Webhook};

use crate::Result;
use crate::callbacks::{self, Callbacks};
use crate::scale::Scale;

const PATH: &str = "/callback";
const CONNECTIONS: &str = "64";

/// What a server did in each turn.
#[derive(Default)]
pub(crate) struct Served {
    pub(crate) per_second: Vec<f64>,
    /// Percentiles of the latency in milliseconds: 50, 99, 99.9.
    pub(crate) latency: [Vec<f64>; 3],
}

/// The server that stores, and the one that does not; nothing without `wrk` or `taskset`.
pub(crate) fn measure(
    scale: &Scale,
    callbacks: &Callbacks,
    folder: &Path,
) -> Result<Option<[Served; 2]>> {
    let is_there = |program: &str, argument: &str| {
        let quiet = || Stdio::null();
        Command::new(program).arg(argument).stdout(quiet()).stderr(quiet()).status().is_ok()
    };
    if !is_there("wrk", "-v") || !is_there("taskset", "-V") {
        return Ok(None);
    }
    let mut served = [Served::default(), Served::default()];
    for _ in 0..scale.rounds {
        let folder = tempdir_in(folder)?;
        let inboxes = [Some(folder.path().join("inbox")), None];
        for (inbox, served) in inboxes.iter().zip(&mut served) {
            let server = Server::start(inbox.as_deref())?;
            server.load(callbacks, scale.beside.as_secs().clamp(1, 2), served)?;
        }
    }
    Ok(Some(served))
}

/// A running server; it ends when this is dropped.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(inbox: Option<&Path>) -> Result<Self> {
        let mut child = Command::new("taskset")
            .args(["-c", "0"])
            .arg(env::current_exe()?)
            .arg("serve")
            .args(inbox)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut address)?;
        Ok(Self { child, url: format!("http://{}{PATH}", address.trim()) })
    }

    fn load(&self, callbacks: &Callbacks, seconds: u64, served: &mut Served) -> Result<()> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/load.lua");
        let mut wrk = Command::new("taskset")
            .args(["-c", "1", "wrk", "--threads", "1", "--connections", CONNECTIONS])
            .args(["--duration", &format!("{seconds}s"), "--script", script])
            .args([&format!("{}?{}", self.url, callbacks.query()), "--", callbacks.body()])
            .arg(format!("{:08x}", fastrand::u32(..)))
            .stdout(Stdio::piped())
            .spawn()?;
        let mut text = String::new();
        wrk.stdout.take().expect("a pipe").read_to_string(&mut text)?;
        wrk.wait()?;
        let figures = text.lines().find_map(|line| line.strip_prefix("figures "));
        let figures = figures.unwrap_or_default().split(' ').filter_map(|it| it.parse().ok());
        let &[requests, failed, micros, p50, p99, p99_9] = &*figures.collect::<Vec<f64>>() else {
            return Err(text.into());
        };
        if requests == 0.0 || failed > 0.0 {
            return Err(format!("{failed} of {requests} requests failed").into());
        }
        served.per_second.push(requests / micros * 1e6);
        for (of, value) in served.latency.iter_mut().zip([p50, p99, p99_9]) {
            of.push(value / 1e3);
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

#[derive(Clone)]
struct AppState {
    inbox: Option<Inbox>,
    verifier: Verifier,
}

impl FromRef<AppState> for Verifier {
    fn from_ref(state: &AppState) -> Self {
        state.verifier.clone()
    }
}

async fn on_callback(State(state): State<AppState>, Webhook(callback): Webhook<Undecoded>) -> Ack {
    match state.inbox {
        Some(inbox) => inbox.accept(&callback).await.into(),
        None => Ack::ok(),
    }
}

/// Serves for ever; prints the address first.
pub(crate) async fn serve(inbox: Option<PathBuf>) -> Result<()> {
    let inbox = inbox.map(SqliteInbox::open).transpose()?.map(Inbox::from);
    let state = AppState { inbox, verifier: callbacks::verifier()? };
    let router = Router::new().route(PATH, post(on_callback)).with_state(state);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("it can be set"));
    Ok(axum::serve(listener, router).await?)
}
