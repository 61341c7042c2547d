//! Storing what came of jobs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc::UnboundedReceiver;

use super::Core;
use super::backoff::Backoff;
use super::job::{Finished, NOT_COMMITTED};
use super::phase::Phases;
use crate::item::ItemId;
use crate::job::Completion;
use crate::store::{Outcome, Settlement, StoreError};
use crate::{log, metrics};

/// What is stored of a job in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conclusion {
    Done,
    Retried,
    Dead,
    GivenBack,
    /// It waits for its record.
    Asked,
    /// Nothing: the lease was lost before.
    Lost,
}

/// Settles what is finished, all that waits at one go, until nobody is left who could finish.
pub(super) async fn run(
    core: Arc<Core>,
    mut phases: Phases,
    mut finished: UnboundedReceiver<Finished>,
    given_back: Arc<AtomicUsize>,
) {
    let mut waiting = Vec::new();
    let mut backoff = Backoff::new();
    loop {
        if waiting.is_empty() && finished.recv_many(&mut waiting, usize::MAX).await == 0 {
            return;
        }
        while let Ok(another) = finished.try_recv() {
            waiting.push(another);
        }
        match core.settle(&waiting).await {
            Ok(conclusions) => {
                let back = conclusions.iter().filter(|one| **one == Conclusion::GivenBack).count();
                given_back.fetch_add(back, Ordering::Relaxed);
                waiting.clear();
                backoff = Backoff::new();
            }
            Err(error) => {
                log::cannot_settle(&error);
                phases.sleep(backoff.next()).await;
            }
        }
    }
}

impl Core {
    /// Settles jobs in one transaction, and says how each was concluded.
    pub(super) async fn settle(&self, jobs: &[Finished]) -> Result<Vec<Conclusion>, StoreError> {
        let settlements: Vec<Settlement> = jobs.iter().filter_map(settlement).collect();
        let held = if settlements.is_empty() {
            Vec::new()
        } else {
            self.shared.store.settle(settlements).await?
        };
        let mut held = held.into_iter();
        let mut conclusions = Vec::with_capacity(jobs.len());
        let mut leases = self.leases();
        for job in jobs {
            leases.remove(&job.held.item().lease);
            conclusions.push(match &job.outcome {
                Some(outcome) => conclude(job, outcome, held.next().unwrap_or_default()),
                None => Conclusion::Done,
            });
        }
        drop(leases);
        if conclusions.contains(&Conclusion::Lost) {
            self.shared.owner.change();
        }
        conclusions.iter().for_each(|conclusion| metrics::job(*conclusion));
        self.look_again_after(&conclusions);
        Ok(conclusions)
    }

    /// Wakes whoever leases, if there may be an item that is due earlier than it knows.
    fn look_again_after(&self, conclusions: &[Conclusion]) {
        let waits = |one: &Conclusion| matches!(one, Conclusion::Retried | Conclusion::GivenBack);
        if self.policy.ordered_by_call || conclusions.iter().any(waits) {
            self.shared.stored.notify_one();
        }
    }
}

fn settlement(job: &Finished) -> Option<Settlement> {
    let outcome = job.outcome.clone()?;
    Some(Settlement { lease: job.held.item().lease, outcome })
}

/// How a job is concluded; says what a person has to know.
fn conclude(job: &Finished, outcome: &Outcome, was_held: bool) -> Conclusion {
    let item = job.held.item();
    match (was_held, job.held.completion(), outcome) {
        (true, ..) => {}
        (
            false,
            Completion::Transaction,
            Outcome::Retry { error, .. } | Outcome::Dead { error },
        ) => {
            if error == NOT_COMMITTED {
                return Conclusion::Done;
            }
            log::not_tried_again(item, error);
            return Conclusion::Lost;
        }
        (false, ..) => {
            log::lease_lost(item, matches!(outcome, Outcome::Done(_)));
            return Conclusion::Lost;
        }
    }
    match outcome {
        Outcome::Done(_) => Conclusion::Done,
        Outcome::Retry { after, error, .. } => {
            log::retry(item, *after, error);
            Conclusion::Retried
        }
        Outcome::Dead { error } => {
            log::dead(item, error);
            Conclusion::Dead
        }
        Outcome::GiveBack => Conclusion::GivenBack,
        Outcome::AskRecord => Conclusion::Asked,
        Outcome::Undecidable { error } => {
            log::dead(item, error);
            Conclusion::Dead
        }
    }
}

/// An item is given up since it lost too many leases.
pub(super) fn died(item: ItemId) {
    log::died(item);
    metrics::job(Conclusion::Dead);
}
