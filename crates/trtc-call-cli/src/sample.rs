//! Made-up calls, told the way Tencent tells them.

use std::time::SystemTime;

use trtc_call_webhook::{
    ActionType, CallEnded, CallResult, CallStarted, CallType, Command, MediaType, Member,
    MemberChange, MemberChanged, MemberStatus, OtherCallback, UnixSeconds,
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
        let call_type = match self.callees.as_slice() {
            [] | [_] => CallType::SingleCall,
            _ => CallType::MultiCall,
        };
        let event = CallEnded::new(call_id)
            .with_caller(&*self.caller)
            .with_media_type(MediaType::Audio)
            .with_call_type(call_type)
            .with_start_time(before(accept.unwrap_or(end), self.ring_seconds))
            .with_end_time(end)
            .with_result(result)
            .with_members(self.members())
            .with_room("roomid-1434")
            .with_event_time(self.now);
        match accept {
            Some(accept) => event.with_accept_time(accept),
            None => event,
        }
    }

    pub(crate) fn call_started(&self, call_id: &str) -> CallStarted {
        let caller = Member::new(&*self.caller).with_status(MemberStatus::Calling);
        let callees =
            self.callees.iter().map(|id| Member::new(id).with_status(MemberStatus::Waiting));
        CallStarted::new(call_id)
            .with_media_type(MediaType::Audio)
            .with_chat_group_id("")
            .with_members(std::iter::once(caller).chain(callees))
            .with_event_time(self.now)
    }

    /// The first callee answers.
    pub(crate) fn member_changed(&self, call_id: &str) -> MemberChanged {
        let callee = self.callees.first();
        let change = callee.map(|id| MemberChange::new(id).with_action(ActionType::Accept));
        let calling = |id| Member::new(id).with_status(MemberStatus::Calling);
        MemberChanged::new(call_id)
            .with_members(self.members().map(calling))
            .with_changes(change)
            .with_event_time(self.now)
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
