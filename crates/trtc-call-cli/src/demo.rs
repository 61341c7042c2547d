//! `trtc-call demo`: the axum receiver, an inbox, a sender and a vendor, over real HTTP on this machine.

mod cases;
mod inbox;
mod lost;
mod receiver;
mod table;

use std::future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use trtc_call_webhook::Token;

use self::cases::Case;
use self::receiver::{Notebook, Seen};
use self::table::Row;
use crate::args::DemoArgs;
use crate::client::{Client, Endpoint, Reply, Trust};
use crate::failure::Failure;
use crate::sample::{self, Sample};
use crate::server::{self, Server};
use crate::{out, settings};

/// Longer than Tencent waits: it is not the machine's speed that is shown.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A free port of this machine.
const LOCALHOST: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// What came of a case.
struct Outcome {
    reply: Reply,
    /// What the handler was given.
    seen: Vec<Seen>,
}

pub(crate) fn run(args: &DemoArgs) -> Result<ExitCode, Failure> {
    if let Some(path) = &args.end_in_the_middle {
        return inbox::end_in_the_middle(path);
    }
    // New for each run, so that nobody else on the machine can send what is taken.
    let secret = sample::new_call_id();
    let token = Token::new(&secret);
    let (router, notebook) = receiver::router(settings::SAMPLE_SDK_APP_ID, token.clone())?;

    let runtime = server::runtime()?;
    let server = Server::bind(LOCALHOST)?;
    let endpoint = Endpoint::parse(&server.url())?;
    runtime.spawn(server.run(router, future::pending()));

    let mut client = Client::new(TIMEOUT, Trust::none())?;
    let mut rows = Vec::new();
    for case in cases::all(settings::SAMPLE_SDK_APP_ID, &token) {
        let outcome = runtime.block_on(send(&case, &mut client, &endpoint, &notebook))?;
        rows.push(Row::new(&case, &outcome));
    }
    rows.extend(inbox::rows(&runtime, &token, &mut client)?);
    rows.push(lost::row(&runtime, &endpoint, &notebook)?);
    runtime.shutdown_background();

    if args.json {
        out::print_line(table::json(&endpoint, settings::SAMPLE_SDK_APP_ID, &rows)?)?;
    } else {
        out::print(&table::text(&endpoint, settings::SAMPLE_SDK_APP_ID, &rows))?;
    }
    let is_as_expected = rows.iter().all(|row| row.is_as_expected);
    Ok(if is_as_expected { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Calls between two, all told at the same moment.
fn sample(talk_seconds: u32, now: SystemTime) -> Sample {
    Sample {
        caller: "10001".to_owned(),
        callees: vec!["10002".to_owned()],
        talk_seconds,
        ring_seconds: 5,
        start_time: None,
        now,
    }
}

async fn send(
    case: &Case,
    client: &mut Client,
    endpoint: &Endpoint,
    notebook: &Notebook,
) -> Result<Outcome, Failure> {
    let url = case.request.url(endpoint.as_str());
    let reply = client.post(endpoint, &url, case.request.body()).await?;
    // The handler writes before it answers, so whatever it saw stands there now.
    Ok(Outcome { reply, seen: notebook.take() })
}
