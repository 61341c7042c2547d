//! The body of an event as Tencent writes it, with the fields in the order of the documents.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::event::{CallEnded, CallStarted, Callback, Member, MemberChange, MemberChanged};
use crate::names::Command;
use crate::room::{RoomId, RoomIdType};
use crate::time::UnixSeconds;
use crate::wire;

pub(super) fn of(callback: &Callback) -> String {
    let json = match callback {
        Callback::CallEnded(event) => serde_json::to_string(&Body(event)),
        Callback::CallStarted(event) => serde_json::to_string(&Body(event)),
        Callback::MemberChanged(event) => serde_json::to_string(&Body(event)),
        Callback::Other(other) => return other.json.clone(),
    };
    // Strings, numbers and lists of them, written to memory, have no way to fail.
    json.unwrap_or_default()
}

/// A body that holds nothing but its command.
pub(super) fn envelope(command: &Command) -> String {
    serde_json::to_string(&Body(command)).unwrap_or_default()
}

/// Something that is written as a JSON object.
trait Fields {
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error>;
}

struct Body<'a, T>(&'a T);

impl<T: Fields> Serialize for Body<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.0.write(&mut map)?;
        map.end()
    }
}

/// A list of objects.
struct Bodies<'a, T>(&'a [T]);

impl<T: Fields> Serialize for Bodies<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Body))
    }
}

/// Writes a field unless there is nothing to write.
fn write<M: SerializeMap>(
    map: &mut M,
    key: &str,
    value: Option<impl Serialize>,
) -> Result<(), M::Error> {
    match value {
        Some(value) => map.serialize_entry(key, &value),
        None => Ok(()),
    }
}

/// The documents have a string in every case. Without a type that says it is a number, a number has
/// to be one in JSON.
fn room_id(id: Option<&RoomId>, kind: Option<RoomIdType>) -> Option<RoomIdOnWire> {
    Some(match id? {
        RoomId::Number(number) if kind != Some(RoomIdType::Number) => RoomIdOnWire::Number(*number),
        id => RoomIdOnWire::Text(id.to_string()),
    })
}

#[derive(Serialize)]
#[serde(untagged)]
enum RoomIdOnWire {
    Number(u64),
    Text(String),
}

impl Fields for Command {
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry(wire::COMMAND, self)
    }
}

impl Fields for CallEnded {
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry(wire::COMMAND, &Command::CallEnded)?;
        map.serialize_entry(wire::CALL_RECORD, &Body(&CallRecord(self)))?;
        write(map, wire::EVENT_TIME, self.event_time)
    }
}

struct CallRecord<'a>(&'a CallEnded);

impl Fields for CallRecord<'_> {
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let event = self.0;
        map.serialize_entry(wire::CALL_ID, &event.call_id)?;
        write(map, wire::CALLER, event.caller.as_ref())?;
        write(map, wire::MEDIA_TYPE, event.media_type.as_ref())?;
        write(map, wire::CALL_TYPE, event.call_type.as_ref())?;
        write(map, wire::START_TIME, event.start_time)?;
        write(map, wire::END_TIME, event.end_time)?;
        // The sample of an unanswered call has a zero.
        map.serialize_entry(wire::ACCEPT_TIME, &event.accept_time.map_or(0, UnixSeconds::get))?;
        write(map, wire::CALL_RESULT, event.result.as_ref())?;
        map.serialize_entry(wire::MEMBERS, &event.members)?;
        write(map, wire::ROOM_ID, room_id(event.room_id.as_ref(), event.room_id_type))?;
        write(map, wire::ROOM_ID_TYPE, event.room_id_type)
    }
}

impl Fields for CallStarted {
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry(wire::COMMAND, &Command::CallStarted)?;
        map.serialize_entry(wire::CALL_INFO, &Body(&CallInfo(self)))?;
        map.serialize_entry(wire::USER_LIST, &Bodies(&self.members))?;
        write(map, wire::EVENT_TIME, self.event_time)
    }
}

struct CallInfo<'a>(&'a CallStarted);

impl Fields for CallInfo<'_> {
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let event = self.0;
        map.serialize_entry(wire::CALL_ID, &event.call_id)?;
        write(map, wire::CALL_MEDIA_TYPE, event.media_type.as_ref())?;
        write(map, wire::CHAT_GROUP_ID, event.chat_group_id.as_ref())?;
        write(map, wire::ROOM_ID, room_id(event.room_id.as_ref(), event.room_id_type))?;
        write(map, wire::ROOM_ID_TYPE, event.room_id_type)
    }
}

impl Fields for MemberChanged {
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry(wire::COMMAND, &Command::MemberChanged)?;
        map.serialize_entry(wire::CALL_ID, &self.call_id)?;
        map.serialize_entry(wire::USER_LIST, &Bodies(&self.members))?;
        map.serialize_entry(wire::CHANGED_USER_LIST, &Bodies(&self.changes))?;
        write(map, wire::EVENT_TIME, self.event_time)
    }
}

impl Fields for Member {
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry(wire::ACCOUNT, &self.account)?;
        write(map, wire::STATUS, self.status.as_ref())
    }
}

impl Fields for MemberChange {
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry(wire::ACCOUNT, &self.account)?;
        write(map, wire::ACTION_TYPE, self.action.as_ref())
    }
}
