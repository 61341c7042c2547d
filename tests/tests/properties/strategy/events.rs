//! Events.

use std::fmt::Debug;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use trtc_call_webhook::{
    ActionType, CallEnded, CallResult, CallStarted, CallType, Callback, Command, MediaType, Member,
    MemberChange, MemberChanged, MemberStatus, OtherCallback, RoomId, RoomIdType, UnixMillis,
    UnixSeconds,
};

use super::{json, text};

/// Any callback that can be sent.
pub(crate) fn callback() -> impl Strategy<Value = Callback> {
    prop_oneof![3 => known(), 1 => other().prop_map(Callback::from)]
}

/// Any callback that is decoded into fields.
pub(crate) fn known() -> impl Strategy<Value = Callback> {
    prop_oneof![
        call_ended().prop_map(Callback::from),
        call_started().prop_map(Callback::from),
        member_changed().prop_map(Callback::from),
    ]
}

pub(crate) fn call_ended() -> impl Strategy<Value = CallEnded> {
    let people = (option::of(user_id()), vec(user_id(), 0..5));
    let words = (word(MediaType::KNOWN), word(CallType::KNOWN), word(CallResult::KNOWN));
    let times = (seconds(), seconds(), seconds(), millis());
    let odd = (room(), any::<bool>());
    (call_id(), people, words, times, odd).prop_map(|(call_id, people, words, times, odd)| {
        let (room, unreadable) = odd;
        let mut call = CallEnded::new(call_id);
        call.caller = people.0;
        call.members = people.1.into_iter().collect();
        (call.media_type, call.call_type, call.result) = words;
        (call.start_time, call.accept_time, call.end_time, call.event_time) = times;
        call.accept_time_unreadable = unreadable && call.accept_time.is_none();
        (call.room_id, call.room_id_type) = room;
        call
    })
}

fn call_started() -> impl Strategy<Value = CallStarted> {
    let members = vec(member(), 0..4);
    (call_id(), word(MediaType::KNOWN), option::of(text()), members, room(), millis()).prop_map(
        |(call_id, media_type, chat_group_id, members, room, event_time)| {
            let mut call = CallStarted::new(call_id);
            call.media_type = media_type;
            call.chat_group_id = chat_group_id;
            call.members = members;
            (call.room_id, call.room_id_type) = room;
            call.event_time = event_time;
            call
        },
    )
}

pub(crate) fn member_changed() -> impl Strategy<Value = MemberChanged> {
    (call_id(), vec(member(), 0..4), vec(change(), 0..4), millis()).prop_map(
        |(call_id, members, changes, event_time)| {
            let mut event = MemberChanged::new(call_id);
            event.members = members;
            event.changes = changes;
            event.event_time = event_time;
            event
        },
    )
}

/// A command that nobody knows, or a known one without its call id; in the body or only in the URL.
fn other() -> impl Strategy<Value = OtherCallback> {
    let unknown = call_id().prop_map(Command::from);
    let command = prop_oneof![3 => unknown, 1 => select(Command::KNOWN)];
    (command, json::strangers(), any::<bool>(), json::space()).prop_map(
        |(command, mut members, is_named, space)| {
            if is_named {
                members.push(format!("\"CallbackCommand\":{}", json::string(command.as_str())));
            }
            OtherCallback::new(command, format!("{space}{{{}}}{space}", members.join(",")))
        },
    )
}

fn member() -> impl Strategy<Value = Member> {
    (user_id(), word(MemberStatus::KNOWN)).prop_map(|(id, status)| {
        let mut member = Member::new(id);
        member.status = status;
        member
    })
}

fn change() -> impl Strategy<Value = MemberChange> {
    (user_id(), word(ActionType::KNOWN)).prop_map(|(id, action)| {
        let mut change = MemberChange::new(id);
        change.action = action;
        change
    })
}

fn call_id() -> impl Strategy<Value = String> {
    vec(any::<char>(), 1..8).prop_map(String::from_iter)
}

/// Often one of a few, so that the caller is often among the members.
fn user_id() -> impl Strategy<Value = String> {
    prop_oneof![select(&["10001", "user2", ""][..]).prop_map(str::to_owned), text()]
}

/// One of the vendor's words, or any other.
pub(crate) fn word<T>(known: &'static [T]) -> impl Strategy<Value = Option<T>>
where
    T: From<String> + Clone + Debug,
{
    option::of(prop_oneof![select(known), text().prop_map(T::from)])
}

fn seconds() -> impl Strategy<Value = Option<UnixSeconds>> {
    option::of(time().prop_map(UnixSeconds::new))
}

fn millis() -> impl Strategy<Value = Option<UnixMillis>> {
    option::of(time().prop_map(UnixMillis::new))
}

/// Any number, often one of those around which something changes.
fn time() -> impl Strategy<Value = i64> {
    prop_oneof![
        any::<i64>(),
        -1..=1_i64,
        1_741_231_146..=1_741_231_296_i64,
        select(&[i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX][..]),
    ]
}

/// A room and its type, which need not agree.
fn room() -> impl Strategy<Value = (Option<RoomId>, Option<RoomIdType>)> {
    let id = prop_oneof![
        any::<u64>().prop_map(RoomId::from),
        any::<u64>().prop_map(|number| RoomId::from(number.to_string())),
        text().prop_map(RoomId::from),
    ];
    let kind = prop_oneof![1..=2_i64, any::<i64>()].prop_map(RoomIdType::from);
    (option::of(id), option::of(kind))
}

/// The callback as it arrives. There are two things that an event can be and the wire cannot say:
/// an accept time of 0 or less, and a room whose type says otherwise.
pub(crate) fn on_the_wire(mut callback: Callback) -> Callback {
    match &mut callback {
        Callback::CallEnded(call) => {
            call.accept_time = call.accept_time.filter(|time| time.get() > 0);
            call.room_id = call.room_id.take().map(|id| by_its_type(id, call.room_id_type));
        }
        Callback::CallStarted(call) => {
            call.room_id = call.room_id.take().map(|id| by_its_type(id, call.room_id_type));
        }
        _ => {}
    }
    callback
}

fn by_its_type(id: RoomId, kind: Option<RoomIdType>) -> RoomId {
    match (kind, id) {
        (Some(RoomIdType::Text), id) => RoomId::from(id.to_string()),
        (Some(RoomIdType::Number), RoomId::Text(text)) => match text.parse::<u64>() {
            Ok(number) if number.to_string() == text => RoomId::from(number),
            _ => RoomId::from(text),
        },
        (_, id) => id,
    }
}
