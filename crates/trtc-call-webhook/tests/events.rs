//! What handlers get: the events, their helpers and keys, and the sender's requests read back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use trtc_call_webhook::adapter::{Receipt, RequestHead};
use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{
    CallEnded, CallResult, CallStarted, Callback, Command, Delivery, Event, MediaType, Member,
    MemberChange, MemberChanged, OtherCallback, RoomId, RoomIdType, SdkApp, Token, Undecoded,
    UnixMillis, Verifier,
};

const APP: u64 = 1_400_000_001;

fn ended() -> CallEnded {
    CallEnded::new("055662e1-bc8a-469c-a334-1126c8c17d58")
        .with_caller("10001")
        .with_media_type("Audio")
        .with_call_type("SingleCall")
        .with_start_time(1_741_231_146)
        .with_accept_time(1_741_231_150)
        .with_end_time(1_741_231_296)
        .with_result("NormalEnd")
        .with_members(["10001", "user2"])
        .with_room("roomid-1434")
        .with_event_time(1_703_589_922_780)
}

fn unreadable() -> CallEnded {
    let mut call = CallEnded::new("b").with_result("NormalEnd");
    call.accept_time_unreadable = true;
    call
}

fn started() -> CallStarted {
    let mut call = CallStarted::new("a \"quoted\" id 令");
    call.media_type = Some(MediaType::from("Hologram"));
    call.chat_group_id = Some(String::new());
    call.room_id = Some(RoomId::from(1434));
    call.room_id_type = Some(RoomIdType::Number);
    call.members = vec![Member::new("144115212830834855").with_status("Calling"), Member::new("b")];
    call
}

fn untyped_room() -> CallStarted {
    let mut call = CallStarted::new("d");
    call.room_id = Some(RoomId::from(5));
    call
}

fn changed() -> MemberChanged {
    let mut change = MemberChanged::new("c");
    change.members = vec![Member::new("a").with_status("Waiting")];
    change.changes = vec![MemberChange::new("b").with_action("HangUp"), MemberChange::new("c")];
    change.event_time = Some(UnixMillis::new(-1));
    change
}

fn all() -> Vec<Callback> {
    let other = OtherCallback::new("Call.CallbackAfterNewThing", r#"{"CallId":"x"}"#);
    vec![
        ended().into(),
        unreadable().into(),
        started().into(),
        untyped_room().into(),
        changed().into(),
        other.into(),
    ]
}

fn verifier() -> Verifier {
    Verifier::builder().app(SdkApp::unsigned(APP)).build().unwrap()
}

fn deliver<E: Event>(request: &Request) -> Delivery<E> {
    request.deliver_to(&verifier()).unwrap().expect("it is taken")
}

#[test]
fn what_the_sender_makes_the_receiver_takes() {
    let token = Token::new("xxxxyyyy");
    let verifier = Verifier::builder().app(SdkApp::signed(APP, token.clone())).build().unwrap();
    let now = UNIX_EPOCH + Duration::from_secs(1_741_231_296);
    for callback in all() {
        let request = Request::new(APP, callback.clone()).signed(&token, now);
        let head =
            verifier.check(RequestHead::new("POST", &request.query()).received_at(now)).unwrap();
        assert!(head.signature().is_valid());
        assert_eq!(head.params().command(), Some(callback.command()));
        let Receipt::Deliver(delivery) = head.receive::<Callback>(request.body()).unwrap() else {
            panic!("not taken");
        };
        assert_eq!(*delivery, callback);
        assert_eq!(delivery.body(), request.body());
    }
}

#[test]
fn the_senders_query_has_all_parameters_in_the_documented_order() {
    let request = Request::new(7, ended())
        .signed(&Token::new("xxxxyyyy"), UNIX_EPOCH + Duration::from_secs(1_669_872_112))
        .client_ip("2001:db8::1")
        .platform("iOs");
    assert_eq!(
        request.url("https://example.com/callback"),
        "https://example.com/callback?SdkAppid=7&CallbackCommand=Call.CallbackAfterEndCall\
         &contenttype=json&ClientIP=2001%3Adb8%3A%3A1&OptPlatform=iOs\
         &Sign=17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061\
         &RequestTime=1669872112"
    );
    assert!(
        request.url("https://example.com/?a=b").starts_with("https://example.com/?a=b&SdkAppid=7")
    );
}

#[test]
fn the_senders_body_is_the_documented_sample() {
    let mut call = ended();
    call.accept_time = None;
    call.result = Some(CallResult::NotAnswer);
    assert_eq!(
        Request::new(APP, call).body(),
        r#"{"CallbackCommand":"Call.CallbackAfterEndCall","CallRecord":{"CallId":"055662e1-bc8a-469c-a334-1126c8c17d58","Caller_Account":"10001","MediaType":"Audio","CallType":"SingleCall","StartTime":1741231146,"EndTime":1741231296,"AcceptTime":0,"CallResult":"NotAnswer","CalleeList_Account":["10001","user2"],"RoomId":"roomid-1434","RoomIdType":2},"EventTime":1703589922780}"#
    );
}

#[test]
fn events_survive_a_queue() {
    for callback in all() {
        let json = serde_json::to_string(&callback).unwrap();
        assert_eq!(serde_json::from_str::<Callback>(&json).unwrap(), callback);
    }
    let json = serde_json::to_value(ended()).unwrap();
    assert_eq!(json["call_id"], "055662e1-bc8a-469c-a334-1126c8c17d58");
    assert_eq!(json["result"], "NormalEnd");
    assert_eq!(json["accept_time"], 1_741_231_150);
    // A queue may hold events of a version that knew fewer fields.
    let old: CallEnded = serde_json::from_str(r#"{"call_id":"a"}"#).unwrap();
    assert_eq!(old, CallEnded::new("a"));
}

#[test]
fn callees_are_the_members_without_the_caller() {
    let callees = |caller: Option<&str>, members: &[&str]| {
        let mut call = CallEnded::new("a").with_members(members.iter().copied());
        call.caller = caller.map(str::to_owned);
        call.callees().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(callees(Some("1"), &["1", "2"]), ["2"]);
    assert_eq!(callees(Some("1"), &["3", "2"]), ["3", "2"]);
    assert_eq!(callees(Some("1"), &["2", "1", "2", "1"]), ["2", "2"]);
    assert_eq!(callees(None, &["1", "2"]), ["1", "2"]);
    assert!(callees(Some("1"), &["1"]).is_empty());
    assert!(callees(Some("1"), &[]).is_empty());
}

#[test]
fn an_empty_room_is_no_room() {
    let mut call = CallStarted::new("a");
    assert_eq!(call.room(), None);
    call.room_id = Some(RoomId::from(""));
    assert_eq!(call.room(), None);
    call.room_id = Some(RoomId::from(0));
    assert_eq!(call.room(), Some(&RoomId::Number(0)));
}

#[test]
fn a_redelivery_has_the_same_key_in_every_form() {
    for callback in all() {
        let request = Request::new(APP, callback);
        let key = deliver::<Callback>(&request).idempotency_key().clone();
        let again = request.clone().signed(&Token::new("t"), SystemTime::now()).platform("Web");
        assert_eq!(deliver::<Callback>(&again).idempotency_key(), &key);
        assert_eq!(deliver::<Undecoded>(&again).idempotency_key(), &key);
    }
    let request = Request::new(APP, ended());
    assert_eq!(
        deliver::<CallEnded>(&request).idempotency_key().as_str(),
        "1400000001:Call.CallbackAfterEndCall:055662e1-bc8a-469c-a334-1126c8c17d58"
    );
    let undecoded = deliver::<Undecoded>(&request);
    let decoded = undecoded.decode_as::<Callback>().unwrap().expect("all are taken");
    assert_eq!(decoded.idempotency_key(), undecoded.idempotency_key());
    assert_eq!((decoded.params(), decoded.body()), (undecoded.params(), undecoded.body()));
    assert_eq!(decoded.signature(), undecoded.signature());
    assert!(undecoded.decode_as::<CallStarted>().unwrap().is_none());
}

#[test]
fn different_events_have_different_keys() {
    let mut keys = Vec::new();
    let mut add = |event: Callback| {
        keys.push(deliver::<Callback>(&Request::new(APP, event)).idempotency_key().clone());
    };
    for event in all() {
        add(event);
    }
    // The same call id under another command, in another change, at another time.
    add(CallStarted::new(ended().call_id).into());
    add(MemberChanged::new(ended().call_id).into());
    let change = |account: &str, action: &str, time: Option<i64>| {
        let mut event = MemberChanged::new("c");
        event.changes = vec![MemberChange::new(account).with_action(action)];
        event.event_time = time.map(UnixMillis::new);
        Callback::from(event)
    };
    add(change("b", "Hangup", Some(1)));
    add(change("b", "Hangup", Some(2)));
    add(change("b", "Hangup", None));
    add(change("bHang", "up", Some(1)));
    add(change("b", "Join", Some(1)));
    let mut twice = MemberChanged::new("c");
    twice.changes = vec![MemberChange::new("b").with_action("Hang Up"); 2];
    twice.event_time = Some(UnixMillis::new(1));
    add(twice.into());
    // Unknown commands and bodies, one of them made to look like a key.
    add(OtherCallback::new("X", "{}").into());
    add(OtherCallback::new("X", "{ }").into());
    add(OtherCallback::new("Y", "{}").into());
    add(OtherCallback::new("Call.CallbackAfterEndCall:a", "{}").into());
    // A known command without its call id.
    add(OtherCallback::new(Command::CallEnded, "{}").into());

    let count = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), count);

    let other_app = Request::new(2, ended());
    let verifier = Verifier::builder().app(SdkApp::unsigned(2)).build().unwrap();
    let head = verifier.check(RequestHead::new("POST", &other_app.query())).unwrap();
    let Receipt::Deliver(delivery) = head.receive::<CallEnded>(other_app.body()).unwrap() else {
        panic!("not taken");
    };
    assert!(!keys.contains(delivery.idempotency_key()));
}

#[test]
fn a_body_that_does_not_decode_has_a_key_all_the_same() {
    let request = |body: &'static str| Request::new(APP, ended()).with_body(body);
    let key = |body| deliver::<Undecoded>(&request(body)).idempotency_key().clone();
    assert_eq!(key("no JSON"), key("no JSON"));
    assert_ne!(key("no JSON"), key("no JSON either"));
}

#[test]
fn a_body_is_kept_byte_for_byte_and_decoded_as_often_as_asked() {
    let body: &[u8] = b"\xef\xbb\xbf {\"CallRecord\":{\"CallId\":7}} \r\n";
    let delivery = deliver::<Undecoded>(&Request::new(APP, ended()).with_body(body));
    assert_eq!(delivery.body(), body);
    for _ in 0..2 {
        assert_eq!(delivery.decode::<CallEnded>().unwrap().unwrap().call_id, "7");
        assert!(delivery.decode::<CallStarted>().unwrap().is_none());
        assert_eq!(delivery.decode::<Callback>().unwrap().unwrap().call_id(), Some("7"));
    }
}
