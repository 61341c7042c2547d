//! The body of `Call.CallbackAfterEndCall`.

#![no_main]

use fuzz::{billing, body::Kind, event};
use libfuzzer_sys::fuzz_target;
use trtc_call_webhook::CallEnded;

fuzz_target!(|body: &[u8]| {
    let Some(call) = event::check::<CallEnded>(Kind::CallEnded, body) else { return };

    if let Some(expected) = billing::expect(body) {
        expected.assert_same(&call);
    }
    let is_callee = |member: &&String| call.caller.as_ref() != Some(member);
    let callees: Vec<&String> = call.members.iter().filter(is_callee).collect();
    assert_eq!(call.callees().collect::<Vec<_>>(), callees);
    assert!(call.room().is_none_or(|room| !room.to_string().is_empty()));
});
