//! The samples that the documents print, as fixtures.
//!
//! Two of the three are no valid JSON in the documents, for want of a comma or for a comment too
//! many; nothing else is changed in them. The times of the ended call do not fit its event, the
//! caller is among its callees, and the user ids of the started call are numbers above 2^53: the
//! documents have it so.

use crate::event::Command;
use crate::wire;

/// The body of `Call.CallbackAfterEndCall` (647/68940): a call that nobody answered.
pub const CALL_ENDED: &str = include_str!("samples/call-ended.json");

/// The body of `Call.CallbackAfterStartCall` (647/68941): two members, of whom one waits.
pub const CALL_STARTED: &str = include_str!("samples/call-started.json");

/// The body of `Call.CallbackAfterMemberChanged` (647/69215): one of two members has answered.
pub const MEMBER_CHANGED: &str = include_str!("samples/member-changed.json");

/// The body for a command; for one that is not documented, an object with nothing but the command.
pub(super) fn of(command: &Command) -> String {
    match command {
        Command::CallEnded => CALL_ENDED.to_owned(),
        Command::CallStarted => CALL_STARTED.to_owned(),
        Command::MemberChanged => MEMBER_CHANGED.to_owned(),
        Command::Other(_) => wire::write_envelope(command),
    }
}
