//! A worker that works, and how it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::phase::{Phase, Phases};
use super::{Core, lease, prune, renew, settle};
use crate::log;

/// How long giving back may take.
const GIVING_BACK: Duration = Duration::from_secs(1);

/// A worker that works.
///
/// A worker that is dropped takes no more. What runs ends by itself and is settled, as long as the
/// runtime lives; nobody waits for it. [`stop`](Self::stop) does.
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub struct Worker {
    phase: watch::Sender<Phase>,
    settling: JoinHandle<()>,
    given_back: Arc<AtomicUsize>,
}

/// How a worker stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// Items that were given back, since their handlers were not begun, or did not end in time and were
    /// ended. This attempt does not count for them.
    pub given_back: usize,
}

impl Worker {
    /// Its tasks: one leases, one renews, one settles, one prunes, and each job has one.
    pub(super) fn start(core: Core) -> Self {
        let core = Arc::new(core);
        let (phase, phases) = Phases::new();
        let (finished, to_settle) = mpsc::unbounded_channel();
        let (settled, is_settled) = oneshot::channel::<()>();
        let given_back = Arc::default();

        tokio::spawn(lease::run(Arc::clone(&core), phases.clone(), finished));
        tokio::spawn(renew::run(Arc::clone(&core), is_settled));
        tokio::spawn(prune::run(Arc::clone(&core), phases.clone()));
        let settle = settle::run(core, phases, to_settle, Arc::clone(&given_back));
        let settling = tokio::spawn(async move {
            settle.await;
            drop(settled);
        });
        Self { phase, settling, given_back }
    }

    /// Takes no more, waits so long for the handlers that run, ends the others, and gives back what was
    /// not worked.
    ///
    /// Giving back takes at most a second more. A handler can be ended where it awaits; what one
    /// that blocks its thread has stays leased until it returns, or the process ends.
    pub async fn stop(mut self, patience: Duration) -> Stopped {
        self.phase.send_replace(Phase::Stopping);
        if timeout(patience, &mut self.settling).await.is_err() {
            self.phase.send_replace(Phase::Ending);
            let _ = timeout(GIVING_BACK, &mut self.settling).await;
        }
        let given_back = self.given_back.load(Ordering::Relaxed);
        log::stopped(given_back);
        Stopped { given_back }
    }
}
