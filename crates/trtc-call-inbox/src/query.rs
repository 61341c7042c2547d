//! What is asked of a store by people: lists and counts.

use std::time::{Duration, SystemTime};

use trtc_call_webhook::SdkAppId;

use crate::item::{Item, ItemId, State};

/// Which items are listed. The default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Filter {
    /// Of this app.
    pub sdk_app_id: Option<SdkAppId>,
    /// In this state.
    pub state: Option<State>,
    /// Of this call, byte for byte.
    pub call_id: Option<String>,
    /// Stored at this time or later.
    pub since: Option<SystemTime>,
    /// With a number above this: the last one of the page before.
    pub after: Option<ItemId>,
}

impl Filter {
    /// All items.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Those in a state.
    #[must_use]
    pub fn state(mut self, state: State) -> Self {
        self.state = Some(state);
        self
    }

    /// Those of an app.
    #[must_use]
    pub fn sdk_app_id(mut self, sdk_app_id: impl Into<SdkAppId>) -> Self {
        self.sdk_app_id = Some(sdk_app_id.into());
        self
    }

    /// Those of a call.
    #[must_use]
    pub fn call_id(mut self, call_id: impl Into<String>) -> Self {
        self.call_id = Some(call_id.into());
        self
    }

    /// Those that were stored at this time or later.
    #[must_use]
    pub fn since(mut self, since: SystemTime) -> Self {
        self.since = Some(since);
        self
    }

    /// Those behind an item, for the next page.
    #[must_use]
    pub fn after(mut self, last: ItemId) -> Self {
        self.after = Some(last);
        self
    }

    /// Whether an item is listed.
    #[must_use]
    pub fn takes(&self, item: &Item) -> bool {
        self.sdk_app_id.is_none_or(|app| app == item.sdk_app_id)
            && self.state.is_none_or(|state| state == item.state)
            && self.call_id.as_ref().is_none_or(|call| item.call_id.as_ref() == Some(call))
            && self.since.is_none_or(|since| since <= item.received_at)
            && self.after.is_none_or(|after| after < item.id)
    }
}

/// How many items there are, for each app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// The apps that have items, by their ids.
    pub apps: Vec<AppStats>,
}

impl Stats {
    /// Of these apps.
    #[must_use]
    pub fn new(apps: Vec<AppStats>) -> Self {
        Self { apps }
    }

    /// How many items of all apps are in a state.
    #[must_use]
    pub fn count(&self, state: State) -> u64 {
        self.apps.iter().map(|app| app.count(state)).fold(0, u64::saturating_add)
    }

    /// For how long the oldest item that is due has been waiting: how far the work is behind.
    #[must_use]
    pub fn lag(&self) -> Duration {
        self.apps.iter().map(|app| app.lag).max().unwrap_or_default()
    }
}

/// How many items of an app there are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppStats {
    /// The app.
    pub sdk_app_id: SdkAppId,
    /// In each state, in the order of [`State::ALL`].
    counts: [u64; State::ALL.len()],
    /// For how long the oldest item that is due has been waiting; zero if none is.
    pub lag: Duration,
}

impl AppStats {
    /// Of an app without items.
    #[must_use]
    pub fn new(sdk_app_id: SdkAppId) -> Self {
        Self { sdk_app_id, counts: Default::default(), lag: Duration::ZERO }
    }

    /// How many are in a state.
    #[must_use]
    pub fn count(&self, state: State) -> u64 {
        let index = State::ALL.iter().position(|known| *known == state);
        index.and_then(|index| self.counts.get(index)).copied().unwrap_or_default()
    }

    /// Adds items that are in a state.
    pub fn add(&mut self, state: State, items: u64) {
        let index = State::ALL.iter().position(|known| *known == state);
        if let Some(count) = index.and_then(|index| self.counts.get_mut(index)) {
            *count = count.saturating_add(items);
        }
    }
}
