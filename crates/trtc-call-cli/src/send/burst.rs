//! Sends a plan over one connection or several at a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use super::plan::{Plan, What};
use crate::client::{Client, Endpoint, Reply, Trust};
use crate::failure::Failure;

/// How a plan is sent.
pub(super) struct Burst<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) trust: &'a Trust,
    pub(super) timeout: Duration,
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

impl Burst<'_> {
    /// Sends everything and hands each reply over as it comes, on this thread.
    ///
    /// # Errors
    ///
    /// The first failure, of a connection or of `on_sent`; nothing more is sent then.
    pub(super) fn run(
        &self,
        plan: &Plan,
        mut on_sent: impl FnMut(&Sent) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let waiting = Mutex::new(plan.kinds());
        let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
        let is_over = AtomicBool::new(false);
        let (sender, sent) = mpsc::channel();
        let work = |sender: mpsc::Sender<_>| {
            let mut client = Client::new(self.timeout, self.trust);
            while !is_over.load(Ordering::Relaxed) {
                let Some(kind) = next() else { break };
                let outgoing = plan.outgoing(kind);
                let url = outgoing.request.url(self.endpoint.as_str());
                let reply = client.post(self.endpoint, &url, outgoing.request.body());
                let sent = Sent::new(outgoing.what, reply);
                is_over.fetch_or(sent.failure.is_some(), Ordering::Relaxed);
                // Nobody receives any more once something has failed.
                let _ = sender.send(sent);
            }
        };
        thread::scope(|scope| {
            let useful = u64::from(self.concurrency).min(plan.total());
            let mut result = Ok(());
            for _ in 0..useful {
                let sender = sender.clone();
                if let Err(error) = thread::Builder::new().spawn_scoped(scope, || work(sender)) {
                    is_over.store(true, Ordering::Relaxed);
                    result = Err(Failure::new(format!("cannot start a thread: {error}")));
                    break;
                }
            }
            // Else the last message would never be known to be the last.
            drop(sender);
            for sent in sent {
                // What was answered before something failed still counts.
                let told = on_sent(&sent);
                if let Err(failure) = sent.failure.map_or(Ok(()), Err).and(told) {
                    is_over.store(true, Ordering::Relaxed);
                    result = result.and(Err(failure));
                }
            }
            result
        })
    }
}
