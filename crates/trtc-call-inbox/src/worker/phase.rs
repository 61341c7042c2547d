//! How far a worker is from its end.

use std::future::pending;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Working,
    /// Nothing more is taken.
    Stopping,
    /// Handlers are ended.
    Ending,
}

/// What a task of the worker knows of the phase. A worker that is dropped stops, and ends nobody.
#[derive(Clone)]
pub(super) struct Phases(watch::Receiver<Phase>);

impl Phases {
    pub(super) fn new() -> (watch::Sender<Phase>, Self) {
        let (sender, receiver) = watch::channel(Phase::Working);
        (sender, Self(receiver))
    }

    pub(super) fn is_working(&self) -> bool {
        *self.0.borrow() == Phase::Working && self.0.has_changed().is_ok()
    }

    /// The work's result, or `None` once nothing more is taken.
    pub(super) async fn unless_stopping<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            _ = self.0.wait_for(|phase| *phase != Phase::Working) => None,
            done = work => Some(done),
        }
    }

    /// The work's result, or `None` once handlers are ended.
    pub(super) async fn unless_ending<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let ending = async {
            if self.0.wait_for(|phase| *phase == Phase::Ending).await.is_err() {
                pending::<()>().await;
            }
        };
        tokio::select! {
            done = work => Some(done),
            () = ending => None,
        }
    }

    /// Sleeps, but not on into another phase.
    pub(super) async fn sleep(&mut self, time: Duration) {
        tokio::select! {
            () = sleep(time) => {}
            Ok(()) = self.0.changed() => {}
        }
    }
}
