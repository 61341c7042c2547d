//! The de-duplication key: equal for the same event, different for different ones.

use std::collections::BTreeMap;

use proptest::prelude::*;
use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{
    CallEnded, CallStarted, Callback, Command, Delivery, IdempotencyKey, MemberChange,
    MemberChanged, OtherCallback, SdkApp, Undecoded, UnixMillis, Verifier,
};

use crate::config;
use crate::strategy::peer::Peer;
use crate::strategy::{events, json};

proptest! {
    #![proptest_config(config())]

    /// By another clock, another token, with other parameters, in another style.
    #[test]
    fn a_redelivery_has_the_same_key_in_every_form(
        callback in events::callback(),
        peer in Peer::any(),
        style in json::Style::any(),
    ) {
        let first = deliver(peer.app, &callback);
        let mut again = peer.request(callback.clone()).platform("Web").client_ip(None);
        if !matches!(callback, Callback::Other(_)) {
            let body = style.write(again.body());
            again = again.with_body(body);
        }
        let key = first.idempotency_key();
        let callback_again = peer.deliver::<Callback>(&again);
        prop_assert_eq!(callback_again.idempotency_key(), key);
        let undecoded = peer.deliver::<Undecoded>(&again);
        prop_assert_eq!(undecoded.idempotency_key(), key);
        let alone = match callback {
            Callback::CallEnded(_) => peer.deliver::<CallEnded>(&again).idempotency_key().clone(),
            Callback::CallStarted(_) => {
                peer.deliver::<CallStarted>(&again).idempotency_key().clone()
            }
            Callback::MemberChanged(_) => {
                peer.deliver::<MemberChanged>(&again).idempotency_key().clone()
            }
            _ => return Ok(()),
        };
        prop_assert_eq!(&alone, key);
    }

    #[test]
    fn a_member_change_is_told_by_its_time_and_changes(
        one in events::member_changed(),
        mut other in events::member_changed(),
        is_same_time in any::<bool>(),
        has_same_changes in any::<bool>(),
    ) {
        other.call_id.clone_from(&one.call_id);
        if is_same_time {
            other.event_time = one.event_time;
        }
        if has_same_changes {
            other.changes.clone_from(&one.changes);
        }
        let is_same = one.event_time == other.event_time && one.changes == other.changes;
        let keys = [one, other].map(|event| deliver(1, &event.into()).idempotency_key().clone());
        prop_assert_eq!(keys[0] == keys[1], is_same, "{:?}", keys);
    }

    #[test]
    fn a_key_is_fit_for_a_database(app in 1..=u64::MAX, event in events::callback()) {
        is_fit(deliver(app, &event).idempotency_key());
    }
}

/// Events that are all different, in as little as can be.
#[test]
fn no_two_events_have_the_same_key() {
    let mut keys = BTreeMap::new();
    for app in [1, 11, u64::MAX] {
        for event in events() {
            let key = deliver(app, &event).idempotency_key().clone();
            is_fit(&key);
            let same = keys.insert(key, (app, event.clone()));
            assert!(same.is_none(), "{event:?} of app {app} has the key of {same:?}");
        }
    }
}

#[track_caller]
fn is_fit(key: &IdempotencyKey) {
    assert!(key.as_str().len() <= 512, "{} bytes", key.as_str().len());
    assert!(!key.as_str().contains(char::is_control), "{key}");
    let json = serde_json::to_string(key).unwrap();
    assert_eq!(&serde_json::from_str::<IdempotencyKey>(&json).unwrap(), key);
}

/// Delivers to a receiver of this app without a token.
fn deliver(app: u64, callback: &Callback) -> Delivery<Callback> {
    let request = Request::new(app, callback.clone());
    let verifier = Verifier::builder().app(SdkApp::unsigned(app)).build().unwrap();
    request.deliver_to(&verifier).unwrap().expect("it takes everything")
}

/// Call ids that look like more of a key, or like its SHA-256, and some around the length above
/// which an id stands in the key as its SHA-256.
fn call_ids() -> Vec<String> {
    let digest = "c12cb024a2e5551cca0e08fce8f1c5e314555cc3fef6329ee994a3db752166ae";
    let mut ids = ["a", "a:b", ":", "~", "a\n", digest].map(str::to_owned).to_vec();
    ids.extend([format!("~:{digest}"), format!("#:{digest}"), "a".repeat(128), "a".repeat(129)]);
    ids
}

/// Commands that are unknown, some of which look like more of a key, and known ones; in the body of
/// which is no call id.
fn commands() -> Vec<Command> {
    let long = "X".repeat(129);
    let unknown = ["X", "Y", "X#", "Call.CallbackAfterEndCall:a", "~", &long[1..], &long];
    let known = Command::KNOWN.iter().cloned();
    unknown.into_iter().map(Command::from).chain(known).collect()
}

/// Changes, some of which are the same letters cut elsewhere.
fn changes() -> Vec<Vec<MemberChange>> {
    let change = |id: &str, word: Option<&str>| {
        let change = MemberChange::new(id);
        word.map_or(change.clone(), |word| change.with_action(word))
    };
    let (join, hang_up) = (change("b", Some("Join")), change("b", Some("Hangup")));
    vec![
        vec![],
        vec![change("b", None)],
        vec![change("b", Some(""))],
        vec![hang_up.clone()],
        vec![change("bHang", Some("up"))],
        vec![change("bHangup", Some(""))],
        vec![join.clone(), hang_up.clone()],
        vec![hang_up, join.clone()],
        vec![join.clone(), join],
    ]
}

fn events() -> Vec<Callback> {
    let mut events: Vec<Callback> = Vec::new();
    for id in call_ids() {
        events.push(CallEnded::new(&*id).into());
        events.push(CallStarted::new(&*id).into());
        for changes in changes() {
            for time in [None, Some(0), Some(1), Some(-1)] {
                let mut event = MemberChanged::new(&*id);
                event.changes.clone_from(&changes);
                event.event_time = time.map(UnixMillis::new);
                events.push(event.into());
            }
        }
    }
    for command in commands() {
        for json in ["{}", "{ }", r#"{"a":1}"#] {
            events.push(OtherCallback::new(command.clone(), json).into());
        }
    }
    events
}
