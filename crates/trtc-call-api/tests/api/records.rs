//! The record of one call.

use serde_json::{Value, json};
use trtc_call_api::trtc_call_webhook::{CallResult, Callback, decode};
use trtc_call_api::{Client, ErrorKind};

use crate::support::{Answer, Vendor, record};

async fn answering(response: Value) -> (Vendor, Client) {
    let vendor = Vendor::always(move || Answer::response(&response)).await;
    let client = vendor.client();
    (vendor, client)
}

#[tokio::test]
async fn the_printed_sample_is_read_as_a_callback_is() {
    let id = "055662e1-bc8a-469c-a334-1126c8c17d58";
    let (_vendor, client) = answering(json!({ "CallRecord": record(id) })).await;
    let record = client.record(id).await.unwrap().unwrap();
    let call = record.call();
    assert_eq!((&*call.call_id, call.caller.as_deref()), (id, Some("10001")));
    assert_eq!((call.accept_time, &call.result), (None, &Some(CallResult::NotAnswer)));
    assert_eq!(call.end_time.unwrap().get(), 1_741_231_296);
    let callback = decode::<Callback>(None, record.body()).unwrap().unwrap();
    assert_eq!(callback, Callback::CallEnded(call.clone()));
}

#[tokio::test]
async fn its_bytes_are_kept_as_the_vendor_wrote_them() {
    let written = r#"{ "New": 1.10, "CallId" : "a\u002d1","StartTime":"1741231146",
        "CalleeList_Account":"x" }"#;
    let answer = format!(r#"{{"ErrorCode":0,"Response":{{"CallRecord": {written} }}}}"#);
    let vendor = Vendor::always(move || Answer::Body(answer.clone())).await;
    let record = vendor.client().record("a-1").await.unwrap().unwrap();
    let body =
        format!(r#"{{"CallbackCommand":"Call.CallbackAfterEndCall","CallRecord":{written}}}"#);
    assert_eq!(record.body(), body.as_bytes());
    assert_eq!(record.call().start_time.unwrap().get(), 1_741_231_146);
    assert_eq!(record.call().members, ["x"]);
}

#[tokio::test]
async fn no_such_record_is_none() {
    let vendor = Vendor::always(|| Answer::code(101_050)).await;
    assert_eq!(vendor.client().record("a").await.unwrap(), None);
}

#[tokio::test]
async fn a_record_that_is_not_the_one_asked_for_is_an_error() {
    for (response, what) in [
        (json!({ "CallRecord": record("A") }), "its CallRecord is another call's"),
        (json!({ "CallRecord": record("") }), "its CallRecord cannot be read"),
        (json!({ "CallRecord": {} }), "its CallRecord cannot be read"),
        (json!({ "CallRecord": [] }), "its CallRecord cannot be read"),
        (json!({ "CallRecord": null }), "it has no CallRecord"),
        (json!({}), "it has no CallRecord"),
        (json!(null), "it has no Response"),
        (json!("a"), "it has no Response"),
    ] {
        let (_vendor, client) = answering(response).await;
        let error = client.record("a").await.unwrap_err();
        assert_eq!((error.kind(), error.request_id()), (ErrorKind::Answer, Some("Id-1")));
        assert!(error.to_string().contains(what), "{error}");
    }
    let twice = r#"{"ErrorCode":0,"Response":{"CallRecord":{"CallId":"a","CallId":"a"}}}"#;
    let vendor = Vendor::always(|| Answer::Body(twice.to_owned())).await;
    assert_eq!(vendor.client().record("a").await.unwrap_err().kind(), ErrorKind::Answer);
}
