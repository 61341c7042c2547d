//! Where callbacks go, and where they come from.

use serde_json::{Value, json};
use trtc_call_api::trtc_call_webhook::Command;
use trtc_call_api::{CallbackSettings, Egress, ErrorKind};

use crate::support::{Answer, Vendor};

async fn got(response: Value) -> Result<Option<CallbackSettings>, trtc_call_api::Error> {
    Vendor::always(move || Answer::response(&response)).await.client().callback().await
}

#[tokio::test]
async fn the_printed_sample_is_read() {
    let settings = got(json!({ "Url": "http://www.example.com/callback", "CallbackCommandList": [
        "Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall",
        "Call.CallbackAfterMemberChanged"] }))
    .await;
    let commands = [Command::CallStarted, Command::CallEnded, Command::MemberChanged];
    let expected = CallbackSettings::new("http://www.example.com/callback", commands);
    assert_eq!(settings.unwrap(), Some(expected));
}

#[tokio::test]
async fn nothing_set_is_none() {
    let vendor = Vendor::always(|| Answer::code(100_301)).await;
    assert_eq!(vendor.client().callback().await.unwrap(), None);
    assert_eq!(got(json!({ "Url": "", "CallbackCommandList": [] })).await.unwrap(), None);
}

#[tokio::test]
async fn commands_are_as_lenient_as_a_callbacks_fields() {
    for (list, commands) in [
        (json!(null), vec![]),
        (json!([]), vec![]),
        (json!("Call.CallbackAfterEndCall"), vec![Command::CallEnded]),
        (json!(["Call.New", null, {}, 1]), vec![Command::from("Call.New"), Command::from("1")]),
        (json!({}), vec![]),
    ] {
        let settings = got(json!({ "Url": "https://h", "CallbackCommandList": list })).await;
        assert_eq!(settings.unwrap(), Some(CallbackSettings::new("https://h", commands)));
    }
}

#[tokio::test]
async fn an_answer_without_a_url_is_not_as_documented() {
    for response in
        [json!(null), json!([]), json!(["https://h", []]), json!({}), json!({ "Url": [] })]
    {
        let error = got(response).await.unwrap_err();
        assert_eq!((error.kind(), error.request_id()), (ErrorKind::Answer, Some("Id-1")));
    }
}

#[test]
fn debug_shows_the_origin_only() {
    let debug = |url: &str| format!("{:?}", CallbackSettings::new(url, [Command::CallEnded]));
    assert_eq!(
        debug("https://user:secret@example.com:8443/secret?secret#secret"),
        "CallbackSettings { url: https://example.com:8443/…, commands: [CallEnded] }"
    );
    assert!(!debug("no url but a secret").contains("secret"));
}

#[tokio::test]
async fn addresses_and_networks_are_read_as_they_are_printed() {
    let list = json!({ "ActionStatus": "OK", "ErrorCode": 0,
        "IPList": ["127.0.0.2", "183.192.202.0/25"] });
    let vendor = Vendor::always(move || Answer::json(&list)).await;
    let ips = vendor.client().callback_ips(Egress::Overseas).await.unwrap();
    assert_eq!(ips, ["127.0.0.2", "183.192.202.0/25"]);
    let vendor = Vendor::always(Answer::ok).await;
    let error = vendor.client().callback_ips(Egress::Overseas).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Answer);
}
