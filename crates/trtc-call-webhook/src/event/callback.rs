//! All commands in one type.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CallEnded, CallStarted, Command, MemberChanged};

/// Any callback of Call (647/68934), and any other that comes authentic to the same URL.
///
/// ```
/// use trtc_call_webhook::Callback;
///
/// fn line(callback: &Callback) -> String {
///     match callback {
///         Callback::CallEnded(call) => format!("{} ended", call.call_id),
///         Callback::CallStarted(call) => format!("{} started", call.call_id),
///         Callback::MemberChanged(change) => format!("{} changed", change.call_id),
///         other => other.command().to_string(),
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Callback {
    /// A call ended.
    CallEnded(CallEnded),
    /// A call was started.
    CallStarted(CallStarted),
    /// A member of a running call did something.
    MemberChanged(MemberChanged),
    /// Anything else.
    Other(OtherCallback),
}

/// A callback for a command that this version does not know, or for one that it knows but without
/// a call id.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OtherCallback {
    /// The command.
    pub command: Command,
    /// The whole body: one JSON object, with the white space around it, without a byte order mark.
    pub json: String,
}

impl OtherCallback {
    /// A callback by its command and the JSON of its body.
    #[must_use]
    pub fn new(command: impl Into<Command>, json: impl Into<String>) -> Self {
        Self { command: command.into(), json: json.into() }
    }
}

impl fmt::Debug for OtherCallback {
    /// Leaves the body out, but for its length in bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtherCallback")
            .field("command", &self.command)
            .field("json_length", &self.json.len())
            .finish()
    }
}

impl Callback {
    /// The command.
    #[must_use]
    pub const fn command(&self) -> &Command {
        match self {
            Self::CallEnded(_) => &Command::CallEnded,
            Self::CallStarted(_) => &Command::CallStarted,
            Self::MemberChanged(_) => &Command::MemberChanged,
            Self::Other(other) => &other.command,
        }
    }

    /// The call's id; only [`Other`](Self::Other) has none.
    #[must_use]
    pub fn call_id(&self) -> Option<&str> {
        match self {
            Self::CallEnded(event) => Some(&event.call_id),
            Self::CallStarted(event) => Some(&event.call_id),
            Self::MemberChanged(event) => Some(&event.call_id),
            Self::Other(_) => None,
        }
    }
}

impl From<CallEnded> for Callback {
    fn from(event: CallEnded) -> Self {
        Self::CallEnded(event)
    }
}

impl From<CallStarted> for Callback {
    fn from(event: CallStarted) -> Self {
        Self::CallStarted(event)
    }
}

impl From<MemberChanged> for Callback {
    fn from(event: MemberChanged) -> Self {
        Self::MemberChanged(event)
    }
}

impl From<OtherCallback> for Callback {
    fn from(callback: OtherCallback) -> Self {
        Self::Other(callback)
    }
}
