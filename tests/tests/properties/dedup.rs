//! The de-duplication key: equal for the same event, different for different ones.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{
    ActionType, CallEnded, CallStarted, Callback, Command, DedupKey, Delivery, MemberChange,
    MemberChanged, OtherCallback, Receipt, Receiver, Undecoded, UnixMillis,
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
        prop_assert_eq!(peer.deliver::<Callback>(&again).dedup_key(), first.dedup_key());
        prop_assert_eq!(peer.deliver::<Undecoded>(&again).dedup_key(), first.dedup_key());
        let alone = match callback {
            Callback::CallEnded(_) => peer.deliver::<CallEnded>(&again).dedup_key(),
            Callback::CallStarted(_) => peer.deliver::<CallStarted>(&again).dedup_key(),
            Callback::MemberChanged(_) => peer.deliver::<MemberChanged>(&again).dedup_key(),
            _ => return Ok(()),
        };
        prop_assert_eq!(alone, first.dedup_key());
    }

    #[test]
    fn a_key_is_the_same_for_the_same_event_and_for_no_other(
        one in (app(), few()),
        other in (app(), few()),
    ) {
        let [key, other_key] = [&one, &other].map(|(app, event)| deliver(*app, event).dedup_key());
        let is_same = one.0 == other.0 && Identity::of(&one.1) == Identity::of(&other.1);
        prop_assert_eq!(key == other_key, is_same, "{} {}", key, other_key);
    }

    #[test]
    fn a_key_is_fit_for_a_database(app in app(), event in prop_oneof![events::callback(), few()]) {
        let key = deliver(app, &event).dedup_key();
        prop_assert!(key.as_str().len() <= 512, "{} bytes", key.as_str().len());
        prop_assert!(!key.as_str().contains(char::is_control));
        let json = serde_json::to_string(&key).unwrap();
        prop_assert_eq!(serde_json::from_str::<DedupKey>(&json).unwrap(), key);
    }
}

/// What makes an event the same: all that the contract counts, and nothing else.
#[derive(PartialEq)]
struct Identity<'a> {
    command: &'a Command,
    call_id: Option<&'a str>,
    change: Option<(Option<UnixMillis>, &'a [MemberChange])>,
    body: Option<&'a str>,
}

impl<'a> Identity<'a> {
    fn of(callback: &'a Callback) -> Self {
        let (change, body) = match callback {
            Callback::MemberChanged(event) => (Some((event.event_time, &*event.changes)), None),
            Callback::Other(other) => (None, Some(&*other.json)),
            _ => (None, None),
        };
        Self { command: callback.command(), call_id: callback.call_id(), change, body }
    }
}

/// Delivers to a receiver of this app without a token.
fn deliver(app: u64, callback: &Callback) -> Delivery<Callback> {
    let request = Request::new(app, callback.clone());
    let receiver = Receiver::builder().app(app).build().unwrap();
    let head = receiver.check("POST", &request.query(), None).unwrap();
    match head.receive(request.body()).unwrap() {
        Receipt::Deliver(delivery) => delivery,
        Receipt::Acknowledge(_) => panic!("not taken"),
    }
}

fn app() -> impl Strategy<Value = u64> {
    prop_oneof![1..=2_u64, select(&[11, u64::MAX][..])]
}

/// One of few events, so that two are often the same, or the same but for one thing.
fn few() -> impl Strategy<Value = Callback> {
    prop_oneof![
        (call_id(), 0..2_i64).prop_map(|(id, time)| {
            let mut call = CallEnded::new(id);
            call.event_time = Some(UnixMillis::new(time));
            call.into()
        }),
        call_id().prop_map(|id| CallStarted::new(id).into()),
        (call_id(), vec(change(), 0..3), option::of(0..2_i64)).prop_map(|(id, changes, time)| {
            let mut event = MemberChanged::new(id);
            event.changes = changes;
            event.event_time = time.map(UnixMillis::new);
            event.into()
        }),
        (command(), select(&["{}", "{ }", r#"{"a":1}"#][..]))
            .prop_map(|(command, json)| OtherCallback::new(command, json).into()),
    ]
}

/// Call ids that would look like more of a key, or like its SHA-256, and some around the length
/// above which an id stands in the key as its SHA-256.
fn call_id() -> impl Strategy<Value = String> {
    let long = "a".repeat(129);
    let digest = "c12cb024a2e5551cca0e08fce8f1c5e314555cc3fef6329ee994a3db752166ae";
    select(vec![
        "a".to_owned(),
        "a:b".to_owned(),
        "~".to_owned(),
        "a\n".to_owned(),
        format!("~:{digest}"),
        format!("#:{digest}"),
        digest.to_owned(),
        long[1..].to_owned(),
        long,
    ])
}

fn change() -> impl Strategy<Value = MemberChange> {
    let words = [None, Some("Join"), Some("Hangup"), Some("up"), Some("")];
    let action = select(words.to_vec()).prop_map(|word| word.map(ActionType::from));
    (select(&["", "b", "bHang"][..]), action).prop_map(|(id, word)| MemberChange::new(id, word))
}

/// Commands that are not known, that look like more of a key, and known ones whose body has no id.
fn command() -> impl Strategy<Value = Command> {
    let long = "X".repeat(129);
    let unknown = ["X", "Y", "X#", "Call.CallbackAfterEndCall:a", "~", &long[1..], &long];
    let unknown = unknown.map(Command::from).to_vec();
    prop_oneof![select(unknown), select(Command::KNOWN)]
}
