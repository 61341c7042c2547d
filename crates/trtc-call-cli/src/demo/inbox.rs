//! The rows about the inbox: callbacks are stored before they are answered, and worked afterwards.

mod scene;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::extract::{FromRef, State};
use axum::routing::any;
use tokio::runtime::Runtime;
use trtc_call_inbox::{Inbox, Job, StoreError};
use trtc_call_inbox_sqlite::SqliteInbox;
use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{CallEnded, CallResult, Token};
use trtc_call_webhook_axum::{Ack, SdkApp, Undecoded, Verifier, Webhook};

pub(super) use self::scene::Scene;
use self::scene::{Diary, SCENES, Trouble};
use super::table::Row;
use super::{LOCALHOST, TIMEOUT, sample};
use crate::client::{Client, Endpoint, Reply};
use crate::failure::Failure;
use crate::sample::new_call_id;
use crate::server::{self, Server};
use crate::settings::SAMPLE_SDK_APP_ID;
use crate::signature::Signature;

/// How long the child has its job before another process takes it: as short as a worker lets it be.
const LEASE: Duration = Duration::from_secs(1);

/// How the child ends in its handler, and not otherwise.
const IN_THE_MIDDLE: u8 = 43;

/// How long the work may take. Most of it is waiting: for the child's lease, and between tries.
const PATIENCE: Duration = Duration::from_secs(9);

/// How often a person looks whether there is something to decide.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Clone)]
struct Backend {
    verifier: Verifier,
    inbox: Inbox,
}

impl FromRef<Backend> for Verifier {
    fn from_ref(backend: &Backend) -> Self {
        backend.verifier.clone()
    }
}

async fn on_callback(State(backend): State<Backend>, Webhook(callback): Webhook<Undecoded>) -> Ack {
    backend.inbox.accept(&callback).await.into()
}

pub(super) fn rows(
    runtime: &Runtime,
    token: &Token,
    client: &mut Client,
) -> Result<Vec<Row>, Failure> {
    let folder = Folder::new()?;
    let path = folder.0.join("callbacks.db");
    let inbox = open(&path)?;
    let app = SdkApp::signed(SAMPLE_SDK_APP_ID, token.clone());
    let verifier = Verifier::builder().app(app).build()?;
    let backend = Backend { verifier, inbox: inbox.clone() };
    let router = Router::new().route(server::PATH, any(on_callback)).with_state(backend);
    let server = Server::bind(LOCALHOST)?;
    let endpoint = Endpoint::parse(&server.url())?;
    runtime.spawn(server.run(router, std::future::pending()));

    let signature = Signature::Right(token.clone());
    let now = SystemTime::now();
    let diary = Diary::default();
    let mut sent = Vec::new();
    for scene in &SCENES {
        let call_id = new_call_id();
        let mut replies = Vec::new();
        for seconds in scene.talks {
            let call = sample(*seconds, now).call_ended(&call_id, CallResult::NormalEnd);
            let request = signature.sign(Request::new(SAMPLE_SDK_APP_ID, call));
            let url = request.url(endpoint.as_str());
            replies.push(runtime.block_on(client.post(&endpoint, &url, request.body()))?);
        }
        // Nothing else is stored yet, so that it is this call's job in which the child ends.
        if scene.trouble == Trouble::Ends && run_child(&path)? {
            diary.add(&call_id, "a process ends in attempt 1");
        }
        diary.trouble(&call_id, scene.trouble);
        sent.push((scene, call_id, replies));
    }
    let calls: Vec<(&Scene, &str)> =
        sent.iter().map(|(scene, call, _)| (*scene, &**call)).collect();
    runtime.block_on(work(&inbox, &diary, &calls))?;
    let row = |(scene, call, replies): (&Scene, String, Vec<Reply>)| {
        Row::of_scene(scene, &replies, diary.story(&call))
    };
    Ok(sent.into_iter().map(row).collect())
}

/// Works everything, and has a person decide what waits for one.
async fn work(inbox: &Inbox, diary: &Diary, calls: &[(&Scene, &str)]) -> Result<(), StoreError> {
    let handler = diary.clone();
    let worker = inbox.worker().on(move |job: Job<CallEnded>| {
        let diary = handler.clone();
        async move { diary.work(&job) }
    });
    let worker = worker.start();
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        let mut is_over = true;
        for (scene, call_id) in calls {
            is_over &= scene.decide(inbox, diary, call_id).await?;
        }
        if is_over {
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    worker.stop(LEASE).await;
    Ok(())
}

/// Runs this program as another process. Says whether it ended in its handler.
fn run_child(path: &Path) -> Result<bool, Failure> {
    let run = || {
        let mut child = Command::new(env::current_exe()?);
        child.args(["demo", "--end-in-the-middle"]).arg(path);
        child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()
    };
    let status = run().map_err(|error| Failure::new(format!("cannot run a process: {error}")))?;
    Ok(status.code() == Some(IN_THE_MIDDLE.into()))
}

/// What the child does: it takes a job, and ends without a word about it.
pub(super) fn end_in_the_middle(path: &Path) -> Result<ExitCode, Failure> {
    let inbox = open(path)?;
    server::runtime()?.block_on(async {
        let worker = inbox.worker().lease(LEASE).on(|_: Job<CallEnded>| async { end() });
        let worker = worker.start();
        tokio::time::sleep(TIMEOUT).await;
        worker.stop(Duration::ZERO).await;
    });
    Ok(ExitCode::SUCCESS)
}

fn end() -> Result<(), String> {
    std::process::exit(IN_THE_MIDDLE.into())
}

fn open(path: &Path) -> Result<Inbox, Failure> {
    Ok(SqliteInbox::open(path)?.into())
}

/// A folder that is removed with what is in it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, Failure> {
        let path = env::temp_dir().join(format!("trtc-call-demo-{}", new_call_id()));
        match fs::create_dir(&path) {
            Ok(()) => Ok(Self(path)),
            Err(error) => Err(Failure::new(format!("cannot make {}: {error}", path.display()))),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
