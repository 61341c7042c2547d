//! Sends callbacks as Tencent posts them, once each, and lets nobody wait for it.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{SdkAppId, Token};

use super::book::Settings;
use super::line::Lines;
use super::plan::{Forged, Planned, What};
use crate::client::{Client, Endpoint, Reply, Trust};
use crate::failure::Failure;
use crate::signature::Signature;
use crate::verdict::Verdict;

/// How long an answer is waited for: as long as Tencent's products do.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How many callbacks are in flight at most.
const IN_FLIGHT: usize = 64;

/// How long what is due is waited for at the end.
const LAST_TIME: Duration = Duration::from_secs(8);

/// Its clones are the same.
#[derive(Clone)]
pub(super) struct Sending(Arc<Inner>);

struct Inner {
    sdk_app_id: SdkAppId,
    token: Option<Token>,
    /// None where nobody is told.
    lines: Option<Lines>,
    permits: Semaphore,
    /// Clients that nobody uses, with their open connections: for http://, and for https://.
    clients: [Mutex<Vec<Client>>; 2],
    tasks: Mutex<JoinSet<()>>,
    is_stopped: watch::Sender<bool>,
}

impl Sending {
    pub(super) fn new(sdk_app_id: SdkAppId, token: Option<Token>, lines: Option<Lines>) -> Self {
        Self(Arc::new(Inner {
            sdk_app_id,
            token,
            lines,
            permits: Semaphore::new(IN_FLIGHT),
            clients: Default::default(),
            tasks: Mutex::default(),
            is_stopped: watch::Sender::new(false),
        }))
    }

    /// Sends the callbacks of a call, one after the other as they are due.
    pub(super) fn send(&self, settings: &Settings, plan: Vec<Planned>) {
        // Whoever set it was told if it cannot be meant.
        let Ok(endpoint) = Endpoint::parse(&settings.url) else { return };
        let sending = self.clone();
        let started = Instant::now();
        let mut tasks = lock(&self.0.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            for planned in plan {
                let due = started.checked_add(planned.after).unwrap_or(started);
                sending.send_one(&endpoint, planned, due).await;
            }
        });
    }

    /// What is not due by then is lost.
    pub(super) fn stop(&self) {
        self.0.is_stopped.send_replace(true);
    }

    /// Waits for what is due.
    pub(super) async fn finish(&self) {
        let tasks = mem::take(&mut *lock(&self.0.tasks));
        // What an endpoint or a reader of the lines holds up for longer is dropped.
        let _ = timeout(LAST_TIME, tasks.join_all()).await;
    }

    /// Waits so long, and says whether it was not stopped meanwhile.
    pub(super) async fn wait(&self, time: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.stopped() => false,
            () = tokio::time::sleep(time) => true,
        }
    }

    async fn stopped(&self) {
        // The other end is in this struct.
        let _ = self.0.is_stopped.subscribe().wait_for(|is_stopped| *is_stopped).await;
    }

    async fn send_one(&self, endpoint: &Endpoint, mut planned: Planned, due: Instant) {
        let is_due = tokio::select! {
            biased;
            () = sleep_until(due) => true,
            () = self.stopped() => false,
        };
        let permit = if is_due { self.0.permits.acquire().await.ok() } else { None };
        let verdict = match planned.what {
            What::Lost => None,
            _ if permit.is_none() => {
                planned.what = What::Lost;
                None
            }
            _ => Some(self.post(endpoint, &planned).await),
        };
        if let Some(lines) = &self.0.lines {
            lines.print(&planned, verdict.as_ref()).await;
        }
    }

    async fn post(&self, endpoint: &Endpoint, planned: &Planned) -> Verdict {
        let request = Request::new(self.0.sdk_app_id, planned.callback.clone());
        let signature = match (&self.0.token, planned.what) {
            (None, _) | (_, What::Forged(Forged::Unsigned)) => Signature::None,
            (Some(token), What::Forged(Forged::WronglySigned)) => Signature::Wrong(token.clone()),
            (Some(token), _) => Signature::Right(token.clone()),
        };
        let request = signature.sign(request);
        let url = request.url(endpoint.as_str());
        let reply = match self.client(endpoint) {
            Ok(mut client) => {
                let reply = client.post(endpoint, &url, request.body()).await;
                self.idle(endpoint).push(client);
                reply
            }
            Err(failure) => Err(failure),
        };
        // The URL's path is a secret, perhaps: a failure would name it.
        let lost = |_: Failure| Reply::Lost("the endpoint cannot be reached".to_owned());
        Verdict::of(&reply.unwrap_or_else(lost))
    }

    fn client(&self, endpoint: &Endpoint) -> Result<Client, Failure> {
        if let Some(client) = self.idle(endpoint).pop() {
            return Ok(client);
        }
        Client::new(TIMEOUT, Trust::new(endpoint, None)?)
    }

    fn idle(&self, endpoint: &Endpoint) -> MutexGuard<'_, Vec<Client>> {
        let [http, https] = &self.0.clients;
        lock(if endpoint.is_https() { https } else { http })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
