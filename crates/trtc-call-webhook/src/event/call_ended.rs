//! `Call.CallbackAfterEndCall`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Event;
use super::decode::{Decode, Decoded};
use crate::decode::{self, Body};
use crate::dedup::IdempotencyKey;
use crate::error::Error;
use crate::json::{Id, Integer, Nested, Scalar, Word, object};
use crate::names::{CallResult, CallType, Command, MediaType};
use crate::params::Params;
use crate::room::{RoomId, RoomIdType};
use crate::time::{UnixMillis, UnixSeconds};
use crate::user_ids::UserIds;
use crate::wire;

/// A call ended (647/68940).
///
/// Only the call id is sure to be there. Every other field is `None`, or empty, where the callback
/// has none or one that cannot be read; the delivery's body has what was sent.
///
/// The names in parentheses are those on the wire, inside `CallRecord` unless said otherwise.
/// `Serialize` and `Deserialize` are for one's own queues and use the names below; Tencent's form
/// is read by a [`Delivery`](crate::Delivery) and written by [`sender`](crate::sender).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CallEnded {
    /// The call's id (`CallId`), never empty when it came in a callback.
    pub call_id: String,
    /// User id of the caller (`Caller_Account`).
    pub caller: Option<String>,
    /// Voice or video (`MediaType`).
    pub media_type: Option<MediaType>,
    /// One to one, or a group (`CallType`).
    pub call_type: Option<CallType>,
    /// When the caller called (`StartTime`).
    pub start_time: Option<UnixSeconds>,
    /// When the call was connected (`AcceptTime`); a time of 0 or less on the wire is `None`.
    ///
    /// `None` does not say that nobody answered: ask [`is_answered`](Self::is_answered).
    pub accept_time: Option<UnixSeconds>,
    /// When the call ended (`EndTime`).
    pub end_time: Option<UnixSeconds>,
    /// How it ended (`CallResult`).
    pub result: Option<CallResult>,
    /// User ids of the members in the order of the wire (`CalleeList_Account`).
    ///
    /// The vendor's samples list the caller too, others do not: ask [`callees`](Self::callees).
    #[serde(default)]
    pub members: UserIds,
    /// The TRTC room as sent (`RoomId`): [`room`](Self::room) leaves an empty one out.
    pub room_id: Option<RoomId>,
    /// How the room's id is meant (`RoomIdType`).
    pub room_id_type: Option<RoomIdType>,
    /// When the event came about (`EventTime`, beside `CallRecord`).
    pub event_time: Option<UnixMillis>,
}

impl CallEnded {
    /// An event with nothing but the call's id, for tests and for [`sender`](crate::sender).
    #[must_use]
    pub fn new(call_id: impl Into<String>) -> Self {
        Self {
            call_id: call_id.into(),
            caller: None,
            media_type: None,
            call_type: None,
            start_time: None,
            accept_time: None,
            end_time: None,
            result: None,
            members: UserIds::new(),
            room_id: None,
            room_id_type: None,
            event_time: None,
        }
    }

    /// Whether anybody answered: there is an accept time, or the result is
    /// [`NormalEnd`](CallResult::NormalEnd).
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.accept_time.is_some() || self.result == Some(CallResult::NormalEnd)
    }

    /// How long it rang: from the start until somebody answered, or until the end.
    ///
    /// `None` if a time is missing or they are out of order.
    #[must_use]
    pub fn ringing_time(&self) -> Option<Duration> {
        self.accept_time.or(self.end_time)?.since(self.start_time?)
    }

    /// How long they talked: from the accept time until the end.
    ///
    /// `None` if a time is missing or they are out of order, so for an unanswered call too. There
    /// is no upper bound: the vendor's samples have a call of more than two days.
    #[must_use]
    pub fn talking_time(&self) -> Option<Duration> {
        self.end_time?.since(self.accept_time?)
    }

    /// How long the call was connected: zero if nobody [answered](Self::is_answered), else the
    /// [`talking_time`](Self::talking_time). `None` if the times do not tell.
    ///
    /// It is zero too where a result that this version does not know comes without an accept time, or
    /// with one that could not be read: whoever bills asks the vendor's record API about those.
    #[must_use]
    pub fn connected_time(&self) -> Option<Duration> {
        if self.is_answered() { self.talking_time() } else { Some(Duration::ZERO) }
    }

    /// The members without the caller, in the order of the wire.
    pub fn callees(&self) -> impl Iterator<Item = &str> {
        let caller = self.caller.as_deref();
        self.members.iter().filter(move |member| Some(*member) != caller)
    }

    /// The TRTC room, if the callback names one.
    #[must_use]
    pub fn room(&self) -> Option<&RoomId> {
        self.room_id.as_ref().filter(|room| !room.is_empty())
    }
}

impl Event for CallEnded {}

impl Decode for CallEnded {
    fn decode(in_url: Option<&Command>, body: &[u8]) -> Result<Decoded<Self>, Error> {
        decode::single::<CallEndedBody<'_>>(in_url, body)
    }

    fn idempotency_key(&self, params: &Params, _: &[u8]) -> IdempotencyKey {
        IdempotencyKey::of_call(params, &Command::CallEnded, &self.call_id)
    }
}

object! {
    pub(super) struct CallEndedBody {
        command: Scalar<'de> = wire::COMMAND,
        record: Nested<CallRecord<'de>> = wire::CALL_RECORD,
        event_time: Integer = wire::EVENT_TIME,
    }
}

object! {
    struct CallRecord {
        call_id: Id = wire::CALL_ID,
        caller: Id = wire::CALLER,
        media_type: Word<MediaType> = wire::MEDIA_TYPE,
        call_media_type: Word<MediaType> = wire::CALL_MEDIA_TYPE,
        call_type: Word<CallType> = wire::CALL_TYPE,
        start_time: Integer = wire::START_TIME,
        accept_time: Integer = wire::ACCEPT_TIME,
        end_time: Integer = wire::END_TIME,
        result: Word<CallResult> = wire::CALL_RESULT,
        members: UserIds = wire::MEMBERS,
        room_id: Scalar<'de> = wire::ROOM_ID,
        room_id_type: Integer = wire::ROOM_ID_TYPE,
    }
}

impl<'a> Body<'a> for CallEndedBody<'a> {
    const COMMAND: Command = Command::CallEnded;
    type Event = CallEnded;

    fn command(&self) -> &Scalar<'a> {
        self.command.scalar()
    }

    #[inline]
    fn into_event(self) -> Option<CallEnded> {
        let event_time = self.event_time.integer().map(UnixMillis::new);
        self.record.object().into_event(event_time)
    }
}

impl CallRecord<'_> {
    #[inline]
    fn into_event(self, event_time: Option<UnixMillis>) -> Option<CallEnded> {
        let room_id_type = self.room_id_type.integer().map(RoomIdType::from);
        Some(CallEnded {
            call_id: self.call_id.id().filter(|id| !id.is_empty())?,
            caller: self.caller.id(),
            media_type: self.media_type.word_or(self.call_media_type),
            call_type: self.call_type.word(),
            start_time: self.start_time.integer().map(UnixSeconds::new),
            accept_time: self.accept_time.integer().filter(|time| *time > 0).map(UnixSeconds::new),
            end_time: self.end_time.integer().map(UnixSeconds::new),
            result: self.result.word(),
            members: self.members.user_ids(),
            room_id: RoomId::read(self.room_id, room_id_type),
            room_id_type,
            event_time,
        })
    }
}
