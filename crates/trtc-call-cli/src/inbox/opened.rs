//! An inbox that is there.

use std::future::Future;

use tokio::runtime::Runtime;
use trtc_call_inbox::store::StoreError;
use trtc_call_inbox::{Filter, Inbox, Item, ItemId};

use crate::failure::Failure;
use crate::store::Store;
use crate::{server, settings};

/// How many items are read or changed at a time: so few that nobody waits long for them.
pub(super) const BATCH: usize = 200;

pub(super) struct Opened {
    pub(super) store: Store,
    pub(super) inbox: Inbox,
    pub(super) is_json: bool,
    runtime: Runtime,
}

impl Opened {
    /// Opens one that is there: a name that is misspelt makes nothing.
    pub(super) fn new(flag: Option<String>, is_json: bool) -> Result<Self, Failure> {
        let place = settings::inbox(flag)?.ok_or_else(no_inbox)?;
        let (store, runtime) = Store::open(place, true, server::runtime()?)?;
        Ok(Self { inbox: store.inbox(), store, is_json, runtime })
    }

    pub(super) fn run<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, Failure> {
        Ok(self.runtime.block_on(work)?)
    }

    /// The items that a filter lets through, a few at a time.
    pub(super) fn pages(
        &self,
        mut filter: Filter,
        with_bodies: bool,
    ) -> impl Iterator<Item = Result<Vec<Item>, Failure>> {
        std::iter::from_fn(move || {
            let page = self.run(self.inbox.store().list(filter.clone(), BATCH, with_bodies));
            if let Ok(page) = &page {
                filter.after = Some(page.last()?.id);
            }
            Some(page)
        })
    }

    /// How many items there are, for a bar.
    pub(super) fn total(&self, filter: &Filter) -> Result<u64, Failure> {
        let stats = self.run(self.inbox.stats(filter.sdk_app_id))?;
        let states = trtc_call_inbox::State::ALL.iter();
        Ok(states.map(|state| stats.count(*state)).fold(0, u64::saturating_add))
    }
}

fn no_inbox() -> Failure {
    Failure::new("there is no inbox: --inbox names one, or INBOX in the environment")
}

/// The numbers of items, for people: `3, 4, 9`.
pub(super) fn numbers(items: &[ItemId]) -> String {
    items.iter().map(ItemId::to_string).collect::<Vec<_>>().join(", ")
}
