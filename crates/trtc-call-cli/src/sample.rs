//! Made-up calls, told the way Tencent tells them.

use std::time::SystemTime;

use trtc_call_webhook::{
    ActionType, CallEnded, CallResult, CallStarted, CallType, Command, MediaType, Member,
    MemberChange, MemberChanged, MemberStatus, OtherCallback, UnixMillis, UnixSeconds,
};
use uuid::Uuid;

/// What all calls of a run have in common.
pub(crate) struct Sample {
    pub(crate) caller: String,
    pub(crate) callees: Vec<String>,
    pub(crate) talk_seconds: u32,
    pub(crate) ring_seconds: u32,
    /// When the calls start, where that is given; else they end now.
    pub(crate) start_time: Option<UnixSeconds>,
    /// One moment for the whole run, so that a re-delivery has the same bytes.
    pub(crate) now: SystemTime,
}

impl Sample {
    /// The caller and the callees, who are all on the vendor's list of callees.
    fn members(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.caller.as_str()).chain(self.callees.iter().map(String::as_str))
    }

    /// When something comes about, so many seconds after a start that is given; else now.
    fn event_time(&self, seconds: i64) -> UnixMillis {
        self.start_time.map_or_else(
            || UnixMillis::from(self.now),
            |start| UnixMillis::new(start.get().saturating_add(seconds).saturating_mul(1000)),
        )
    }

    pub(crate) fn call_ended(&self, call_id: &str, result: CallResult) -> CallEnded {
        let has_talked = may_have_talked(&result);
        let ring = i64::from(self.ring_seconds);
        let talk = if has_talked { i64::from(self.talk_seconds) } else { 0 };
        let start = self.start_time.map_or_else(
            || UnixSeconds::from(self.now).get().saturating_sub(talk).saturating_sub(ring),
            UnixSeconds::get,
        );
        let answered = start.saturating_add(ring);
        let end = UnixSeconds::new(answered.saturating_add(talk));
        let call_type = match self.callees.as_slice() {
            [] | [_] => CallType::SingleCall,
            _ => CallType::MultiCall,
        };
        let event = CallEnded::new(call_id)
            .with_caller(&*self.caller)
            .with_media_type(MediaType::Audio)
            .with_call_type(call_type)
            .with_start_time(start)
            .with_end_time(end)
            .with_result(result)
            .with_members(self.members())
            .with_room("roomid-1434")
            .with_event_time(self.event_time(ring.saturating_add(talk)));
        if has_talked { event.with_accept_time(answered) } else { event }
    }

    pub(crate) fn call_started(&self, call_id: &str) -> CallStarted {
        let caller = Member::new(&*self.caller).with_status(MemberStatus::Calling);
        let callees =
            self.callees.iter().map(|id| Member::new(id).with_status(MemberStatus::Waiting));
        CallStarted::new(call_id)
            .with_media_type(MediaType::Audio)
            .with_chat_group_id("")
            .with_members(std::iter::once(caller).chain(callees))
            .with_event_time(self.event_time(0))
    }

    /// The first callee answers.
    pub(crate) fn member_changed(&self, call_id: &str) -> MemberChanged {
        let callee = self.callees.first();
        let change = callee.map(|id| MemberChange::new(id).with_action(ActionType::Accept));
        let calling = |id| Member::new(id).with_status(MemberStatus::Calling);
        MemberChanged::new(call_id)
            .with_members(self.members().map(calling))
            .with_changes(change)
            .with_event_time(self.event_time(self.ring_seconds.into()))
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
