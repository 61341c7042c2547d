//! The secret key, the UserSig and the callback URL's path appear in no error and no `Debug`.

use std::error::Error as _;

use serde_json::json;
use tokio::net::TcpListener;
use trtc_call_api::trtc_call_webhook::Command;
use trtc_call_api::{CallbackSettings, Error};

use crate::support::{Answer, KEY, Received, Vendor, builder, seconds};

const PATH: &str = "/callback/055662e1bc8a469ca3341126c8c17d58";

/// Answers in which the vendor repeats all that it was told.
fn parrots() -> Vec<fn(&Received) -> Answer> {
    vec![
        |request| {
            let heard = format!("{} {}", request.head, request.body);
            Answer::json(&json!({ "ErrorCode": 60002, "ErrorInfo": heard, "RequestId": heard }))
        },
        |request| {
            let user_sig = request.parameter("usersig");
            let info = format!("{}… {}", &user_sig[..60], &user_sig[40..]);
            Answer::json(&json!({ "ErrorCode": 60003, "ErrorInfo": info }))
        },
        |request| {
            let info = request.body.get(..60).unwrap_or_default();
            Answer::json(&json!({ "ErrorCode": 60004, "ErrorInfo": info }))
        },
        |request| Answer::Body(request.head.clone()),
        |request| Answer::Body(format!("{{\"{}\"", request.parameter("usersig"))),
        |request| Answer::json(&json!({ "ErrorCode": request.parameter("usersig") })),
        |request| {
            let location =
                format!("HTTP/1.1 302 X\r\nLocation: /{}\r\n\r\n", request.parameter("usersig"));
            Answer::Raw(location.into_bytes())
        },
        |request| Answer::Raw(request.head.clone().into_bytes()),
        |_| Answer::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_vec()),
        |_| Answer::Raw(Vec::new()),
        |_| Answer::status(500),
    ]
}

fn told(error: &Error) -> String {
    let sources = std::iter::successors(error.source(), |&error| error.source());
    let sources: Vec<_> = sources.map(|error| format!("{error} {error:?}")).collect();
    format!("{error} {error:?} {error:#?} {:?} {:?} {sources:?}", error.info(), error.request_id())
}

/// No piece of a secret that is longer than a word.
fn assert_holds_none(text: &str, secrets: &[&str]) {
    for secret in secrets {
        for at in 0..=secret.len().saturating_sub(16) {
            let piece = &secret[at..(at + 16).min(secret.len())];
            assert!(!text.contains(piece), "{piece} is in {text}");
        }
    }
}

#[tokio::test]
async fn no_error_repeats_a_secret() {
    let settings = CallbackSettings::new(format!("https://h{PATH}"), [Command::CallEnded]);
    for parrot in parrots() {
        let vendor = Vendor::start(move |_, request| parrot(request)).await;
        let client = vendor.client();
        let errors = [
            client.set_callback(&settings).await.unwrap_err(),
            client.delete_callback().await.unwrap_err(),
            client.callback().await.unwrap_err(),
            client.record("a").await.unwrap_err(),
            client.records(seconds(1)..seconds(2)).next().await.unwrap().unwrap_err(),
        ];
        for (error, request) in errors.iter().zip(vendor.received()) {
            assert_holds_none(&told(error), &[KEY, request.parameter("usersig"), PATH]);
        }
    }
}

#[tokio::test]
async fn no_error_of_a_connection_names_the_url() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            drop(listener.accept().await);
        }
    });
    for scheme in ["http", "https"] {
        for host in [address.to_string(), "name.invalid".to_owned()] {
            let client = builder().base_url(format!("{scheme}://{host}")).build().unwrap();
            let error = client.delete_callback().await.unwrap_err();
            let user_sig = client.user_sig("administrator", std::time::Duration::from_secs(3600));
            assert_holds_none(&told(&error), &[KEY, user_sig.as_str()]);
            assert!(!told(&error).contains("usersig") && !told(&error).contains("v4"), "{error:?}");
        }
    }
}

#[tokio::test]
async fn no_debug_shows_a_secret() {
    let vendor = Vendor::always(Answer::ok).await;
    let client = vendor.client();
    client.delete_callback().await.unwrap();
    let settings = CallbackSettings::new(format!("https://h{PATH}"), [Command::CallEnded]);
    let builder = builder().base_url("https://user:password@h");
    let records = client.records(seconds(1)..seconds(2));
    let debug = format!("{client:#?} {settings:#?} {builder:#?} {records:#?}");
    let received = vendor.received();
    assert_holds_none(&debug, &[KEY, received[0].parameter("usersig"), PATH]);
    assert!(!debug.contains("password"));
}
