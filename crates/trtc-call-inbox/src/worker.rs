//! Working off what is stored.
//!
//! ```text
//! lease.rs ── places, leases ──► job.rs ── what came of it ──► settle.rs
//!                                  │  handlers.rs: who takes it       │
//!                                  │  policy.rs: what becomes of it   ▼
//! renew.rs keeps the leases meanwhile                            the store
//! ```

mod backoff;
mod builder;
mod catch_unwind;
mod handlers;
mod job;
mod lease;
mod phase;
mod policy;
mod prune;
mod renew;
mod run_due;
mod settle;
mod start;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::handlers::Handlers;
use self::policy::Policy;
use crate::inbox::Shared;
use crate::store::{Lease, LeaseRequest, Leased, StoreError};

pub use self::builder::{Unhandled, WorkerBuilder};
pub use self::run_due::Ran;
pub(crate) use self::settle::Conclusion;
pub use self::start::{Stopped, Worker};

/// What a worker works with: all of its tasks share it.
struct Core {
    shared: Arc<Shared>,
    handlers: Handlers,
    policy: Policy,
    /// The leases that are to be renewed.
    leases: Mutex<HashSet<Lease>>,
}

impl Core {
    fn new(shared: Arc<Shared>) -> Self {
        let (handlers, policy, leases) = Default::default();
        Self { shared, handlers, policy, leases }
    }

    /// Asks for items: so many healthy ones, or one whose last lease was lost.
    async fn lease(&self, limit: usize, kind: Kind) -> Result<Leased, StoreError> {
        let Policy { term, max_lost_leases, ordered_by_call, .. } = self.policy;
        let limit = if kind == Kind::Suspect { 1 } else { limit };
        let mut request = LeaseRequest::new(self.shared.owner.get(), limit, term, max_lost_leases);
        request.suspects = kind == Kind::Suspect;
        request.ordered_by_call = ordered_by_call;
        let leased = self.shared.store.lease(request).await;
        let leased = leased.inspect_err(|_| self.shared.owner.change())?;
        leased.died.iter().for_each(|item| settle::died(*item));
        Ok(leased)
    }

    /// Waits until a job of this kind may run in this process.
    async fn company(&self, kind: Kind) -> Company {
        let alone = Arc::clone(&self.shared.alone);
        match kind {
            Kind::Healthy => Arc::new(alone.read_owned().await),
            Kind::Suspect => Arc::new(alone.write_owned().await),
        }
    }

    fn leases(&self) -> MutexGuard<'_, HashSet<Lease>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which items are asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Those that any number of others may run beside.
    Healthy,
    /// Those whose last lease was lost: if one of them ends the process, it takes no other one along.
    Suspect,
}

/// What those who run beside each other hold of [`Shared::alone`]. Nobody looks into it.
type Company = Arc<dyn Send + Sync>;
