//! The body of `Call.CallbackAfterMemberChanged`.

#![no_main]

use fuzz::{body::Kind, event};
use libfuzzer_sys::fuzz_target;
use trtc_call_webhook::MemberChanged;

fuzz_target!(|body: &[u8]| {
    event::check::<MemberChanged>(Kind::MemberChanged, body);
});
