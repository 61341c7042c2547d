//! A call that ended, as the vendor keeps it and tells of it.

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use trtc_call_webhook::{
    CallEnded, CallResult, CallStarted, Command, Member, MemberStatus, UnixMillis, decode,
};
use uuid::Builder;

/// How many users made-up calls are between.
const USERS: u32 = 50;

/// A call, and when its end came about.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Call {
    call_record: Record,
    event_time: UnixMillis,
}

/// What 647/68930 says of a call, in the order of the page. A value is as it was given, whatever it is.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    call_id: String,
    #[serde(rename = "Caller_Account")]
    caller: Value,
    media_type: Value,
    call_type: Value,
    start_time: Value,
    end_time: Value,
    accept_time: Value,
    call_result: Value,
    #[serde(rename = "CalleeList_Account")]
    members: Value,
    room_id: Value,
    room_id_type: Value,
    #[serde(flatten)]
    more: Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    callback_command: &'a str,
    #[serde(flatten)]
    call: &'a Call,
}

impl Call {
    /// A call of which this is given. The rest is made up so that it fits, with this result, and an end
    /// at this time.
    pub(super) fn new(
        mut given: Map<String, Value>,
        result: &CallResult,
        now: UnixMillis,
        rng: &mut Rng,
    ) -> Result<Self, String> {
        let number = |key| given.get(key).and_then(Value::as_i64);
        let given_end = number("EndTime");
        let [start, accept, end] = times(&given, result, now.get().div_euclid(1000), rng);
        let event_time = given_end.map_or(now, |end| UnixMillis::new(end.saturating_mul(1000)));

        let callees = match given.get("CallType").and_then(Value::as_str) {
            Some("SingleCall") => 1,
            Some("MultiCall") => rng.u32(2..5),
            _ => {
                if rng.u8(0..4) == 0 {
                    rng.u32(2..5)
                } else {
                    1
                }
            }
        };
        let first = rng.u32(0..USERS);
        let user = |number: u32| 10_001_u32.saturating_add(first.wrapping_add(number) % USERS);
        let caller = given.get("Caller_Account").cloned();
        let caller = caller.unwrap_or_else(|| json!(user(0).to_string()));
        let members = (1..=callees).map(|number| json!(user(number).to_string()));
        let members: Vec<Value> = std::iter::once(caller.clone()).chain(members).collect();
        let members = given.get("CalleeList_Account").cloned().unwrap_or_else(|| json!(members));
        let is_group = members.as_array().is_some_and(|members| members.len() > 2);
        let room = format!("roomid-{}", rng.u32(1000..10_000));
        let room_id_type = if given.get("RoomId").is_some_and(Value::is_number) { 1 } else { 2 };
        let media_type = if rng.bool() { "Audio" } else { "Video" };

        for (key, value) in [
            ("CallId", json!(new_id(rng))),
            ("Caller_Account", caller),
            ("MediaType", json!(media_type)),
            ("CallType", json!(if is_group { "MultiCall" } else { "SingleCall" })),
            ("StartTime", json!(start)),
            ("EndTime", json!(end)),
            ("AcceptTime", json!(accept)),
            ("CallResult", json!(result.as_str())),
            ("CalleeList_Account", members),
            ("RoomId", json!(room)),
            ("RoomIdType", json!(room_id_type)),
        ] {
            given.entry(key).or_insert(value);
        }
        let call_record: Record = serde_json::from_value(Value::Object(given))
            .map_err(|error| format!("this is no record of a call: {error}"))?;
        if call_record.call_id.is_empty() {
            return Err("`CallId` is empty".to_owned());
        }
        Ok(Self { call_record, event_time })
    }

    /// Another call at the same time, of which the vendor knows nothing.
    pub(super) fn stranger(&self, rng: &mut Rng) -> Self {
        let mut given = Map::new();
        given.insert("Caller_Account".to_owned(), self.call_record.caller.clone());
        // A caller can be anything, so this does not fail.
        Self::new(given, &CallResult::NormalEnd, self.event_time, rng)
            .unwrap_or_else(|_| self.lengthened(rng))
    }

    /// The same call, connected for longer than it was.
    pub(super) fn lengthened(&self, rng: &mut Rng) -> Self {
        let mut call = self.clone();
        let record = &mut call.call_record;
        let start = record.start_time.as_i64().unwrap_or(0);
        let accept = record.accept_time.as_i64().filter(|accept| *accept > 0).unwrap_or(start);
        let end = self.ended_at().max(accept).saturating_add(rng.i64(60..3600));
        record.accept_time = json!(accept);
        record.end_time = json!(end);
        record.call_result = json!(CallResult::NormalEnd.as_str());
        call
    }

    pub(super) fn id(&self) -> &str {
        &self.call_record.call_id
    }

    /// The record by itself.
    pub(super) fn record(&self) -> Value {
        json!(self.call_record)
    }

    /// When it ended, in unix seconds.
    pub(super) fn ended_at(&self) -> i64 {
        let time = self.event_time.get().div_euclid(1000);
        self.call_record.end_time.as_i64().unwrap_or(time)
    }

    /// When it started, in unix seconds.
    pub(super) fn started_at(&self) -> i64 {
        self.call_record.start_time.as_i64().unwrap_or_else(|| self.ended_at())
    }

    /// When its end came about: in milliseconds, since a record is found so long afterwards.
    pub(super) const fn event_time(&self) -> UnixMillis {
        self.event_time
    }

    pub(super) fn has(&self, result: Option<&str>, call_type: Option<&str>) -> bool {
        let is = |value: &Value, asked: Option<&str>| asked.is_none() || value.as_str() == asked;
        is(&self.call_record.call_result, result) && is(&self.call_record.call_type, call_type)
    }

    /// The body of the callback about its end (647/68940).
    pub(super) fn body(&self) -> String {
        let body = Body { callback_command: Command::CallEnded.as_str(), call: self };
        // Texts, numbers and lists of them, written to memory, have no way to fail.
        serde_json::to_string(&body).unwrap_or_default()
    }

    /// As a receiver reads it. None where what was given cannot be read.
    pub(super) fn ended(&self) -> Option<CallEnded> {
        decode(Some(&Command::CallEnded), self.body().as_bytes()).ok().flatten()
    }

    /// Its start (647/68941).
    pub(super) fn started(&self) -> Option<CallStarted> {
        let ended = self.ended()?;
        let start = UnixMillis::new(self.started_at().saturating_mul(1000));
        let caller = ended.caller.as_deref();
        let caller = caller.map(|id| Member::new(id).with_status(MemberStatus::Calling));
        let callees = ended.callees().map(|id| Member::new(id).with_status(MemberStatus::Waiting));
        let members: Vec<Member> = caller.into_iter().chain(callees).collect();
        let event = CallStarted::new(self.id())
            .with_chat_group_id("")
            .with_members(members)
            .with_event_time(start);
        Some(match ended.media_type {
            Some(media_type) => event.with_media_type(media_type),
            None => event,
        })
    }
}

/// Start, accept and end: those that are given, and the others so that they fit.
fn times(given: &Map<String, Value>, result: &CallResult, now: i64, rng: &mut Rng) -> [i64; 3] {
    let number = |key| given.get(key).and_then(Value::as_i64);
    let (start, accept, end) = (number("StartTime"), number("AcceptTime"), number("EndTime"));
    let result = given.get("CallResult").and_then(Value::as_str).unwrap_or(result.as_str());
    let is_connected = match CallResult::from(result) {
        CallResult::NormalEnd => true,
        CallResult::Interrupt | CallResult::Offline => rng.bool(),
        _ => false,
    };
    let (ring, talk) = (rng.i64(2..30), rng.i64(1..600));
    let talk = if is_connected { talk } else { 0 };
    let end = end
        .or(accept.filter(|accept| *accept > 0).map(|accept| accept.saturating_add(talk)))
        .or(start.map(|start| start.saturating_add(ring).saturating_add(talk)))
        .unwrap_or(now);
    let answered = end.saturating_sub(talk).max(start.unwrap_or(i64::MIN));
    let accept = accept.unwrap_or(if is_connected { answered } else { 0 });
    let rang_until = if accept > 0 { accept } else { end };
    [start.unwrap_or_else(|| rang_until.saturating_sub(ring)), accept, end]
}

/// A call id as the vendor's samples have it: a lower-case UUID.
fn new_id(rng: &mut Rng) -> String {
    Builder::from_random_bytes(rng.u128(..).to_be_bytes()).into_uuid().to_string()
}
