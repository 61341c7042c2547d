//! Taking items, as many as there are places for.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use super::backoff::Backoff;
use super::job::{self, Finished, Place};
use super::phase::Phases;
use super::{Core, Kind};
use crate::job::Held;
use crate::log;
use crate::store::{Leased, Outcome};

/// How often to look for what other processes have stored or lost.
const POLL: Duration = Duration::from_secs(1);

/// How long to let a burst grow after a lease that took all there was: it is taken at one go.
const PACE: Duration = Duration::from_millis(5);

pub(super) async fn run(core: Arc<Core>, mut phases: Phases, finished: UnboundedSender<Finished>) {
    let places = Arc::new(Semaphore::new(core.policy.concurrency));
    let mut backoff = Backoff::new();
    let mut kind = Kind::Healthy;
    let mut suspects_from = Instant::now();
    loop {
        let Some(free) = phases.unless_stopping(free(&places)).await else { return };
        let Some(company) = phases.unless_stopping(core.company(kind)).await else { return };
        // This is not dropped half-way: nobody would know what is leased.
        let leased = match core.lease(free.len(), kind).await {
            Ok(leased) => leased,
            Err(error) => {
                log::cannot_lease(&error);
                drop((free, company));
                phases.sleep(backoff.next()).await;
                continue;
            }
        };
        backoff = Backoff::new();
        let Leased { items, suspects_due, next_due, .. } = leased;
        let (taken, wanted) = (items.len(), free.len());
        core.leases().extend(items.iter().map(|item| item.lease));
        for (item, permit) in items.into_iter().zip(free) {
            let held = Held::new(item, Arc::clone(&core.shared));
            let place: Place = Box::new((permit, Arc::clone(&company)));
            if phases.is_working() {
                job::spawn(Arc::clone(&core), held, place, phases.clone(), finished.clone());
            } else {
                let outcome = Some(Outcome::GiveBack);
                let _ = finished.send(Finished { held, outcome, place });
            }
        }
        drop(company);

        // One suspect, then a batch of the others, and so on: neither waits for ever.
        match kind {
            Kind::Healthy if suspects_due && suspects_from <= Instant::now() => {
                log::suspects();
                kind = Kind::Suspect;
            }
            Kind::Healthy if taken == wanted => {}
            Kind::Healthy => {
                if phases.unless_stopping(rest(&core, next_due)).await.is_none() {
                    return;
                }
            }
            Kind::Suspect => {
                kind = Kind::Healthy;
                if taken == 0 {
                    // Somebody else has it, or it has to wait for its call.
                    suspects_from = Instant::now().checked_add(POLL).unwrap_or(suspects_from);
                }
            }
        }
    }
}

/// All places that are free, as soon as one is.
async fn free(places: &Arc<Semaphore>) -> Vec<OwnedSemaphorePermit> {
    let first = Arc::clone(places).acquire_owned().await;
    let mut free: Vec<_> = first.into_iter().collect();
    while let Ok(permit) = Arc::clone(places).try_acquire_owned() {
        free.push(permit);
    }
    free
}

/// Waits until there may be something to take.
async fn rest(core: &Core, next_due: Option<Duration>) {
    sleep(PACE).await;
    let at_most = next_due.unwrap_or(POLL).min(POLL);
    let _ = timeout(at_most, core.shared.stored.notified()).await;
}
