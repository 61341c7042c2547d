//! What handlers get: the events, their helpers and keys, and the sender's requests read back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{
    ActionType, App, CallEnded, CallResult, CallStarted, CallType, Callback, Command, Delivery,
    Event, MediaType, Member, MemberChange, MemberChanged, MemberStatus, OtherCallback, Receipt,
    RoomId, RoomIdType, Token, Undecoded, UnixMillis, UnixSeconds, UserIds, Verifier,
};

const APP: u64 = 1_400_000_001;

fn ended() -> CallEnded {
    let mut call = CallEnded::new("055662e1-bc8a-469c-a334-1126c8c17d58");
    call.caller = Some("10001".to_owned());
    call.media_type = Some(MediaType::Audio);
    call.call_type = Some(CallType::SingleCall);
    call.start_time = Some(UnixSeconds::new(1_741_231_146));
    call.accept_time = Some(UnixSeconds::new(1_741_231_150));
    call.end_time = Some(UnixSeconds::new(1_741_231_296));
    call.result = Some(CallResult::NormalEnd);
    call.members = UserIds::from(["10001", "user2"]);
    call.room_id = Some(RoomId::from("roomid-1434"));
    call.room_id_type = Some(RoomIdType::Text);
    call.event_time = Some(UnixMillis::new(1_703_589_922_780));
    call
}

fn started() -> CallStarted {
    let mut call = CallStarted::new("a \"quoted\" id 令");
    call.media_type = Some(MediaType::from("Hologram"));
    call.chat_group_id = Some(String::new());
    call.room_id = Some(RoomId::from(1434));
    call.room_id_type = Some(RoomIdType::Number);
    call.members =
        vec![Member::new("144115212830834855", MemberStatus::Calling), Member::new("b", None)];
    call
}

fn untyped_room() -> CallStarted {
    let mut call = CallStarted::new("d");
    call.room_id = Some(RoomId::from(5));
    call
}

fn changed() -> MemberChanged {
    let mut change = MemberChanged::new("c");
    change.members = vec![Member::new("a", MemberStatus::Waiting)];
    change.changes = vec![MemberChange::new("b", ActionType::HangUp), MemberChange::new("c", None)];
    change.event_time = Some(UnixMillis::new(-1));
    change
}

fn all() -> Vec<Callback> {
    let other = OtherCallback::new("Call.CallbackAfterNewThing", r#"{"CallId":"x"}"#);
    vec![ended().into(), started().into(), untyped_room().into(), changed().into(), other.into()]
}

fn verifier() -> Verifier {
    Verifier::builder().app(APP).build().unwrap()
}

fn deliver<E: Event>(request: &Request) -> Delivery<E> {
    let head = verifier().check("POST", &request.query(), None).unwrap();
    match head.receive(request.body()).unwrap() {
        Receipt::Deliver(delivery) => delivery,
        Receipt::Acknowledge(_) => panic!("not taken"),
    }
}

#[test]
fn what_the_sender_makes_the_receiver_takes() {
    let token = Token::new("xxxxyyyy");
    let verifier = Verifier::builder().app(App::new(APP).token(token.clone())).build().unwrap();
    let now = UNIX_EPOCH + Duration::from_secs(1_741_231_296);
    for callback in all() {
        let request = Request::new(APP, callback.clone()).signed(&token, now);
        let head = verifier.check_at("POST", &request.query(), None, now).unwrap();
        assert!(head.is_signed());
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
fn an_answered_call_has_an_accept_time_or_ended_normally() {
    let call = |accept: Option<i64>, result: Option<CallResult>| {
        let mut call = CallEnded::new("a");
        call.accept_time = accept.map(UnixSeconds::new);
        call.result = result;
        call.is_answered()
    };
    assert!(call(Some(1), None));
    assert!(call(Some(1), Some(CallResult::Offline)));
    assert!(call(None, Some(CallResult::NormalEnd)));
    assert!(!call(None, Some(CallResult::NotAnswer)));
    assert!(!call(None, None));
}

#[test]
fn ringing_and_talking_are_none_where_the_times_do_not_tell() {
    let times = |start: Option<i64>, accept: Option<i64>, end: Option<i64>| {
        let mut call = CallEnded::new("a");
        call.start_time = start.map(UnixSeconds::new);
        call.accept_time = accept.map(UnixSeconds::new);
        call.end_time = end.map(UnixSeconds::new);
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs());
        (seconds(call.ringing_time()), seconds(call.talking_time()))
    };
    assert_eq!(times(Some(10), Some(14), Some(100)), (Some(4), Some(86)));
    assert_eq!(times(Some(10), None, Some(40)), (Some(30), None));
    assert_eq!(times(None, Some(14), Some(100)), (None, Some(86)));
    assert_eq!(times(Some(10), Some(14), None), (Some(4), None));
    assert_eq!(times(Some(10), None, None), (None, None));
    assert_eq!(times(Some(10), Some(5), Some(2)), (None, None), "out of order");
    assert_eq!(times(Some(7), Some(7), Some(7)), (Some(0), Some(0)));
    let whole = times(Some(i64::MIN), Some(i64::MIN), Some(i64::MAX));
    assert_eq!(whole, (Some(0), Some(u64::MAX)));
    assert_eq!(times(Some(i64::MAX), Some(i64::MIN), Some(i64::MAX)).0, None);
}

#[test]
fn callees_are_the_members_without_the_caller() {
    let callees = |caller: Option<&str>, members: &[&str]| {
        let mut call = CallEnded::new("a");
        call.caller = caller.map(str::to_owned);
        call.members = members.iter().collect();
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
        let key = deliver::<Callback>(&request).idempotency_key();
        let again = request.clone().signed(&Token::new("t"), SystemTime::now()).platform("Web");
        assert_eq!(deliver::<Callback>(&again).idempotency_key(), key);
        assert_eq!(deliver::<Undecoded>(&again).idempotency_key(), key);
    }
    let request = Request::new(APP, ended());
    assert_eq!(
        deliver::<CallEnded>(&request).idempotency_key().as_str(),
        "1400000001:Call.CallbackAfterEndCall:055662e1-bc8a-469c-a334-1126c8c17d58"
    );
}

#[test]
fn different_events_have_different_keys() {
    let mut keys = Vec::new();
    let mut add = |event: Callback| {
        keys.push(deliver::<Callback>(&Request::new(APP, event)).idempotency_key());
    };
    for event in all() {
        add(event);
    }
    // The same call id under another command, in another change, at another time.
    add(CallStarted::new(ended().call_id).into());
    add(MemberChanged::new(ended().call_id).into());
    let change = |account: &str, action: &str, time: Option<i64>| {
        let mut event = MemberChanged::new("c");
        event.changes = vec![MemberChange::new(account, ActionType::from(action))];
        event.event_time = time.map(UnixMillis::new);
        Callback::from(event)
    };
    add(change("b", "Hangup", Some(1)));
    add(change("b", "Hangup", Some(2)));
    add(change("b", "Hangup", None));
    add(change("bHang", "up", Some(1)));
    add(change("b", "Join", Some(1)));
    let mut twice = MemberChanged::new("c");
    twice.changes = vec![MemberChange::new("b", ActionType::HangUp); 2];
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
    let verifier = Verifier::builder().app(2).build().unwrap();
    let head = verifier.check("POST", &other_app.query(), None).unwrap();
    let Receipt::Deliver(delivery) = head.receive::<CallEnded>(other_app.body()).unwrap() else {
        panic!("not taken");
    };
    assert!(!keys.contains(&delivery.idempotency_key()));
}

#[test]
fn a_body_that_does_not_decode_has_a_key_all_the_same() {
    let request = |body: &'static str| Request::new(APP, ended()).with_body(body);
    let key = |body| deliver::<Undecoded>(&request(body)).idempotency_key();
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
