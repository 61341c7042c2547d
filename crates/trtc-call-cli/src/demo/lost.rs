//! The row about a callback that never comes: its call is found in the vendor's records.

use std::future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;
use trtc_call_api::{CallbackSettings, Client, SecretKey};
use trtc_call_inbox::{Inbox, Job, MemoryInbox};
use trtc_call_reconcile::Reconcile;
use trtc_call_webhook::{CallEnded, Command, UnixSeconds};

use super::LOCALHOST;
use super::receiver::Notebook;
use super::table::Row;
use crate::args::ChancesArgs;
use crate::client::Endpoint;
use crate::failure::Failure;
use crate::sample::new_call_id;
use crate::server::Server;
use crate::settings::SAMPLE_SDK_APP_ID;
use crate::vendor::{Setup, Vendor};

/// How long ago the call ended: its callback is not waited for any more.
const AGO: Duration = Duration::from_secs(15 * 60);

const TALKED: i64 = 42;

const STORY: &str = "nothing; its record is found, attempt 1 bills 42 s";

/// Has a vendor lose the callback of a call, and reconciles.
pub(super) fn row(
    runtime: &Runtime,
    endpoint: &Endpoint,
    notebook: &Notebook,
) -> Result<Row, Failure> {
    let key = SecretKey::new(new_call_id()).map_err(|error| Failure::new(error.to_string()))?;
    let setup = Setup {
        sdk_app_id: SAMPLE_SDK_APP_ID,
        admin: "administrator".to_owned(),
        key: key.clone(),
        token: None,
        state: None,
        record_delay: Duration::ZERO,
        errors: Vec::new(),
        chances: ChancesArgs { lose: 1.0, ..ChancesArgs::default() },
    };
    let vendor = Vendor::open(setup, None)?;
    let server = Server::bind(LOCALHOST)?;
    let client = Client::builder(SAMPLE_SDK_APP_ID, key).base_url(server.origin()).build();
    let client = client.map_err(|error| Failure::new(error.to_string()))?;
    runtime.spawn(server.run(vendor.router(), future::pending()));
    let story = runtime.block_on(async {
        client
            .set_callback(&CallbackSettings::new(endpoint.as_str(), [Command::CallEnded]))
            .await?;
        let told = vendor.add(vec![call()]);
        told.map_err(|_| Failure::new("the vendor takes no call"))?;
        reconcile(client).await
    })?;
    // Until now it could have come.
    let came = if notebook.take().is_empty() { "nothing" } else { "its callback" };
    let story = format!("{came}; {story}");
    Ok(Row::of_lost(story, STORY))
}

/// A call that was connected.
fn call() -> Map<String, Value> {
    let now = SystemTime::now();
    let end = UnixSeconds::from(now.checked_sub(AGO).unwrap_or(now)).get();
    let mut call = Map::new();
    call.insert("EndTime".to_owned(), json!(end));
    call.insert("AcceptTime".to_owned(), json!(end.saturating_sub(TALKED)));
    call.insert("CallResult".to_owned(), json!("NormalEnd"));
    call
}

/// What becomes of it without a callback.
async fn reconcile(client: Client) -> Result<String, Failure> {
    let inbox = Inbox::from(MemoryInbox::new());
    let reconcile = Reconcile::new(inbox).app(client);
    let now = SystemTime::now();
    let since = now.checked_sub(AGO.saturating_mul(2)).unwrap_or(now);
    let found = reconcile.run(since..now).await?.found.len();
    let bills = Arc::new(Mutex::new(Vec::new()));
    let billed = Arc::clone(&bills);
    let worker = reconcile.worker().on(move |job: Job<CallEnded>| {
        let seconds = job.billing().seconds().unwrap_or_default();
        let bill = format!("attempt {} bills {seconds} s", job.attempt());
        billed.lock().unwrap_or_else(PoisonError::into_inner).push(bill);
        async { Ok::<_, String>(()) }
    });
    worker.run_due().await?;
    let bills = bills.lock().unwrap_or_else(PoisonError::into_inner).join(", ");
    Ok(if found == 1 { format!("its record is found, {bills}") } else { bills })
}
