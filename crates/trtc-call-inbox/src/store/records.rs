//! What a store keeps for those who ask the vendor: which items wait for their record, and who asks.

use std::time::{Duration, SystemTime};

use trtc_call_webhook::{Command, SdkAppId};

use super::{Compared, ComparedBodies, Lease};
use crate::item::{Confirmation, DoneAs, Item, ItemId, State};

/// How long after its arrival an item's record is first asked for: the vendor has it 5 s after the call's end
/// (647/68940).
pub const FIRST_ASKED: Duration = Duration::from_secs(5);

/// The longest delay between two questions, so that a clock that was set back holds nothing up for longer.
pub const LONGEST_DELAY: Duration = Duration::from_secs(60 * 60);

/// Which keys a record may decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Those of which nothing is known: calls whose callback never came.
    Unknown,
    /// All of them: the record is believed more than any callback.
    All,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PutRecord {
    /// Its key was not known: it is stored as an item, and waits.
    Stored(ItemId),
    /// What is known of the call would be billed the same, or was decided before: nothing is to be done.
    Known,
    /// What is known would be billed differently, and stays: it is in a worker's hands, or was put away by a
    /// handler or a person, or [`Scope::Unknown`] leaves it alone.
    Differs,
    /// This item of its key was not worked yet. It has the record now, and waits.
    Confirmed(ItemId),
    /// What was worked is wrong: an item waits that corrects it.
    Corrects {
        /// The one that waits: another one of the key, or the record itself.
        item: ItemId,
        /// The one that was worked.
        replaced: ItemId,
    },
}

/// What a store knows of a record's key, with the key locked: [`rule`](Self::rule) says what is to be done.
#[derive(Clone, Debug)]
pub struct KnownKey {
    /// What is compared of its bodies.
    pub bodies: ComparedBodies,
    /// Its items.
    pub items: Vec<KnownItem>,
    /// The item of the key that was handled last, of those that are pruned.
    pub pruned_handled: Option<ItemId>,
}

/// An item of a key.
#[derive(Clone, Debug)]
pub struct KnownItem {
    /// Its number.
    pub id: ItemId,
    /// Where it stands.
    pub state: State,
    /// How and when it was done.
    pub done: Option<(DoneAs, SystemTime)>,
    /// Why it is dead, if for want of a record.
    pub confirmation: Option<Confirmation>,
    /// What a handler got or would get; `None` if that is erased.
    pub compared: Option<Compared>,
}

/// What is to be done with the key of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// Nothing.
    Leave(PutRecord),
    /// What was worked is right: the key is decided, and these are done, as rejected.
    Stands {
        /// The others.
        reject: Vec<ItemId>,
    },
    /// The key is decided, and an item waits as if it were new, with the record.
    Work {
        /// Which one; none if the record itself becomes one.
        item: Option<ItemId>,
        /// The item that was worked, and is corrected by it.
        replaces: Option<ItemId>,
        /// The others that are not done: they are done, as rejected.
        reject: Vec<ItemId>,
    },
}

impl KnownItem {
    /// What the ruling has to know of an item with its body.
    #[must_use]
    pub fn of(item: &Item) -> Self {
        let (command, body) = match &item.record {
            Some(record) => (Some(&Command::CallEnded), Some(record)),
            None => (item.command.as_ref(), item.body.as_ref()),
        };
        Self {
            id: item.id,
            state: item.state,
            done: item.done,
            confirmation: item.confirmation,
            compared: body.map(|body| Compared::of_body(command, body)),
        }
    }

    /// Whether a record may have it worked.
    fn is_open(&self) -> bool {
        match self.state {
            State::Waiting | State::Confirming | State::Disputed => true,
            // Nobody but a record can help it.
            State::Dead => matches!(
                self.confirmation,
                Some(Confirmation::Missing | Confirmation::TooOld | Confirmation::Undecidable)
            ),
            State::Leased | State::Done => false,
        }
    }

    fn agrees_with(&self, record: &Compared) -> bool {
        self.compared.as_ref().is_some_and(|compared| !compared.differs(record))
    }
}

impl KnownKey {
    /// Whether there is nothing to decide, which can be said without the items: for the many records that are
    /// seen again and again.
    #[must_use]
    pub fn is_decided_by(bodies: &ComparedBodies, record: &Compared) -> bool {
        !record.is_record() || (bodies.are_decided() && bodies.all_agree_with(record))
    }

    /// What a record decides. A record that does not tell what to bill decides nothing.
    #[must_use]
    pub fn rule(&self, record: &Compared, scope: Scope) -> Ruling {
        if Self::is_decided_by(&self.bodies, record) {
            return Ruling::Leave(PutRecord::Known);
        }
        let open: Vec<&KnownItem> = self.items.iter().filter(|item| item.is_open()).collect();
        // Once the key is decided, a dead one that is replayed must not undo that.
        let undone = || self.items.iter().filter(|item| item.state != State::Done);
        let is_worked = self.items.iter().any(|item| item.state == State::Leased);
        let agrees = match self.handled() {
            Some(Handled { compared: Some(compared), .. }) => !compared.differs(record),
            _ => self.bodies.all_agree_with(record),
        };
        let left = Ruling::Leave(if agrees { PutRecord::Known } else { PutRecord::Differs });
        if scope == Scope::Unknown || is_worked {
            return left;
        }
        let replaces = match self.handled() {
            Some(_) if agrees => {
                let reject: Vec<ItemId> = undone().map(|item| item.id).collect();
                return if reject.is_empty() { left } else { Ruling::Stands { reject } };
            }
            Some(handled) => Some(handled.id),
            // A handler or a person has put it away.
            None if open.is_empty() => return left,
            None => None,
        };
        let chosen = open.iter().find(|item| item.agrees_with(record)).or(open.first());
        let chosen = chosen.map(|item| item.id);
        let others = undone().map(|item| item.id).filter(|item| Some(*item) != chosen);
        Ruling::Work { item: chosen, replaces, reject: others.collect() }
    }

    /// The item that was handled last.
    fn handled(&self) -> Option<Handled<'_>> {
        let handled = self.items.iter().filter_map(|item| match item.done {
            Some((DoneAs::Handled, at)) => Some((at, item)),
            _ => None,
        });
        let last = handled.max_by_key(|(at, item)| (*at, item.id));
        match last {
            Some((_, item)) => Some(Handled { id: item.id, compared: item.compared.as_ref() }),
            None => self.pruned_handled.map(|id| Handled { id, compared: None }),
        }
    }
}

struct Handled<'a> {
    id: ItemId,
    compared: Option<&'a Compared>,
}

/// Which items somebody wants to ask the vendor about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AskRequest {
    /// Of this app.
    pub sdk_app_id: SdkAppId,
    /// The most of them.
    pub limit: usize,
    /// How many are asked about in a second, by all who share the store.
    pub per_second: u32,
    /// How long nobody else gets them.
    pub term: Duration,
}

impl AskRequest {
    /// Those that wait for their record, and those that are disputed.
    #[must_use]
    pub fn new(sdk_app_id: SdkAppId, limit: usize, per_second: u32, term: Duration) -> Self {
        Self { sdk_app_id, limit, per_second, term }
    }
}

/// What somebody gets to ask about.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Asked {
    /// The items, the longest due first.
    pub items: Vec<AskedItem>,
    /// In how long there may be more: none if nothing else waits.
    pub next: Option<Duration>,
}

impl Asked {
    /// These items.
    #[must_use]
    pub fn new(items: Vec<AskedItem>, next: Option<Duration>) -> Self {
        Self { items, next }
    }
}

/// An item to ask about.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AskedItem {
    /// The right to store what the vendor says.
    pub lease: Lease,
    /// Its call.
    pub call_id: String,
    /// When it was stored.
    pub received_at: SystemTime,
    /// How long ago that was, by the store's clock.
    pub waiting_for: Duration,
    /// How long ago the vendor first said that it knows no such call, if it has.
    pub missing_for: Option<Duration>,
}

impl AskedItem {
    /// An item of this call.
    #[must_use]
    pub fn new(
        lease: Lease,
        call_id: String,
        received_at: SystemTime,
        waiting_for: Duration,
        missing_for: Option<Duration>,
    ) -> Self {
        Self { lease, call_id, received_at, waiting_for, missing_for }
    }
}

/// What came of a question, if not a record: that is for [`put_records`](super::Store::put_records).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The vendor knows no such call. It is asked again after so long.
    Missing {
        /// How long, at most [`LONGEST_DELAY`].
        after: Duration,
        /// For a person, at most 1 KiB.
        error: String,
    },
    /// The vendor could not be asked, or did not answer. It is asked again after so long.
    Later {
        /// How long, at most [`LONGEST_DELAY`].
        after: Duration,
        /// For a person, at most 1 KiB.
        error: String,
    },
    /// It is not asked about again: the item is dead. One that is disputed stays so.
    GiveUp {
        /// Why.
        why: Confirmation,
        /// For a person, at most 1 KiB.
        error: String,
    },
}

/// How many questions may be asked now: a bucket that fills by so many a second, up to a second's worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    per_second: u32,
    /// Where the bucket was emptied to.
    from: SystemTime,
    now: SystemTime,
}

impl Budget {
    const SECOND: Duration = Duration::from_secs(1);

    /// The bucket of an app, by when it will be as if nothing had been asked.
    #[must_use]
    pub fn new(per_second: u32, spent_until: Option<SystemTime>, now: SystemTime) -> Self {
        let full = now.checked_sub(Self::SECOND).unwrap_or(now);
        // Beyond a second ahead it was written by a clock that was set back since.
        let latest = now.checked_add(Self::SECOND).unwrap_or(now);
        let from =
            spent_until.filter(|until| *until <= latest).map_or(full, |until| until.max(full));
        Self { per_second: per_second.clamp(1, 1000), from, now }
    }

    /// How many may be asked.
    #[must_use]
    pub fn available(&self) -> usize {
        let time = self.now.duration_since(self.from).unwrap_or_default();
        usize::try_from(time.as_millis().saturating_mul(self.per_second.into()) / 1000)
            .unwrap_or(usize::MAX)
    }

    /// What is to be kept after so many were asked.
    #[must_use]
    pub fn spend(&self, asked: usize) -> SystemTime {
        self.from.checked_add(self.time(asked)).unwrap_or(self.now)
    }

    /// In how long another one may be asked after so many.
    #[must_use]
    pub fn next_after(&self, asked: usize) -> Duration {
        let next = self.spend(asked.saturating_add(1));
        next.duration_since(self.now).unwrap_or_default()
    }

    fn time(&self, asked: usize) -> Duration {
        let asked = u64::try_from(asked).unwrap_or(u64::MAX);
        Duration::from_millis(asked.saturating_mul(1000).div_ceil(self.per_second.into()))
    }
}
