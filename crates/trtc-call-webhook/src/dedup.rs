//! The key by which a delivery is known again when it is delivered again.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::event::MemberChanged;
use crate::hex;
use crate::names::Command;
use crate::params::Params;

/// Everything that could be mistaken for the key's own separators; leaves documented words as
/// they are.
const COMMAND: AsciiSet = NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-');

/// Equal for two deliveries of the same event, different for different events.
///
/// The vendor documents none. This is made of the app, the command and the call id; for a member
/// change also of the event time and the changes; for any other callback of the body's SHA-256. It
/// does not depend on the signature, which is the same for all callbacks of one second.
///
/// Fit to be a unique key in a database: as long as the call id, plus at most 64 hex digits and
/// what the app and the command take.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DedupKey(Box<str>);

impl DedupKey {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn of_call(params: &Params, command: &Command, call_id: &str) -> Self {
        Self::new(params, command.as_str(), call_id)
    }

    pub(crate) fn of_member_change(params: &Params, event: &MemberChanged) -> Self {
        let mut hash = Sha256::new();
        // Each piece with its length before it, so that no two events give the same bytes.
        let mut add = |piece: &[u8]| {
            hash.update(u64::try_from(piece.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(piece);
        };
        add(event.event_time.map(|time| time.get().to_le_bytes()).as_ref().map_or(&[], |b| b));
        for change in &event.changes {
            add(change.account.as_bytes());
            add(change.action.as_ref().map_or("", |action| action.as_str()).as_bytes());
        }
        let rest = format!("{}:{}", event.call_id, hex::lower(&hash.finalize().into()));
        Self::new(params, Command::MemberChanged.as_str(), &rest)
    }

    pub(crate) fn of_body(params: &Params, command: Option<&Command>, body: &[u8]) -> Self {
        let command = command.map_or("", Command::as_str);
        // Apart from every key of a call, whatever its id is.
        let digest = hex::lower(&Sha256::digest(body).into());
        Self::new(params, &format!("{}#", utf8_percent_encode(command, &COMMAND)), &digest)
    }

    fn new(params: &Params, command: &str, rest: &str) -> Self {
        Self(format!("{}:{command}:{rest}", params.sdk_app_id()).into())
    }
}

impl AsRef<str> for DedupKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<DedupKey> for String {
    fn from(key: DedupKey) -> Self {
        key.0.into()
    }
}

impl fmt::Display for DedupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
