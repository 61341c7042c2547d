//! Removing what is older than it has to be kept.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Core;
use super::phase::Phases;
use crate::inbox::BATCH;
use crate::log;
use crate::store::Pruned;

/// How often to look.
const EACH: Duration = Duration::from_secs(60);

/// Between two transactions: whoever puts comes first.
const PAUSE: Duration = Duration::from_millis(50);

pub(super) async fn run(core: Arc<Core>, mut phases: Phases) {
    let mut pause = EACH;
    while phases.unless_stopping(sleep(pause)).await.is_some() {
        pause = match core.shared.store.prune(core.policy.retention, BATCH).await {
            Ok(Pruned { items: 0, keys: 0 }) => EACH,
            Ok(_) => PAUSE,
            Err(error) => {
                log::cannot_prune(&error);
                EACH
            }
        };
    }
}
