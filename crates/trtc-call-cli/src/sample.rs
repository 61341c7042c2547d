//! Made-up calls, told the way Tencent tells them.

use std::time::SystemTime;

use trtc_call_webhook::{
    ActionType, CallEnded, CallResult, CallStarted, CallType, Command, MediaType, Member,
    MemberChange, MemberChanged, MemberStatus, OtherCallback, RoomIdType, UnixMillis, UnixSeconds,
};
use uuid::Uuid;

/// What all calls of a run have in common.
pub(crate) struct Sample {
    pub(crate) caller: String,
    pub(crate) callees: Vec<String>,
    pub(crate) talk_seconds: u32,
    pub(crate) ring_seconds: u32,
    /// When the calls end. One moment for the whole run, so that a re-delivery has the same bytes.
    pub(crate) now: SystemTime,
}

impl Sample {
    /// The caller and the callees, who are all on the vendor's list of callees.
    fn members(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.caller.as_str()).chain(self.callees.iter().map(String::as_str))
    }

    pub(crate) fn call_ended(&self, call_id: &str, result: CallResult) -> CallEnded {
        let end = UnixSeconds::from(self.now);
        let before = |time: UnixSeconds, seconds: u32| {
            UnixSeconds::new(time.get().saturating_sub(seconds.into()))
        };
        let accept = may_have_talked(&result).then(|| before(end, self.talk_seconds));
        let mut event = CallEnded::new(call_id);
        event.caller = Some(self.caller.clone());
        event.media_type = Some(MediaType::Audio);
        event.call_type = Some(match self.callees.as_slice() {
            [] | [_] => CallType::SingleCall,
            _ => CallType::MultiCall,
        });
        event.start_time = Some(before(accept.unwrap_or(end), self.ring_seconds));
        event.accept_time = accept;
        event.end_time = Some(end);
        event.result = Some(result);
        event.members = self.members().collect();
        event.room_id = Some("roomid-1434".into());
        event.room_id_type = Some(RoomIdType::Text);
        event.event_time = Some(self.now.into());
        event
    }

    pub(crate) fn call_started(&self, call_id: &str) -> CallStarted {
        let caller = Member::new(self.caller.clone(), MemberStatus::Calling);
        let callees = self.callees.iter().map(|id| Member::new(id.clone(), MemberStatus::Waiting));
        let mut event = CallStarted::new(call_id);
        event.media_type = Some(MediaType::Audio);
        event.chat_group_id = Some(String::new());
        event.members = std::iter::once(caller).chain(callees).collect();
        event.event_time = Some(UnixMillis::from(self.now));
        event
    }

    /// The first callee answers.
    pub(crate) fn member_changed(&self, call_id: &str) -> MemberChanged {
        let mut event = MemberChanged::new(call_id);
        event.members = self.members().map(|id| Member::new(id, MemberStatus::Calling)).collect();
        event.changes = self
            .callees
            .first()
            .map(|id| MemberChange::new(id.clone(), ActionType::Accept))
            .into_iter()
            .collect();
        event.event_time = Some(UnixMillis::from(self.now));
        event
    }
}

/// A callback of which nothing is known but its command.
pub(crate) fn other(command: Command) -> OtherCallback {
    let json = serde_json::json!({ "CallbackCommand": command.as_str() }).to_string();
    OtherCallback::new(command, json)
}

/// Whether a call that ended so can have been connected.
const fn may_have_talked(result: &CallResult) -> bool {
    !matches!(
        result,
        CallResult::Cancel | CallResult::Reject | CallResult::NotAnswer | CallResult::CallBusy
    )
}

/// A call id as the vendor's samples have it: a lower-case UUID.
pub(crate) fn new_call_id() -> String {
    Uuid::new_v4().to_string()
}
