//! What is sent, to the byte.

use std::time::Duration;

use serde_json::json;
use trtc_call_api::trtc_call_webhook::Command;
use trtc_call_api::{CallbackSettings, Claims, Egress, SecretKey, UserSig};

use crate::support::{APP, Answer, Clock, KEY, Vendor, record, seconds};

#[tokio::test]
async fn each_call_is_one_post_with_the_documented_parameters_and_body() {
    let vendor = Vendor::start(|_, request| match request.path() {
        "/v4/call_config/get_callback" => Answer::code(100_301),
        "/v4/call_record_http_srv/get_record_by_callid" => {
            Answer::response(&json!({ "CallRecord": record("a \"1\"") }))
        }
        "/v4/call_record_http_srv/get_record_by_filter" => Answer::code(101_050),
        "/v4/ConfigSvc/GetIPList" => Answer::json(&json!({ "ErrorCode": 0, "IPList": [] })),
        _ => Answer::ok(),
    })
    .await;
    let clock = Clock::at(1_741_231_146);
    let now = clock.clone();
    let client = vendor.builder().admin("boss 1").clock(move || now.now()).build().unwrap();
    let commands = Command::KNOWN.iter().cloned();
    client.callback().await.unwrap();
    client
        .set_callback(&CallbackSettings::new("http://www.example.com/callback", commands))
        .await
        .unwrap();
    client.delete_callback().await.unwrap();
    client.record("a \"1\"").await.unwrap();
    let span = seconds(1_741_231_146)..seconds(1_741_231_200) + Duration::from_nanos(1);
    assert!(client.records(span).next().await.is_none());
    client.callback_ips(Egress::China).await.unwrap();
    client.callback_ips(Egress::Overseas).await.unwrap();

    let expected = [
        ("/v4/call_config/get_callback", "{}", None),
        (
            "/v4/call_config/set_callback",
            r#"{"Url":"http://www.example.com/callback","CallbackCommandList":["Call.CallbackAfterEndCall","Call.CallbackAfterStartCall","Call.CallbackAfterMemberChanged"]}"#,
            None,
        ),
        ("/v4/call_config/delete_callback", "{}", None),
        ("/v4/call_record_http_srv/get_record_by_callid", r#"{"CallId":"a \"1\""}"#, None),
        (
            "/v4/call_record_http_srv/get_record_by_filter",
            r#"{"StartTime":1741231146,"EndTime":1741231201,"NumberPerPage":100,"Page":1}"#,
            None,
        ),
        ("/v4/ConfigSvc/GetIPList", "{}", Some("5")),
        ("/v4/ConfigSvc/GetIPList", "{}", Some("6")),
    ];
    let received = vendor.received();
    assert_eq!(received.len(), expected.len());
    for (request, (path, body, nettype)) in received.iter().zip(expected) {
        assert!(request.head.starts_with("POST /v4/"), "{}", request.head);
        assert!(request.head.lines().next().unwrap().ends_with(" HTTP/1.1"), "{}", request.head);
        let head = request.head.to_ascii_lowercase();
        assert!(head.contains("\r\ncontent-type: application/json\r\n"), "{head}");
        assert_eq!((request.path(), &*request.body), (path, body));

        let names: Vec<_> = request.query().iter().map(|(name, _)| *name).collect();
        let documented = ["sdkappid", "identifier", "usersig", "random", "contenttype", "nettype"];
        assert_eq!(names, documented[..documented.len() - usize::from(nettype.is_none())]);
        assert_eq!(request.parameter("sdkappid"), APP.to_string());
        assert_eq!(request.parameter("identifier"), "boss+1");
        assert_eq!(request.parameter("contenttype"), "json");
        assert!(request.parameter("random").parse::<u32>().is_ok());
        assert_eq!(nettype.is_some().then(|| request.parameter("nettype")), nettype);
        let claims = UserSig::verify(request.parameter("usersig"), &SecretKey::new(KEY).unwrap());
        assert_eq!(claims, Ok(Claims::new(APP, "boss 1", 1_741_231_146, 3600)));
    }
    let randoms: std::collections::HashSet<_> =
        received.iter().map(|request| request.parameter("random")).collect();
    assert!(randoms.len() > 1);
    assert_eq!(vendor.connections(), 1, "a connection is kept");
}

#[tokio::test]
async fn paths_are_appended_to_that_of_the_base_url() {
    let vendor = Vendor::always(Answer::ok).await;
    for base in ["", "/", "/tencent", "/tencent/"] {
        let client = vendor.builder().base_url(format!("{}{base}", vendor.url)).build().unwrap();
        client.delete_callback().await.unwrap();
        assert_eq!(
            client.base_url(),
            format!("{}{}", vendor.url, if base.is_empty() { "/" } else { base })
        );
    }
    let paths: Vec<_> = vendor.received().iter().map(|request| request.path().to_owned()).collect();
    let path = "/v4/call_config/delete_callback".to_owned();
    let below = format!("/tencent{path}");
    assert_eq!(paths, [path.clone(), path, below.clone(), below]);
}

#[tokio::test]
async fn the_usersig_is_kept_and_made_anew_in_time_and_when_the_clock_jumped() {
    let vendor = Vendor::always(Answer::ok).await;
    let clock = Clock::at(1_000_000);
    let now = clock.clone();
    let client = vendor.builder().clock(move || now.now()).build().unwrap();
    for time in [1_000_000, 1_000_000, 1_001_799, 1_001_800, 1_003_599, 999_999, 1_000_100] {
        clock.set(time);
        client.clone().delete_callback().await.unwrap();
    }
    let key = SecretKey::new(KEY).unwrap();
    let issued: Vec<_> = vendor
        .received()
        .iter()
        .map(|request| UserSig::verify(request.parameter("usersig"), &key).unwrap().issued_at)
        .collect();
    assert_eq!(issued, [1_000_000, 1_000_000, 1_000_000, 1_001_800, 1_001_800, 999_999, 999_999]);
}

#[tokio::test]
async fn a_usersig_for_somebody_else_needs_no_request() {
    let vendor = Vendor::always(Answer::ok).await;
    let client = vendor.builder().clock(|| seconds(1_569_910_200)).build().unwrap();
    let user_sig = client.user_sig("xiaojun", Duration::from_millis(15_552_000_999));
    let claims = UserSig::verify(user_sig.as_str(), &SecretKey::new(KEY).unwrap());
    assert_eq!(claims, Ok(Claims::new(APP, "xiaojun", 1_569_910_200, 15_552_000)));
    assert_eq!(client.now(), seconds(1_569_910_200));
    assert!(vendor.received().is_empty());
}
