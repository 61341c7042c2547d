//! How callbacks are written in JSON: one definition for each payload, by which it is read and
//! written. How lenient a field is, [`Value`] says.

use serde::{Deserialize, Serialize};

use crate::event::{
    CallEnded, CallStarted, Callback, Command, MediaType, Member, MemberChange, MemberChanged,
    RoomId, RoomIdType, UnixMillis, UnixSeconds,
};

mod value;

use value::List;
pub(crate) use value::{Value, read};

/// Writes the body of a callback as Tencent does, with the fields in the order of the documents.
pub(crate) fn write(callback: &Callback) -> String {
    let json = match callback {
        Callback::CallEnded(event) => serde_json::to_string(&CallEndedBody::from(event)),
        Callback::CallStarted(event) => serde_json::to_string(&CallStartedBody::from(event)),
        Callback::MemberChanged(event) => serde_json::to_string(&MemberChangedBody::from(event)),
        Callback::Other(other) => return other.json.clone(),
    };
    // Texts, numbers and lists of them, written to memory, have no way to fail.
    json.unwrap_or_default()
}

/// Writes a body that holds nothing but its command.
pub(crate) fn write_envelope(command: &Command) -> String {
    serde_json::to_string(&Envelope { callback_command: text(Some(command)) }).unwrap_or_default()
}

/// The payload of one command.
pub(crate) trait Payload<'a>: Deserialize<'a> {
    /// The command that has it.
    const COMMAND: Command;
    /// What it becomes.
    type Event;

    /// The body's own `CallbackCommand`.
    fn command(&self) -> &Value<'a>;

    /// The event, unless the wrapper or the call id is missing.
    fn into_event(self) -> Option<Self::Event>;
}

/// What is read of a body that nobody asked for.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, rename_all = "PascalCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct Envelope<'a> {
    pub(crate) callback_command: Value<'a>,
}

/// `Call.CallbackAfterEndCall` (647/68940).
#[derive(Default, Deserialize, Serialize)]
#[serde(default, rename_all = "PascalCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct CallEndedBody<'a> {
    callback_command: Value<'a>,
    // In a box, since it would be moved again and again.
    call_record: Value<'a, Box<CallRecord<'a>>>,
    #[serde(skip_serializing_if = "Value::is_null")]
    event_time: Value<'a>,
}

/// The record of a call, which the record API has too (647/68930).
#[derive(Default, Deserialize, Serialize)]
#[serde(default, rename_all = "PascalCase", bound(deserialize = "'de: 'a"))]
struct CallRecord<'a> {
    call_id: Value<'a>,
    #[serde(rename = "Caller_Account", skip_serializing_if = "Value::is_null")]
    caller: Value<'a>,
    #[serde(skip_serializing_if = "Value::is_null")]
    media_type: Value<'a>,
    #[serde(skip_serializing)]
    call_media_type: Value<'a>,
    #[serde(skip_serializing_if = "Value::is_null")]
    call_type: Value<'a>,
    #[serde(skip_serializing_if = "Value::is_null")]
    start_time: Value<'a>,
    #[serde(skip_serializing_if = "Value::is_null")]
    end_time: Value<'a>,
    accept_time: Value<'a>,
    #[serde(skip_serializing_if = "Value::is_null")]
    call_result: Value<'a>,
    #[serde(rename = "CalleeList_Account")]
    members: List<'a>,
    #[serde(skip_serializing_if = "Value::is_null")]
    room_id: Value<'a>,
    #[serde(skip_serializing_if = "Value::is_null")]
    room_id_type: Value<'a>,
}

impl<'a> Payload<'a> for CallEndedBody<'a> {
    const COMMAND: Command = Command::CallEnded;
    type Event = CallEnded;

    fn command(&self) -> &Value<'a> {
        &self.callback_command
    }

    #[inline]
    fn into_event(self) -> Option<CallEnded> {
        let record = *self.call_record.into_object();
        let accept_time = record.accept_time.integer();
        let is_none = accept_time.is_some_and(|time| time <= 0) || record.accept_time.is_blank();
        let accept_time = accept_time.filter(|_| !is_none);
        let room_id_type = record.room_id_type.integer().map(RoomIdType::from);
        Some(CallEnded {
            call_id: record.call_id.into_call_id()?,
            caller: record.caller.into_word(),
            media_type: media_type(record.media_type, record.call_media_type),
            call_type: record.call_type.into_word(),
            start_time: record.start_time.integer().map(UnixSeconds::new),
            accept_time: accept_time.map(UnixSeconds::new),
            accept_time_unreadable: accept_time.is_none() && !is_none,
            end_time: record.end_time.integer().map(UnixSeconds::new),
            result: record.call_result.into_word(),
            members: record.members.into_entries(Value::into_word),
            room_id: room_id(record.room_id, room_id_type),
            room_id_type,
            event_time: self.event_time.integer().map(UnixMillis::new),
        })
    }
}

impl<'a> From<&'a CallEnded> for CallEndedBody<'a> {
    fn from(call: &'a CallEnded) -> Self {
        let record = CallRecord {
            call_id: Some(&*call.call_id).into(),
            caller: call.caller.as_deref().into(),
            media_type: text(call.media_type.as_ref()),
            call_media_type: Value::Null,
            call_type: text(call.call_type.as_ref()),
            start_time: call.start_time.map(UnixSeconds::get).into(),
            end_time: call.end_time.map(UnixSeconds::get).into(),
            accept_time: match call.accept_time {
                None if call.accept_time_unreadable => Some("unreadable").into(),
                // The sample of an unanswered call has a zero.
                time => Value::Whole(time.map_or(0, UnixSeconds::get)),
            },
            call_result: text(call.result.as_ref()),
            members: call.members.iter().map(|id| Some(&**id).into()).collect(),
            room_id: room(call.room_id.as_ref(), call.room_id_type),
            room_id_type: call.room_id_type.map(i64::from).into(),
        };
        Self {
            callback_command: text(Some(&Command::CallEnded)),
            call_record: Value::Object(Box::new(record)),
            event_time: call.event_time.map(UnixMillis::get).into(),
        }
    }
}

/// `Call.CallbackAfterStartCall` (647/68941).
#[derive(Default, Deserialize, Serialize)]
#[serde(default, rename_all = "PascalCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct CallStartedBody<'a> {
    callback_command: Value<'a>,
    call_info: Value<'a, CallInfo<'a>>,
    user_list: List<'a, User<'a>>,
    #[serde(skip_serializing_if = "Value::is_null")]
    event_time: Value<'a>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, rename_all = "PascalCase", bound(deserialize = "'de: 'a"))]
struct CallInfo<'a> {
    call_id: Value<'a>,
    #[serde(skip_serializing)]
    media_type: Value<'a>,
    /// What the page's samples have instead of `MediaType`.
    #[serde(skip_serializing_if = "Value::is_null")]
    call_media_type: Value<'a>,
    #[serde(skip_serializing_if = "Value::is_null")]
    chat_group_id: Value<'a>,
    #[serde(skip_serializing_if = "Value::is_null")]
    room_id: Value<'a>,
    #[serde(skip_serializing_if = "Value::is_null")]
    room_id_type: Value<'a>,
}

impl<'a> Payload<'a> for CallStartedBody<'a> {
    const COMMAND: Command = Command::CallStarted;
    type Event = CallStarted;

    fn command(&self) -> &Value<'a> {
        &self.callback_command
    }

    fn into_event(self) -> Option<CallStarted> {
        let info = self.call_info.into_object();
        let room_id_type = info.room_id_type.integer().map(RoomIdType::from);
        Some(CallStarted {
            call_id: info.call_id.into_call_id()?,
            media_type: media_type(info.media_type, info.call_media_type),
            chat_group_id: info.chat_group_id.into_word(),
            room_id: room_id(info.room_id, room_id_type),
            room_id_type,
            members: self.user_list.into_entries(User::member),
            event_time: self.event_time.integer().map(UnixMillis::new),
        })
    }
}

impl<'a> From<&'a CallStarted> for CallStartedBody<'a> {
    fn from(call: &'a CallStarted) -> Self {
        let info = CallInfo {
            call_id: Some(&*call.call_id).into(),
            media_type: Value::Null,
            call_media_type: text(call.media_type.as_ref()),
            chat_group_id: call.chat_group_id.as_deref().into(),
            room_id: room(call.room_id.as_ref(), call.room_id_type),
            room_id_type: call.room_id_type.map(i64::from).into(),
        };
        Self {
            callback_command: text(Some(&Command::CallStarted)),
            call_info: Value::Object(info),
            user_list: call.members.iter().map(User::value).collect(),
            event_time: call.event_time.map(UnixMillis::get).into(),
        }
    }
}

/// `Call.CallbackAfterMemberChanged` (647/69215).
#[derive(Default, Deserialize, Serialize)]
#[serde(default, rename_all = "PascalCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct MemberChangedBody<'a> {
    callback_command: Value<'a>,
    call_id: Value<'a>,
    user_list: List<'a, User<'a>>,
    changed_user_list: List<'a, ChangedUser<'a>>,
    #[serde(skip_serializing_if = "Value::is_null")]
    event_time: Value<'a>,
}

impl<'a> Payload<'a> for MemberChangedBody<'a> {
    const COMMAND: Command = Command::MemberChanged;
    type Event = MemberChanged;

    fn command(&self) -> &Value<'a> {
        &self.callback_command
    }

    fn into_event(self) -> Option<MemberChanged> {
        Some(MemberChanged {
            call_id: self.call_id.into_call_id()?,
            members: self.user_list.into_entries(User::member),
            changes: self.changed_user_list.into_entries(ChangedUser::change),
            event_time: self.event_time.integer().map(UnixMillis::new),
        })
    }
}

impl<'a> From<&'a MemberChanged> for MemberChangedBody<'a> {
    fn from(event: &'a MemberChanged) -> Self {
        Self {
            callback_command: text(Some(&Command::MemberChanged)),
            call_id: Some(&*event.call_id).into(),
            user_list: event.members.iter().map(User::value).collect(),
            changed_user_list: event.changes.iter().map(ChangedUser::value).collect(),
            event_time: event.event_time.map(UnixMillis::get).into(),
        }
    }
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, rename_all = "PascalCase", bound(deserialize = "'de: 'a"))]
struct User<'a> {
    #[serde(rename = "User_Account")]
    account: Value<'a>,
    #[serde(skip_serializing_if = "Value::is_null")]
    status: Value<'a>,
}

impl<'a> User<'a> {
    /// The member of an entry: a user id alone has no status, and without a user id there is none.
    fn member(entry: Value<'a, Self>) -> Option<Member> {
        let (account, status) = match entry {
            Value::Object(user) => (user.account.into_word(), user.status.into_word()),
            alone => (alone.into_word(), None),
        };
        Some(Member { account: account?, status })
    }

    fn value(member: &'a Member) -> Value<'a, Self> {
        let account = Some(&*member.account).into();
        Value::Object(Self { account, status: text(member.status.as_ref()) })
    }
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, rename_all = "PascalCase", bound(deserialize = "'de: 'a"))]
struct ChangedUser<'a> {
    #[serde(rename = "User_Account")]
    account: Value<'a>,
    #[serde(skip_serializing_if = "Value::is_null")]
    action_type: Value<'a>,
}

impl<'a> ChangedUser<'a> {
    /// The change of an entry, as for a [`User`].
    fn change(entry: Value<'a, Self>) -> Option<MemberChange> {
        let (account, action) = match entry {
            Value::Object(user) => (user.account.into_word(), user.action_type.into_word()),
            alone => (alone.into_word(), None),
        };
        Some(MemberChange { account: account?, action })
    }

    fn value(change: &'a MemberChange) -> Value<'a, Self> {
        let account = Some(&*change.account).into();
        Value::Object(Self { account, action_type: text(change.action.as_ref()) })
    }
}

/// One of the vendor's words.
fn text<W: AsRef<str>>(word: Option<&W>) -> Value<'_> {
    word.map(AsRef::as_ref).into()
}

/// The documented spelling of the key wins, unless its value is empty and the other one's is there.
fn media_type(documented: Value<'_>, other: Value<'_>) -> Option<MediaType> {
    match (documented.into_text(), other.into_text()) {
        (Some(word), Some(other)) if word.is_empty() => Some(other.into()),
        (word, other) => word.or(other).map(MediaType::from),
    }
}

fn room_id(id: Value<'_>, kind: Option<RoomIdType>) -> Option<RoomId> {
    let is_number = !matches!(id, Value::Text(_));
    Some(RoomId::read(id.into_text()?, kind, is_number))
}

/// The documents have a text in every case. Without a type that says it is a number, a number has to
/// be one in JSON.
fn room(id: Option<&RoomId>, kind: Option<RoomIdType>) -> Value<'_> {
    match id {
        None => Value::Null,
        Some(RoomId::Number(number)) if kind != Some(RoomIdType::Number) => {
            Value::Digits(number.to_string().into())
        }
        Some(id) => Value::Text(id.to_string().into()),
    }
}
