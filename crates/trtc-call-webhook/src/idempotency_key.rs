//! The key by which a delivery is known again when it is delivered again.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::SdkAppId;
use crate::event::{CallEnded, CallStarted, Callback, Command, MemberChanged};
use crate::hex;

/// Everything that could be mistaken for the key's own separators; leaves documented words as
/// they are.
pub(crate) const UNSAFE_IN_COMMAND: AsciiSet =
    NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-');

/// Equal for two deliveries of the same event, different for different events.
///
/// (Two changes of the same members of a call whose times cannot be read count as one.)
///
/// The vendor documents none. This is made of the app, the command and the call id; for a member
/// change also of the event time and the changes; for any other callback of the body's SHA-256. It
/// does not depend on the signature, which is the same for all callbacks of one second. The key of an
/// event is the same in every later version; CONTRACT.md in the repository has its grammar.
///
/// Fit to be a unique key in a database that compares bytes (a binary collation: call ids may differ in
/// nothing but case): at most a few hundred bytes, without control characters. A call id that would
/// make it otherwise stands in it as its SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdempotencyKey(Box<str>);

/// The longest call id that stands in a key as it is, in bytes. The vendor's are UUIDs.
const MAX_PLAIN_ID: usize = 128;

impl IdempotencyKey {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of the callback that says that a call ended: what a call has of which only the vendor's
    /// record is known (647/68930).
    ///
    /// ```
    /// use trtc_call_webhook::IdempotencyKey;
    ///
    /// let key = IdempotencyKey::of_call_ended(1400000001, "a-1");
    /// assert_eq!(key.as_str(), "1400000001:Call.CallbackAfterEndCall:a-1");
    /// ```
    #[must_use]
    pub fn of_call_ended(app: impl Into<SdkAppId>, call_id: &str) -> Self {
        Self::of_call(app.into(), &Command::CallEnded, call_id)
    }

    fn of_call(app: SdkAppId, command: &Command, call_id: &str) -> Self {
        let command = command.as_str();
        if is_plain(call_id) {
            Self::new(app, format_args!("{command}:{call_id}"))
        } else {
            Self::new(app, format_args!("{command}~:{}", sha256(call_id.as_bytes())))
        }
    }

    fn of_member_change(app: SdkAppId, event: &MemberChanged) -> Self {
        let mut hash = Sha256::new();
        // Each piece with its length before it, so that no two events give the same bytes.
        let mut add = |piece: Option<&[u8]>| {
            let length = piece.map_or(u64::MAX, |piece| u64::try_from(piece.len()).unwrap_or(0));
            hash.update(length.to_le_bytes());
            hash.update(piece.unwrap_or_default());
        };
        add(Some(event.call_id.as_bytes()));
        add(event
            .event_time
            .map(|time| time.get().to_le_bytes())
            .as_ref()
            .map(<[u8; 8]>::as_slice));
        for change in &event.changes {
            add(Some(change.account.as_bytes()));
            add(change.action.as_ref().map(|action| action.as_str().as_bytes()));
        }
        let hash = hex::lower(&hash.finalize().into());
        let (command, call_id) = (Command::MemberChanged, &event.call_id);
        if is_plain(call_id) {
            Self::new(app, format_args!("{command}:{call_id}:{hash}"))
        } else {
            Self::new(app, format_args!("{command}~:{hash}"))
        }
    }

    pub(crate) fn of_body(app: SdkAppId, command: Option<&Command>, body: &[u8]) -> Self {
        let command = command.map_or("", Command::as_str);
        let hash = sha256(body);
        if command.len() <= MAX_PLAIN_ID {
            // The sign sets it apart from every key of a call, whatever its id is.
            let command = utf8_percent_encode(command, &UNSAFE_IN_COMMAND);
            Self::new(app, format_args!("{command}#:{hash}"))
        } else {
            Self::new(app, format_args!("~{}#:{hash}", sha256(command.as_bytes())))
        }
    }

    fn new(app: SdkAppId, rest: fmt::Arguments<'_>) -> Self {
        Self(format!("{app}:{rest}").into())
    }
}

fn is_plain(call_id: &str) -> bool {
    call_id.len() <= MAX_PLAIN_ID && !call_id.contains(char::is_control)
}

fn sha256(bytes: &[u8]) -> String {
    hex::lower(&Sha256::digest(bytes).into())
}

/// What a key is made of, for each form in which a delivery can be taken.
#[expect(unnameable_types, reason = "a part of `Event`, which is sealed")]
pub trait Keyed {
    /// The key of the delivery that holds this event.
    fn key(&self, app: SdkAppId, in_url: Option<&Command>, body: &[u8]) -> IdempotencyKey;
}

impl Keyed for CallEnded {
    fn key(&self, app: SdkAppId, _: Option<&Command>, _: &[u8]) -> IdempotencyKey {
        IdempotencyKey::of_call_ended(app, &self.call_id)
    }
}

impl Keyed for CallStarted {
    fn key(&self, app: SdkAppId, _: Option<&Command>, _: &[u8]) -> IdempotencyKey {
        IdempotencyKey::of_call(app, &Command::CallStarted, &self.call_id)
    }
}

impl Keyed for MemberChanged {
    fn key(&self, app: SdkAppId, _: Option<&Command>, _: &[u8]) -> IdempotencyKey {
        IdempotencyKey::of_member_change(app, self)
    }
}

impl Keyed for Callback {
    fn key(&self, app: SdkAppId, in_url: Option<&Command>, body: &[u8]) -> IdempotencyKey {
        match self {
            Self::CallEnded(event) => event.key(app, in_url, body),
            Self::CallStarted(event) => event.key(app, in_url, body),
            Self::MemberChanged(event) => event.key(app, in_url, body),
            Self::Other(other) => IdempotencyKey::of_body(app, Some(&other.command), body),
        }
    }
}

impl AsRef<str> for IdempotencyKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<IdempotencyKey> for String {
    fn from(key: IdempotencyKey) -> Self {
        key.0.into()
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
