//! Any body, by every command and for every handler: what another parser and the contract say.

#![no_main]

use fuzz::body::{Kind, Takes, expect, got};
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use trtc_call_webhook::{CallEnded, CallStarted, Callback, Command, Event, MemberChanged, decode};

fuzz_target!(|body: &[u8]| {
    for in_url in Kind::ALL.map(Kind::command).map(Some).into_iter().chain([None, Some("Other")]) {
        compare::<Callback>(Takes::All, in_url, body);
    }
    for in_url in [None, Some(Kind::CallEnded.command())] {
        compare::<CallEnded>(Takes::Only(Kind::CallEnded), in_url, body);
        compare::<CallStarted>(Takes::Only(Kind::CallStarted), in_url, body);
        compare::<MemberChanged>(Takes::Only(Kind::MemberChanged), in_url, body);
    }
});

fn compare<E: Event + Serialize>(takes: Takes, in_url: Option<&str>, body: &[u8]) {
    let Some(expected) = expect(takes, in_url, body) else { return };
    let command = in_url.map(Command::from);
    assert_eq!(got(decode::<E>(command.as_ref(), body)), expected, "{takes:?} {in_url:?}");
}
