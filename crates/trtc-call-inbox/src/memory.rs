//! A store in memory.

use crate::clock::Clock;
use crate::item::{Item, ItemId, NewItem};
use crate::query::{Filter, Stats};
use crate::store::{
    Lease, LeaseRequest, Leased, Pruned, Put, Resolved, Retention, Settlement, Store, StoreFuture,
};

/// A store in memory, for tests: it keeps every promise but the one that matters.
#[derive(Clone, Debug, Default)]
pub struct MemoryInbox {}

impl MemoryInbox {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty one with a clock that is moved by hand.
    #[must_use]
    pub fn with_clock(clock: Clock) -> Self {
        let _ = clock;
        Self::default()
    }
}

impl Store for MemoryInbox {
    fn put(&self, _items: Vec<NewItem>) -> StoreFuture<'_, Vec<Put>> {
        todo!()
    }
    fn lease(&self, _request: LeaseRequest) -> StoreFuture<'_, Leased> {
        todo!()
    }
    fn renew(&self, _leases: Vec<Lease>, _term: std::time::Duration) -> StoreFuture<'_, Vec<bool>> {
        todo!()
    }
    fn settle(&self, _settlements: Vec<Settlement>) -> StoreFuture<'_, Vec<bool>> {
        todo!()
    }
    fn replay(&self, _items: Vec<ItemId>) -> StoreFuture<'_, Vec<bool>> {
        todo!()
    }
    fn discard(&self, _items: Vec<ItemId>) -> StoreFuture<'_, Vec<bool>> {
        todo!()
    }
    fn resolve(&self, _item: ItemId) -> StoreFuture<'_, Resolved> {
        todo!()
    }
    fn erase(&self, _items: Vec<ItemId>) -> StoreFuture<'_, Vec<bool>> {
        todo!()
    }
    fn prune(&self, _retention: Retention, _limit: usize) -> StoreFuture<'_, Pruned> {
        todo!()
    }
    fn list(
        &self,
        _filter: Filter,
        _limit: usize,
        _with_bodies: bool,
    ) -> StoreFuture<'_, Vec<Item>> {
        todo!()
    }
    fn get(&self, _item: ItemId) -> StoreFuture<'_, Option<Item>> {
        todo!()
    }
    fn stats(&self, _sdk_app_id: Option<trtc_call_webhook::SdkAppId>) -> StoreFuture<'_, Stats> {
        todo!()
    }
    fn health(&self) -> StoreFuture<'_, ()> {
        todo!()
    }
}
