//! Storing a delivery before it is answered.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use trtc_call_webhook::Ack;

use crate::item::NewItem;
use crate::store::{Put, Store, StoreError, StoreErrorKind};

/// How long storing may take, all tries together. Tencent's products wait about two seconds for the
/// answer, and the way to the server and back takes some of them.
const PATIENCE: Duration = Duration::from_secs(1);

/// The pause before the second try; it doubles up to the longest one.
const PAUSE: Duration = Duration::from_millis(10);
const MAX_PAUSE: Duration = Duration::from_millis(160);

/// The code of a failure to store in the answer, for whoever reads it in a proxy's log.
const NOT_STORED: i32 = 503;

/// What became of a delivery, once its body is on the disk, or cannot be.
///
/// It becomes an [`Ack`], and so that of each adapter, by `into()`: OK for all but
/// [`Failed`](Self::Failed).
#[derive(Debug)]
#[must_use = "it becomes the answer"]
pub enum Acceptance {
    /// It is stored, and will be worked.
    Stored,
    /// It was known: one that would be billed the same is stored.
    Duplicate,
    /// It is stored, and another body under its key that would be billed differently: neither is worked
    /// until that is resolved.
    Disputed,
    /// It is not stored, or nobody can say so in time.
    Failed(StoreError),
}

impl Acceptance {
    /// Whether the callback is durable: what may be acknowledged.
    #[must_use]
    pub const fn is_durable(&self) -> bool {
        !matches!(self, Self::Failed(_))
    }
}

impl From<Acceptance> for Ack {
    fn from(acceptance: Acceptance) -> Self {
        match acceptance {
            Acceptance::Failed(_) => Self::fail(NOT_STORED, "the callback is not stored"),
            _ => Self::ok(),
        }
    }
}

/// Puts an item. What may pass by itself is tried again for a second: a put is idempotent.
pub(crate) async fn put(store: &dyn Store, item: NewItem) -> Result<Put, StoreError> {
    let deadline = Instant::now().checked_add(PATIENCE).unwrap_or_else(Instant::now);
    let mut pause = PAUSE;
    let mut last = None;
    loop {
        let error = match timeout_at(deadline, store.put(vec![item.clone()])).await {
            Ok(Ok(puts)) => match puts.into_iter().next() {
                Some(put) => return Ok(put),
                None => StoreError::new(StoreErrorKind::Other, "the store did not say what it did"),
            },
            Ok(Err(error)) => error,
            Err(_) => {
                return Err(last.unwrap_or_else(|| {
                    StoreError::new(
                        StoreErrorKind::TimedOut,
                        "the store did not answer in a second",
                    )
                }));
            }
        };
        let next = Instant::now().checked_add(pause).filter(|next| *next < deadline);
        if !error.is_transient() || next.is_none() {
            return Err(error);
        }
        last = Some(error);
        sleep(pause).await;
        pause = pause.saturating_mul(2).min(MAX_PAUSE);
    }
}
