//! `Call.CallbackAfterMemberChanged`.

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::decode::{Decode, Decoded};
use super::{Event, Member};
use crate::decode::{self, Body};
use crate::dedup::IdempotencyKey;
use crate::error::Error;
use crate::json::{self, Entry, Id, Integer, List, Mode, Scalar, Word, object};
use crate::names::{ActionType, Command};
use crate::params::Params;
use crate::time::UnixMillis;
use crate::wire;

/// Members of a running call answered, hung up, joined, were invited … (647/69215).
///
/// Only the call id is sure to be there. The names in parentheses are those on the wire; here they
/// all stand at the top of the body.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MemberChanged {
    /// The call's id (`CallId`), never empty when it came in a callback.
    pub call_id: String,
    /// Everybody who takes part now (`UserList`).
    #[serde(default)]
    pub members: Vec<Member>,
    /// Who did what (`ChangedUserList`); they need not be among the members.
    #[serde(default)]
    pub changes: Vec<MemberChange>,
    /// When the event came about (`EventTime`).
    pub event_time: Option<UnixMillis>,
}

/// What one member did (`ChangedUserList` of 647/69215).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MemberChange {
    /// User id (`User_Account`).
    pub account: String,
    /// What the member did, or what was done to it (`ActionType`).
    pub action: Option<ActionType>,
}

impl MemberChange {
    /// A change by the member's user id and action.
    #[must_use]
    pub fn new(account: impl Into<String>, action: impl Into<Option<ActionType>>) -> Self {
        Self { account: account.into(), action: action.into() }
    }
}

impl MemberChanged {
    /// An event with nothing but the call's id, for tests and for [`sender`](crate::sender).
    #[must_use]
    pub fn new(call_id: impl Into<String>) -> Self {
        Self { call_id: call_id.into(), members: Vec::new(), changes: Vec::new(), event_time: None }
    }
}

impl Event for MemberChanged {}

impl Decode for MemberChanged {
    fn decode(in_url: Option<&Command>, body: &[u8]) -> Result<Decoded<Self>, Error> {
        decode::single::<MemberChangedBody<'_>>(in_url, body)
    }

    fn idempotency_key(&self, params: &Params, _: &[u8]) -> IdempotencyKey {
        IdempotencyKey::of_member_change(params, self)
    }
}

object! {
    pub(super) struct MemberChangedBody {
        command: Scalar<'de> = wire::COMMAND,
        call_id: Id = wire::CALL_ID,
        members: List<Member> = wire::USER_LIST,
        changes: List<MemberChange> = wire::CHANGED_USER_LIST,
        event_time: Integer = wire::EVENT_TIME,
    }
}

impl<'a> Body<'a> for MemberChangedBody<'a> {
    const COMMAND: Command = Command::MemberChanged;
    type Event = MemberChanged;

    fn command(&self) -> &Scalar<'a> {
        self.command.scalar()
    }

    #[inline]
    fn into_event(self) -> Option<MemberChanged> {
        Some(MemberChanged {
            call_id: self.call_id.id().filter(|id| !id.is_empty())?,
            members: self.members.list(),
            changes: self.changes.list(),
            event_time: self.event_time.integer().map(UnixMillis::new),
        })
    }
}

object! {
    struct ChangeFields {
        account: Id = wire::ACCOUNT,
        action: Word<ActionType> = wire::ACTION_TYPE,
    }
}

/// A change without a user id is skipped; a user id alone is a change without an action.
impl<'de> Entry<'de> for MemberChange {
    fn of_account(account: String) -> Self {
        Self::new(account, None)
    }

    fn of_map<A: MapAccess<'de>>(map: A, mode: Mode) -> Result<Option<Self>, A::Error> {
        let mut fields = ChangeFields::default();
        json::FieldsVisitor { object: &mut fields, mode }.visit_map(map)?;
        let action = fields.action.word();
        Ok(fields.account.id().map(|account| Self { account, action }))
    }
}
