//! The names of the fields in a body, each once, for reading and for writing.

pub(crate) const COMMAND: &str = "CallbackCommand";
pub(crate) const EVENT_TIME: &str = "EventTime";

pub(crate) const CALL_RECORD: &str = "CallRecord";
pub(crate) const CALL_INFO: &str = "CallInfo";
pub(crate) const USER_LIST: &str = "UserList";
pub(crate) const CHANGED_USER_LIST: &str = "ChangedUserList";

pub(crate) const CALL_ID: &str = "CallId";
pub(crate) const CALLER: &str = "Caller_Account";
pub(crate) const MEDIA_TYPE: &str = "MediaType";
/// What the samples of 647/68941 have instead of [`MEDIA_TYPE`].
pub(crate) const CALL_MEDIA_TYPE: &str = "CallMediaType";
pub(crate) const CALL_TYPE: &str = "CallType";
pub(crate) const START_TIME: &str = "StartTime";
pub(crate) const END_TIME: &str = "EndTime";
pub(crate) const ACCEPT_TIME: &str = "AcceptTime";
pub(crate) const CALL_RESULT: &str = "CallResult";
pub(crate) const MEMBERS: &str = "CalleeList_Account";
pub(crate) const CHAT_GROUP_ID: &str = "ChatGroupId";
pub(crate) const ROOM_ID: &str = "RoomId";
pub(crate) const ROOM_ID_TYPE: &str = "RoomIdType";

pub(crate) const ACCOUNT: &str = "User_Account";
pub(crate) const STATUS: &str = "Status";
pub(crate) const ACTION_TYPE: &str = "ActionType";
