//! One item, from its lease to what came of it.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;

use super::Core;
use super::catch_unwind::CatchUnwind;
use super::phase::Phases;
use super::policy::Policy;
use crate::confirm::Judgement;
use crate::job::{Completion, Held};
use crate::store::Outcome;
use crate::{log, metrics};

/// The error of a handler that returns `Ok` and has not committed what completes its job.
pub(super) const NOT_COMMITTED: &str =
    "the handler has not committed the transaction in which it completed its job";

/// A job that ended and is to be settled.
pub(super) struct Finished {
    pub(super) held: Held,
    /// What becomes of the item; `None` if its handler has completed it.
    pub(super) outcome: Option<Outcome>,
    #[expect(dead_code, reason = "it is held, and nobody looks into it")]
    pub(super) place: Place,
}

/// What a job holds until it is settled: so no more bodies are in memory than handlers may run.
pub(super) type Place = Box<dyn Send + Sync>;

impl Core {
    /// Has its handler work an item, and says what becomes of it; `None` if the handler has completed it.
    pub(super) async fn work(&self, held: &Held) -> Option<Outcome> {
        let Policy { timeout: time, unhandled, confirm, .. } = self.policy;
        match confirm.judge(held.item()) {
            Judgement::HandOver => {}
            Judgement::Ask => return Some(Outcome::AskRecord),
            Judgement::Undecidable(error) => return Some(Outcome::Undecidable { error }),
        }
        let _running = metrics::Job::start();
        let in_time = async { timeout(time, self.handlers.work(held, unhandled)).await };
        let word = match CatchUnwind::new(in_time).await {
            Ok(Ok(word)) => word,
            Ok(Err(_)) => Err(format!("the handler did not end within {time:?}").into()),
            Err(panic) => Err(format!("the handler panicked: {panic}").into()),
        };
        let word = match held.completion() {
            Completion::Worker => word,
            // It takes effect only if the transaction was not committed.
            Completion::Transaction => word.and(Err(NOT_COMMITTED.into())),
            Completion::Stored => {
                if let Err(error) = word {
                    log::error_after_completion(held.item(), &error);
                }
                return None;
            }
        };
        Some(self.policy.outcome(held.item(), word))
    }
}

/// Works an item in a task of its own.
pub(super) fn spawn(
    core: Arc<Core>,
    held: Held,
    place: Place,
    mut phases: Phases,
    finished: UnboundedSender<Finished>,
) {
    tokio::spawn(async move {
        let outcome = match phases.unless_ending(core.work(&held)).await {
            Some(outcome) => outcome,
            None => (held.completion() != Completion::Stored).then_some(Outcome::GiveBack),
        };
        let _ = finished.send(Finished { held, outcome, place });
    });
}
