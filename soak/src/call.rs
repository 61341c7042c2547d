//! An ended call, and what an example must print of it.

use serde::{Deserialize, Serialize};
use trtc_call_webhook::{CallEnded, UnixSeconds};

use crate::random::Random;

/// The line that an example prints of a call.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    pub(crate) call_id: String,
    pub(crate) result: Option<String>,
    pub(crate) caller: Option<String>,
    pub(crate) callees: Vec<String>,
    pub(crate) talk_seconds: Option<u64>,
}

/// A call to be sent. What has to come of it is not computed from the event, but beside it.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) event: CallEnded,
    pub(crate) line: Line,
}

impl Call {
    pub(crate) fn new(call_id: String, random: &mut Random) -> Self {
        let mut event = CallEnded::new(&call_id);
        let caller = (!random.one_in(50)).then(|| user_id(0, random));
        let callees: Vec<_> = (1..=callee_count(random)).map(|n| user_id(n, random)).collect();
        event.caller = caller.clone();
        event.members = members(caller.as_ref(), &callees, random);
        let (result, talk_seconds) = end(&mut event, random);
        let result = result.map(str::to_owned);
        event.result = result.clone().map(Into::into);
        Self { event, line: Line { call_id, result, caller, callees, talk_seconds } }
    }
}

/// Few in most calls, hundreds in some.
fn callee_count(random: &mut Random) -> u64 {
    if random.one_in(200) { random.below(500) } else { 1 + random.below(9) }
}

/// `place` makes it another one than the call's others.
fn user_id(place: u64, random: &mut Random) -> String {
    let number = random.below(100_000);
    match random.below(10) {
        0 => format!("用户{number}-{place}"),
        1 => format!("\"{number}\"\\{place}"),
        2 => format!("😀\t{number}/{place}"),
        _ => format!("user_{number}-{place}"),
    }
}

/// The callees in their order; with the caller somewhere among them or, as some samples are,
/// without.
fn members(caller: Option<&String>, callees: &[String], random: &mut Random) -> Vec<String> {
    let mut members: Vec<&String> = callees.iter().collect();
    if let Some(caller) = caller.filter(|_| !random.one_in(4)) {
        members.insert(random.below(callees.len() as u64 + 1) as usize, caller);
    }
    members.into_iter().cloned().collect()
}

/// How the call ends, and for how many seconds they talked, if anybody can tell.
fn end(event: &mut CallEnded, random: &mut Random) -> (Option<&'static str>, Option<u64>) {
    let start = 1_700_000_000 + random.below(100_000_000);
    let (rang, talked) = (random.below(60), random.below(100_000));
    let at = |seconds: u64| Some(UnixSeconds::new(seconds as i64));
    event.start_time = at(start);
    match random.below(10) {
        // Nobody answers.
        0..3 => {
            event.end_time = at(start + rang);
            let results = ["Cancel", "Reject", "NotAnswer", "CallBusy", "Interrupt", "Offline"];
            (Some(random.pick(&results)), Some(0))
        }
        // Somebody may have answered, nobody knows when.
        3 => {
            event.end_time = at(start + rang + talked);
            (Some(random.pick(&["NormalEnd", "SomethingNew"])), None)
        }
        _ => {
            event.accept_time = at(start + rang);
            event.end_time = at(start + rang + talked);
            let results = ["NormalEnd", "Interrupt", "Offline", "SomethingNew"].map(Some);
            let result = if random.one_in(5) { None } else { random.pick(&results) };
            (result, Some(talked))
        }
    }
}
