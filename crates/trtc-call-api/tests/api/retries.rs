//! What is sent again, and what is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;
use trtc_call_api::trtc_call_webhook::Command;
use trtc_call_api::{CallbackSettings, Client, Code, Egress, Error, ErrorKind, UserSig};

use crate::support::{APP, Answer, Clock, KEY, Vendor, builder, record, seconds};

/// Long enough for a second try, however slow the machine is.
const LONG: Duration = Duration::from_secs(60);

fn settings() -> CallbackSettings {
    CallbackSettings::new("https://h/c", [Command::CallEnded])
}

/// Fails the first time as told, and answers the second time.
async fn failing_once(failure: impl Fn() -> Answer + Send + 'static) -> Vendor {
    Vendor::start(move |number, request| match request.path() {
        _ if number == 0 => failure(),
        "/v4/call_config/get_callback" => Answer::response(&json!({ "Url": "https://h/c" })),
        "/v4/call_record_http_srv/get_record_by_callid" => {
            Answer::response(&json!({ "CallRecord": record("a") }))
        }
        "/v4/call_record_http_srv/get_record_by_filter" => {
            Answer::response(&json!({ "TotalNum": 0, "CallRecordList": [] }))
        }
        _ => Answer::json(&json!({ "ErrorCode": 0, "IPList": [] })),
    })
    .await
}

async fn reads(client: &Client, which: usize) -> Result<(), Error> {
    match which {
        0 => client.callback().await.map(drop),
        1 => client.record("a").await.map(drop),
        2 => client.records(seconds(1)..seconds(2)).next().await.transpose().map(drop),
        _ => client.callback_ips(Egress::China).await.map(drop),
    }
}

async fn writes(client: &Client, which: usize) -> Result<(), Error> {
    match which {
        0 => client.set_callback(&settings()).await,
        _ => client.delete_callback().await,
    }
}

type Failure = fn() -> Answer;

/// Where the vendor has not taken the request.
const NOT_TAKEN: [Failure; 5] = [
    || Answer::code(60007),
    || Answer::code(60011),
    || Answer::code(60018),
    || Answer::code(60019),
    || Answer::status(429),
];

/// Where it may have been carried out.
const IN_DOUBT: [Failure; 6] = [
    || Answer::code(60008),
    || Answer::code(60014),
    || Answer::code(100_001),
    || Answer::code(101_001),
    || Answer::status(503),
    || Answer::Raw(Vec::new()),
];

#[tokio::test]
async fn a_read_is_sent_again_after_whatever_may_pass() {
    for failure in NOT_TAKEN.into_iter().chain(IN_DOUBT) {
        for which in 0..4 {
            let vendor = failing_once(failure).await;
            let client = vendor.builder().retry_for(LONG).build().unwrap();
            reads(&client, which).await.unwrap();
            assert_eq!(vendor.received().len(), 2);
        }
    }
    let vendor = failing_once(|| Answer::Half("")).await;
    let client = vendor.builder().retry_for(LONG).timeout(Duration::from_secs(1)).build().unwrap();
    reads(&client, 0).await.unwrap();
}

#[tokio::test]
async fn a_write_is_sent_again_only_where_it_was_not_carried_out() {
    for which in 0..2 {
        for failure in NOT_TAKEN {
            let vendor = failing_once(failure).await;
            writes(&vendor.builder().retry_for(LONG).build().unwrap(), which).await.unwrap();
            assert_eq!(vendor.received().len(), 2);
        }
        for failure in IN_DOUBT {
            let vendor = failing_once(failure).await;
            let client = vendor.builder().retry_for(LONG).build().unwrap();
            assert!(writes(&client, which).await.unwrap_err().is_transient());
            assert_eq!(vendor.received().len(), 1);
        }
        let vendor = failing_once(|| Answer::Half("")).await;
        let builder = vendor.builder().retry_for(LONG).timeout(Duration::from_millis(50));
        let error = writes(&builder.build().unwrap(), which).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(vendor.received().len(), 1);
    }
}

#[tokio::test]
async fn a_write_waits_for_a_vendor_that_cannot_be_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    // The clock is looked at before each request.
    let tries = Arc::new(AtomicU64::new(0));
    let tried = Arc::clone(&tries);
    let client = builder()
        .base_url(format!("http://{address}"))
        .retry_for(LONG)
        .clock(move || seconds(1_000_000 + tried.fetch_add(1, Ordering::SeqCst)))
        .build()
        .unwrap();
    let call = tokio::spawn(async move { client.delete_callback().await });
    while tries.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    let listener = TcpListener::bind(address).await.unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"ErrorCode\":0}";
    tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await.unwrap();
    call.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_does_not_pass_is_not_sent_again() {
    for failure in [
        (|| Answer::code(60010)) as Failure,
        || Answer::code(100_002),
        || Answer::status(404),
        || Answer::Body("no".to_owned()),
    ] {
        let vendor = failing_once(failure).await;
        let client = vendor.builder().retry_for(LONG).build().unwrap();
        assert!(!reads(&client, 0).await.unwrap_err().is_transient());
        assert_eq!(vendor.received().len(), 1);
    }
}

#[tokio::test]
async fn it_gives_up_in_the_end_and_at_once_where_no_time_is_given() {
    let vendor = Vendor::always(|| Answer::code(60011)).await;
    let error = vendor.client().callback().await.unwrap_err();
    assert_eq!((error.code(), vendor.received().len()), (Some(Code(60011)), 1));
    let client = vendor.builder().retry_for(Duration::from_millis(1500)).build().unwrap();
    assert!(client.callback().await.unwrap_err().is_rate_limited());
    // The first waits are 125, 250 and 500 ms long on average.
    assert!(vendor.received().len() > 2);
}

#[tokio::test]
async fn a_usersig_that_is_refused_is_made_anew_once() {
    let clock = Clock::at(1_000_000);
    // The vendor's time is right, and later by more than an hour is too late.
    let time = Clock::at(1_000_000);
    let at_vendor = time.clone();
    let vendor = Vendor::start(move |_, request| {
        let key = trtc_call_api::SecretKey::new(KEY).unwrap();
        let claims = UserSig::verify(request.parameter("usersig"), &key).unwrap();
        assert_eq!(claims.sdk_app_id.get(), APP);
        let is_valid = at_vendor.now() < seconds(claims.issued_at + claims.valid_for);
        if is_valid { Answer::ok() } else { Answer::code(70001) }
    })
    .await;
    let now = clock.clone();
    let client = vendor.builder().clock(move || now.now()).build().unwrap();
    client.delete_callback().await.unwrap();

    // A new one does not help either where our clock is far behind.
    time.set(1_003_900);
    clock.set(1_000_200);
    assert!(client.delete_callback().await.unwrap_err().code() == Some(Code(70001)));
    assert_eq!(vendor.received().len(), 3, "the kept one, a new one, and no more");
    assert!(client.delete_callback().await.is_err());
    assert_eq!(vendor.received().len(), 4, "a new one needs no second try");
    clock.set(1_001_000);
    client.delete_callback().await.unwrap();
    assert_eq!(vendor.received().len(), 5);

    // One that was kept is refused, a new one is not.
    time.set(1_004_700);
    clock.set(1_002_000);
    client.delete_callback().await.unwrap();
    assert_eq!(vendor.received().len(), 7);
}
