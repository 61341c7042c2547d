//! `Call.CallbackAfterStartCall`.

use serde::{Deserialize, Serialize};

use super::decode::{Decode, Decoded};
use super::{Event, Member};
use crate::decode::{self, Body};
use crate::dedup::IdempotencyKey;
use crate::error::Error;
use crate::json::{Id, Integer, List, Nested, Scalar, Word, object};
use crate::names::{Command, MediaType};
use crate::params::Params;
use crate::room::{RoomId, RoomIdType};
use crate::time::UnixMillis;
use crate::wire;

/// A client started a call (647/68941).
///
/// Only the call id is sure to be there. The names in parentheses are those on the wire, inside
/// `CallInfo` unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CallStarted {
    /// The call's id (`CallId`), never empty when it came in a callback.
    pub call_id: String,
    /// Voice or video (`MediaType`, or `CallMediaType` as in the page's samples).
    pub media_type: Option<MediaType>,
    /// The Chat group that the call belongs to (`ChatGroupId`); empty for a call outside of one.
    pub chat_group_id: Option<String>,
    /// The TRTC room as sent (`RoomId`): [`room`](Self::room) leaves an empty one out.
    pub room_id: Option<RoomId>,
    /// How the room's id is meant (`RoomIdType`).
    pub room_id_type: Option<RoomIdType>,
    /// Who takes part (`UserList`, beside `CallInfo`).
    #[serde(default)]
    pub members: Vec<Member>,
    /// When the event came about (`EventTime`, beside `CallInfo`).
    pub event_time: Option<UnixMillis>,
}

impl CallStarted {
    /// An event with nothing but the call's id, for tests and for [`sender`](crate::sender).
    #[must_use]
    pub fn new(call_id: impl Into<String>) -> Self {
        Self {
            call_id: call_id.into(),
            media_type: None,
            chat_group_id: None,
            room_id: None,
            room_id_type: None,
            members: Vec::new(),
            event_time: None,
        }
    }

    /// The TRTC room, if the callback names one.
    #[must_use]
    pub fn room(&self) -> Option<&RoomId> {
        self.room_id.as_ref().filter(|room| !room.is_empty())
    }
}

impl Event for CallStarted {}

impl Decode for CallStarted {
    fn decode(in_url: Option<&Command>, body: &[u8]) -> Result<Decoded<Self>, Error> {
        decode::single::<CallStartedBody<'_>>(in_url, body)
    }

    fn idempotency_key(&self, params: &Params, _: &[u8]) -> IdempotencyKey {
        IdempotencyKey::of_call(params, &Command::CallStarted, &self.call_id)
    }
}

object! {
    pub(super) struct CallStartedBody {
        command: Scalar<'de> = wire::COMMAND,
        info: Nested<CallInfo<'de>> = wire::CALL_INFO,
        members: List<Member> = wire::USER_LIST,
        event_time: Integer = wire::EVENT_TIME,
    }
}

object! {
    struct CallInfo {
        call_id: Id = wire::CALL_ID,
        media_type: Word<MediaType> = wire::MEDIA_TYPE,
        call_media_type: Word<MediaType> = wire::CALL_MEDIA_TYPE,
        chat_group_id: Id = wire::CHAT_GROUP_ID,
        room_id: Scalar<'de> = wire::ROOM_ID,
        room_id_type: Integer = wire::ROOM_ID_TYPE,
    }
}

impl<'a> Body<'a> for CallStartedBody<'a> {
    const COMMAND: Command = Command::CallStarted;
    type Event = CallStarted;

    fn command(&self) -> &Scalar<'a> {
        self.command.scalar()
    }

    #[inline]
    fn into_event(self) -> Option<CallStarted> {
        let event_time = self.event_time.integer().map(UnixMillis::new);
        self.info.object().into_event(self.members.list(), event_time)
    }
}

impl CallInfo<'_> {
    #[inline]
    fn into_event(
        self,
        members: Vec<Member>,
        event_time: Option<UnixMillis>,
    ) -> Option<CallStarted> {
        let room_id_type = self.room_id_type.integer().map(RoomIdType::from);
        Some(CallStarted {
            call_id: self.call_id.id().filter(|id| !id.is_empty())?,
            media_type: self.media_type.word_or(self.call_media_type),
            chat_group_id: self.chat_group_id.id(),
            room_id: RoomId::read(self.room_id, room_id_type),
            room_id_type,
            members,
            event_time,
        })
    }
}
