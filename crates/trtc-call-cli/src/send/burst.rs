//! Sends a plan over one connection or several at a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use super::plan::{Plan, What};
use crate::client::{Client, Endpoint, Reply};
use crate::failure::Failure;
use crate::server;

/// How a plan is sent.
pub(super) struct Burst {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) client: Client,
    pub(super) concurrency: u16,
}

/// A callback that was sent.
pub(super) struct Sent {
    pub(super) what: What,
    pub(super) reply: Reply,
    /// Why nothing could answer at all: what ends the run.
    pub(super) failure: Option<Failure>,
}

impl Sent {
    fn new(what: What, reply: Result<Reply, Failure>) -> Self {
        match reply {
            Ok(reply) => Self { what, reply, failure: None },
            Err(failure) => {
                Self { what, reply: Reply::Lost(failure.to_string()), failure: Some(failure) }
            }
        }
    }
}

impl Burst {
    /// Sends everything and hands each reply over as it comes, on this thread.
    ///
    /// # Errors
    ///
    /// The first failure, of a connection or of `on_sent`; nothing more is sent then.
    pub(super) fn run(
        self,
        plan: &Arc<Plan>,
        mut on_sent: impl FnMut(&Sent) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let runtime = server::runtime()?;
        let next = Arc::new(Mutex::new(0));
        let is_over = Arc::new(AtomicBool::new(false));
        let (sender, sent) = mpsc::channel();
        for _ in 0..u64::from(self.concurrency).min(plan.total()) {
            let (mut client, endpoint) = (self.client.clone(), Arc::clone(&self.endpoint));
            let (plan, next) = (Arc::clone(plan), Arc::clone(&next));
            let (is_over, sender) = (Arc::clone(&is_over), sender.clone());
            runtime.spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    let Some(kind) = plan.kind(take(&next)) else { break };
                    let outgoing = plan.outgoing(kind);
                    let url = outgoing.request.url(endpoint.as_str());
                    let reply = client.post(&endpoint, &url, outgoing.request.body()).await;
                    let sent = Sent::new(outgoing.what, reply);
                    is_over.fetch_or(sent.failure.is_some(), Ordering::Relaxed);
                    // Nobody receives any more once something has failed.
                    let _ = sender.send(sent);
                }
            });
        }
        // Else the last message would never be known to be the last.
        drop(sender);
        let mut result = Ok(());
        for sent in sent {
            // What was answered before something failed still counts.
            let told = on_sent(&sent);
            if let Err(failure) = sent.failure.map_or(Ok(()), Err).and(told) {
                is_over.store(true, Ordering::Relaxed);
                result = result.and(Err(failure));
            }
        }
        result
    }
}

/// The number of the next callback to be sent.
fn take(next: &Mutex<u64>) -> u64 {
    let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
    let number = *next;
    *next = next.saturating_add(1);
    number
}
