//! The body of `Call.CallbackAfterEndCall`.

#![no_main]

use std::time::Duration;

use fuzz::{body::Kind, event};
use libfuzzer_sys::fuzz_target;
use trtc_call_webhook::{CallEnded, CallResult, UnixSeconds};

fuzz_target!(|body: &[u8]| {
    let Some(call) = event::check::<CallEnded>(Kind::CallEnded, body) else { return };

    let accepted = call.accept_time.or(call.end_time);
    assert_eq!(call.ringing_time(), between(call.start_time, accepted));
    assert_eq!(call.talking_time(), between(call.accept_time, call.end_time));
    let is_answered = call.accept_time.is_some() || call.result == Some(CallResult::NormalEnd);
    assert_eq!(call.is_answered(), is_answered);
    let connected = if is_answered { call.talking_time() } else { Some(Duration::ZERO) };
    assert_eq!(call.connected_time(), connected);

    let members: Vec<&str> = call.members.iter().collect();
    assert_eq!(members.len(), call.members.len());
    let callees: Vec<&str> =
        members.into_iter().filter(|member| call.caller.as_deref() != Some(member)).collect();
    assert_eq!(call.callees().collect::<Vec<_>>(), callees);
    assert!(call.room().is_none_or(|room| !room.to_string().is_empty()));
});

fn between(start: Option<UnixSeconds>, end: Option<UnixSeconds>) -> Option<Duration> {
    let difference = i128::from(end?.get()) - i128::from(start?.get());
    difference.try_into().ok().map(Duration::from_secs)
}
