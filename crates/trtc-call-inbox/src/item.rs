//! One stored callback, before and after it is in the store.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;
use std::time::SystemTime;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use trtc_call_webhook::{
    CallEnded, Callback, Command, Delivery, Error, Event, IdempotencyKey, SdkAppId, Signature,
    decode,
};

use crate::compared::Compared;

/// The number of an item in its store: never used again, also after the item is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId(i64);

impl ItemId {
    /// The item of this number.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ItemId {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// An enum that is kept as a word.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name { $($(#[$doc])* $variant),* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word for it, as a store keeps it and the command prints it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// What the word stands for.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// Where an item stands; the crate's front page draws who moves it where.
    State {
        /// It is handed to a worker once it is due.
        Waiting = "waiting",
        /// It waits for the vendor's record before it is handed to a worker: see
        /// [`Confirm`](crate::Confirm).
        Confirming = "confirming",
        /// A worker has it.
        Leased = "leased",
        /// It is not worked again. [`DoneAs`] says how that came.
        Done = "done",
        /// It is not tried again by itself: the dead letter. Replay or discard it.
        Dead = "dead",
        /// Another body under its key would be billed differently. Resolve or discard it.
        Disputed = "disputed",
    }
}

words! {
    /// How an item came to be done.
    DoneAs {
        /// A handler took it.
        Handled = "handled",
        /// No handler takes its command, and the worker is told to leave those alone.
        NoHandler = "no handler",
        /// A person discarded it.
        Discarded = "discarded",
        /// A dispute was resolved in favour of another item of its key.
        Rejected = "rejected",
    }
}

words! {
    /// Who said that there was a call.
    Source {
        /// A verified callback.
        Callback = "callback",
        /// The vendor's record API, asked for what never came.
        Record = "record",
    }
}

words! {
    /// What came of asking for an item's record, where there is none, or of a person's decision.
    Confirmation {
        /// The vendor knew no such call for an hour: a forged callback, as far as anybody can tell. The item
        /// is dead, and is taken up if the record is found after all.
        Missing = "unconfirmed",
        /// The vendor could not be asked within the 7 days for which it keeps records. The item is dead; that
        /// says nothing about who sent it.
        TooOld = "too old to confirm",
        /// The record does not tell either what to bill. The item is dead.
        Undecidable = "undecidable",
        /// A person has decided that it is true: nobody is asked. A record that comes all the same is believed
        /// more.
        Resolved = "resolved",
    }
}

words! {
    /// What the signature of a callback was found to be when it came in; see
    /// [`Signature`] for what each says.
    SignatureFound {
        /// It is there and right.
        Valid = "valid",
        /// There was none.
        Missing = "missing",
        /// It is wrong, and the app reports only.
        Invalid = "invalid",
        /// Some of it is there, and the app has no token to verify it with.
        Unverified = "unverified",
    }
}

impl From<Signature> for SignatureFound {
    fn from(signature: Signature) -> Self {
        Self::from_word(signature.as_str()).unwrap_or(Self::Unverified)
    }
}

/// What a store is given to keep.
///
/// It holds neither the URL nor an address nor the signature itself.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewItem {
    /// The idempotency key: unique in the store, compared byte by byte.
    pub key: String,
    /// The app.
    pub sdk_app_id: SdkAppId,
    /// The command that the URL had, if it had one: the body is decoded by it.
    pub command: Option<Command>,
    /// The call, where the body decodes and names one.
    pub call_id: Option<String>,
    /// Who said so.
    pub source: Source,
    /// What the signature was found to be.
    pub signature: SignatureFound,
    /// The body, byte for byte.
    pub body: Bytes,
    /// Whether the vendor has a record of it: of a call that ended, and of nothing else.
    pub has_record: bool,
    /// The body's SHA-256.
    pub sha256: [u8; 32],
    /// What decides whether another body of the same key would be billed the same.
    pub compared: Compared,
}

impl NewItem {
    /// What is kept of a record: the body is that of a callback of an ended call, with the vendor's own
    /// record in it. It says nothing about a signature, and never passes as a verified callback.
    ///
    /// # Errors
    ///
    /// If the body is not such a one: [`MalformedBody`], [`CommandMismatch`], [`NoCallId`].
    ///
    /// [`MalformedBody`]: trtc_call_webhook::ErrorKind::MalformedBody
    /// [`CommandMismatch`]: trtc_call_webhook::ErrorKind::CommandMismatch
    /// [`NoCallId`]: trtc_call_webhook::ErrorKind::NoCallId
    pub fn of_record(sdk_app_id: impl Into<SdkAppId>, body: Bytes) -> Result<Self, Error> {
        let (sdk_app_id, command) = (sdk_app_id.into(), Command::CallEnded);
        let call = decode::<CallEnded>(Some(&command), &body)?.unwrap_or_default();
        Ok(Self {
            key: IdempotencyKey::of_call_ended(sdk_app_id, &call.call_id).as_str().to_owned(),
            sdk_app_id,
            command: Some(command),
            call_id: Some(call.call_id.clone()),
            source: Source::Record,
            signature: SignatureFound::Missing,
            has_record: true,
            sha256: Sha256::digest(&body).into(),
            body,
            compared: Compared::of_record(&call),
        })
    }

    /// What is kept of a delivery, in whatever form it was taken.
    #[must_use]
    pub fn of<E: Event>(delivery: &Delivery<E>) -> Self {
        // Decoded once, for the key too.
        let decoded = delivery.decode_as::<Callback>().ok().flatten();
        let key = decoded.as_ref().map(Delivery::idempotency_key);
        let callback = decoded.as_ref().map(Delivery::event);
        let call_id = callback.and_then(call_id_of).map(str::to_owned);
        Self {
            key: key.unwrap_or_else(|| delivery.idempotency_key()).as_str().to_owned(),
            sdk_app_id: delivery.params().sdk_app_id(),
            command: delivery.params().command().cloned(),
            call_id,
            source: Source::Callback,
            signature: delivery.signature().into(),
            has_record: matches!(callback, Some(Callback::CallEnded(_))),
            sha256: Sha256::digest(delivery.body()).into(),
            body: delivery.body().clone(),
            compared: callback.map(Compared::of).unwrap_or_default(),
        }
    }
}

impl fmt::Debug for NewItem {
    /// Leaves the body out, but for its length in bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewItem")
            .field("key", &self.key)
            .field("signature", &self.signature)
            .field("body_length", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The call that a callback is about.
pub(crate) fn call_id_of(callback: &Callback) -> Option<&str> {
    match callback {
        Callback::CallEnded(call) => Some(&call.call_id),
        Callback::CallStarted(call) => Some(&call.call_id),
        Callback::MemberChanged(change) => Some(&change.call_id),
        _ => None,
    }
}

/// An item as a store has it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// Its number.
    pub id: ItemId,
    /// The idempotency key.
    pub key: String,
    /// The app.
    pub sdk_app_id: SdkAppId,
    /// The command that the URL had.
    pub command: Option<Command>,
    /// The call, where the body decodes and names one.
    pub call_id: Option<String>,
    /// Who said so.
    pub source: Source,
    /// What the signature was found to be.
    pub signature: SignatureFound,
    /// The body; `None` once it is erased.
    pub body: Option<Bytes>,
    /// The vendor's record of its call, where it has one: what a handler is given instead of the body.
    pub record: Option<Bytes>,
    /// What came of asking for the record, if none came.
    pub confirmation: Option<Confirmation>,
    /// The body's SHA-256, which stays.
    pub sha256: [u8; 32],
    /// When it was stored.
    pub received_at: SystemTime,
    /// Where it stands.
    pub state: State,
    /// When it is handed out, if it is [waiting](State::Waiting), or asked about, if it waits for its record.
    pub due_at: SystemTime,
    /// How often it was handed to a handler since it was stored or replayed.
    pub attempts: u32,
    /// How many of its last leases in a row ended without a word: the process ended, or stood still.
    pub lost_leases: u32,
    /// What went wrong at last, cut to 1 KiB.
    pub last_error: Option<String>,
    /// How and when it was done.
    pub done: Option<(DoneAs, SystemTime)>,
    /// The done item that this one corrects, after a dispute was resolved.
    pub replaces: Option<ItemId>,
}

impl Item {
    /// An item that waits, as a store makes one of what it is given.
    #[must_use]
    pub fn new(id: ItemId, new: NewItem, received_at: SystemTime) -> Self {
        let NewItem { key, sdk_app_id, command, call_id, source, signature, body, sha256, .. } =
            new;
        Self {
            id,
            key,
            sdk_app_id,
            command,
            call_id,
            source,
            signature,
            body: Some(body),
            record: None,
            confirmation: None,
            sha256,
            received_at,
            state: State::Waiting,
            due_at: received_at,
            attempts: 0,
            lost_leases: 0,
            last_error: None,
            done: None,
            replaces: None,
        }
    }

    /// An item without a body, for a store that fills in what its row has.
    #[must_use]
    pub fn blank(id: ItemId, key: String, sdk_app_id: SdkAppId) -> Self {
        Self {
            id,
            key,
            sdk_app_id,
            command: None,
            call_id: None,
            source: Source::Callback,
            signature: SignatureFound::Unverified,
            body: None,
            record: None,
            confirmation: None,
            sha256: [0; 32],
            received_at: SystemTime::UNIX_EPOCH,
            state: State::Waiting,
            due_at: SystemTime::UNIX_EPOCH,
            attempts: 0,
            lost_leases: 0,
            last_error: None,
            done: None,
            replaces: None,
        }
    }

    /// The command: the URL's, or else the body's.
    #[must_use]
    pub fn command(&self) -> Option<Command> {
        self.command.clone().or_else(|| {
            let body = self.body.as_ref()?;
            let callback = decode::<Callback>(None, body).ok()??;
            Some(callback.command().clone())
        })
    }
}

impl fmt::Debug for Item {
    /// Leaves the body out, but for its length in bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item")
            .field("id", &self.id)
            .field("key", &self.key)
            .field("state", &self.state)
            .field("attempts", &self.attempts)
            .field("body_length", &self.body.as_ref().map(Bytes::len))
            .finish_non_exhaustive()
    }
}
