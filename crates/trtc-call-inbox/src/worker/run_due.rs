//! A run of everything that is due, in the caller's task.

use std::sync::Arc;

use super::job::Finished;
use super::settle::Conclusion;
use super::{Core, Kind};
use crate::job::Held;
use crate::store::StoreError;

/// What a run of everything that was due did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ran {
    /// Items that are done.
    pub done: usize,
    /// Items that wait for another try.
    pub retried: usize,
    /// Items that wait for their record.
    pub asked: usize,
    /// Items that are dead.
    pub dead: usize,
    /// Items whose lease was lost before they were done.
    pub lost: usize,
}

impl Core {
    pub(super) async fn run_due(&self) -> Result<Ran, StoreError> {
        let mut ran = Ran::default();
        loop {
            let healthy = self.run_one(Kind::Healthy, &mut ran).await?;
            let suspect = self.run_one(Kind::Suspect, &mut ran).await?;
            if !healthy && !suspect {
                return Ok(ran);
            }
        }
    }

    /// Works one item, and says whether there was one.
    async fn run_one(&self, kind: Kind, ran: &mut Ran) -> Result<bool, StoreError> {
        let company = self.company(kind).await;
        let leased = self.lease(1, kind).await?;
        ran.dead = ran.dead.saturating_add(leased.died.len());
        let Some(item) = leased.items.into_iter().next() else { return Ok(false) };
        let held = Held::new(item, Arc::clone(&self.shared));
        let outcome = self.work(&held).await;
        let job = Finished { held, outcome, place: Box::new(company) };
        for conclusion in self.settle(&[job]).await? {
            let count = match conclusion {
                Conclusion::Done => &mut ran.done,
                Conclusion::Retried | Conclusion::GivenBack => &mut ran.retried,
                Conclusion::Asked => &mut ran.asked,
                Conclusion::Dead => &mut ran.dead,
                Conclusion::Lost => &mut ran.lost,
            };
            *count = count.saturating_add(1);
        }
        Ok(true)
    }
}
