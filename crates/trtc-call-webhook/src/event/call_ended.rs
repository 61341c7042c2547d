//! `Call.CallbackAfterEndCall`.

use serde::{Deserialize, Serialize};

use super::{CallResult, CallType, MediaType, RoomId, RoomIdType, UnixMillis, UnixSeconds};

/// A call ended (647/68940).
///
/// Only the call id is sure to be there. Every other field is `None`, or empty, where the callback
/// has none or one that cannot be read; the delivery's body has what was sent.
///
/// The names in parentheses are those on the wire, inside `CallRecord` unless said otherwise.
/// `Serialize` and `Deserialize` are for one's own queues and use the names below; Tencent's form
/// is read by a [`Delivery`](crate::Delivery) and written by [`sender`](crate::sender).
///
/// For a test an event is built in one expression, words by their text:
///
/// ```
/// use trtc_call_webhook::{CallEnded, CallResult};
///
/// let call = CallEnded::new("055662e1-bc8a-469c-a334-1126c8c17d58")
///     .with_caller("10001")
///     .with_members(["10001", "user2"])
///     .with_result("NormalEnd")
///     .with_accept_time(1741231156)
///     .with_end_time(1741231296);
/// assert_eq!(call.result, Some(CallResult::NormalEnd));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// `None` does not say that nobody answered: ask [`billing`](Self::billing).
    pub accept_time: Option<UnixSeconds>,
    /// Whether an accept time is there and cannot be read: then [`accept_time`](Self::accept_time) is
    /// `None`, and whether anybody answered is not known.
    #[serde(default)]
    pub accept_time_unreadable: bool,
    /// When the call ended (`EndTime`).
    pub end_time: Option<UnixSeconds>,
    /// How it ended (`CallResult`).
    pub result: Option<CallResult>,
    /// User ids of the members in the order of the wire (`CalleeList_Account`).
    ///
    /// The vendor's samples list the caller too, others do not: ask [`callees`](Self::callees).
    #[serde(default)]
    pub members: Vec<String>,
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
        Self { call_id: call_id.into(), ..Self::default() }
    }

    super::setters! {
        with_caller(caller: String) "the caller's user id";
        with_media_type(media_type: MediaType) "voice or video";
        with_call_type(call_type: CallType) "one to one, or a group";
        with_start_time(start_time: UnixSeconds) "when the caller called";
        with_accept_time(accept_time: UnixSeconds) "when the call was connected";
        with_end_time(end_time: UnixSeconds) "when the call ended";
        with_result(result: CallResult) "how it ended";
        with_event_time(event_time: UnixMillis) "when the event came about";
    }

    /// Sets the user ids of the members, the caller's among them as in the vendor's samples.
    #[must_use]
    pub fn with_members<T: Into<String>>(mut self, members: impl IntoIterator<Item = T>) -> Self {
        self.members = members.into_iter().map(Into::into).collect();
        self
    }

    /// The members without the caller, in the order of the wire.
    pub fn callees(&self) -> impl Iterator<Item = &str> {
        let caller = self.caller.as_deref();
        self.members.iter().map(String::as_str).filter(move |member| Some(*member) != caller)
    }
}
