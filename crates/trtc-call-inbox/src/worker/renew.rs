//! Keeping the leases of what runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Core;
use super::backoff::Backoff;
use crate::log;
use crate::store::Lease;

/// Renews all leases after each third of their term, until all is settled.
///
/// Which ones were lost is of no use here: their settlement finds out.
pub(super) async fn run(core: Arc<Core>, mut settled: oneshot::Receiver<()>) {
    let term = core.policy.term;
    let third = term.checked_div(3).unwrap_or(term);
    let mut backoff = Backoff::new();
    let mut pause = third;
    while timeout(pause, &mut settled).await.is_err() {
        pause = match core.renew(term).await {
            Ok(()) => {
                backoff = Backoff::new();
                third
            }
            Err(error) => {
                log::cannot_renew(&error);
                backoff.next().min(third)
            }
        };
    }
}

impl Core {
    async fn renew(&self, term: Duration) -> Result<(), crate::StoreError> {
        let leases: Vec<Lease> = self.leases().iter().copied().collect();
        if !leases.is_empty() {
            self.shared.store.renew(leases, term).await?;
        }
        Ok(())
    }
}
