//! The body of `Call.CallbackAfterStartCall`.

#![no_main]

use fuzz::{body::Kind, event};
use libfuzzer_sys::fuzz_target;
use trtc_call_webhook::CallStarted;

fuzz_target!(|body: &[u8]| {
    let Some(call) = event::check::<CallStarted>(Kind::CallStarted, body) else { return };
    assert!(call.room().is_none_or(|room| !room.to_string().is_empty()));
});
