//! The callbacks' bodies as a user would write them down. `T` is a string; where the words are known,
//! a type of them may stand instead.

#![allow(dead_code, reason = "what is decoded is dropped, whole")]

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CallEnded<T, Media = T, Type = T, End = T> {
    pub(crate) callback_command: T,
    pub(crate) call_record: CallRecord<T, Media, Type, End>,
    event_time: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CallRecord<T, Media, Type, End> {
    pub(crate) call_id: T,
    #[serde(rename = "Caller_Account")]
    caller: T,
    media_type: Media,
    call_type: Type,
    start_time: i64,
    end_time: i64,
    accept_time: i64,
    call_result: End,
    #[serde(rename = "CalleeList_Account")]
    members: Vec<T>,
    room_id: T,
    room_id_type: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MemberChanged<T, Status = T, Action = T> {
    pub(crate) callback_command: T,
    call_id: T,
    user_list: Vec<Member<T, Status>>,
    changed_user_list: Vec<Change<T, Action>>,
    event_time: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Member<T, Status> {
    #[serde(rename = "User_Account")]
    account: T,
    status: Status,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change<T, Action> {
    #[serde(rename = "User_Account")]
    account: T,
    action_type: Action,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Envelope<T> {
    pub(crate) callback_command: T,
}
