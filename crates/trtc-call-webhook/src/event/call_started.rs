//! `Call.CallbackAfterStartCall`.

use serde::{Deserialize, Serialize};

use super::{MediaType, Member, RoomId, RoomIdType, UnixMillis};

/// A client started a call (647/68941).
///
/// Only the call id is sure to be there. The names in parentheses are those on the wire, inside
/// `CallInfo` unless said otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    ///
    /// ```
    /// use trtc_call_webhook::{CallStarted, Member};
    ///
    /// let call = CallStarted::new("a-1").with_media_type("Audio").with_members([
    ///     Member::new("10001").with_status("Calling"),
    ///     Member::new("user2").with_status("Waiting"),
    /// ]);
    /// # assert_eq!(call.members.len(), 2);
    /// ```
    #[must_use]
    pub fn new(call_id: impl Into<String>) -> Self {
        Self { call_id: call_id.into(), ..Self::default() }
    }

    super::setters! {
        with_media_type(media_type: MediaType) "voice or video";
        with_chat_group_id(chat_group_id: String) "the Chat group that the call belongs to";
        with_event_time(event_time: UnixMillis) "when the event came about";
    }

    /// Sets who takes part.
    #[must_use]
    pub fn with_members(mut self, members: impl IntoIterator<Item = Member>) -> Self {
        self.members = members.into_iter().collect();
        self
    }
}
