//! Which calls wait for the vendor's record, and what a handler gets then.

use std::sync::{Arc, Mutex};

use trtc_call_inbox::store::{PutRecord, Scope};
use trtc_call_inbox::trtc_call_webhook::sender::Request;
use trtc_call_inbox::trtc_call_webhook::{
    Billing, CallEnded, Callback, Delivery, SdkApp, Token, Undecoded, Verifier,
};
use trtc_call_inbox::{Confirm, Job, NewItem, State};

use crate::calls::{APP, callback, ended, ended_otherwise, inbox, item, items, put, started};

fn signed(call_id: &str) -> Delivery<Undecoded> {
    let token = Token::new("token");
    let verifier = Verifier::builder().app(SdkApp::signed(APP, token.clone())).build().unwrap();
    let call = CallEnded::new(call_id).with_result("Cancel");
    let request = Request::new(APP, call).signed(&token, std::time::SystemTime::now());
    request.deliver_to(&verifier).unwrap().unwrap()
}

fn unclear(call_id: &str) -> Delivery<Undecoded> {
    let call = CallEnded::new(call_id).with_result("NormalEnd");
    let verifier = Verifier::builder().app(SdkApp::unsigned(APP)).build().unwrap();
    Request::new(APP, call).deliver_to(&verifier).unwrap().unwrap()
}

#[tokio::test]
async fn what_is_to_be_confirmed_waits_without_an_attempt() {
    for (confirm, handed_over) in [
        (Confirm::Never, &["signed", "unsigned", "unclear", "start"][..]),
        (Confirm::Disputed, &["signed", "unsigned", "start"]),
        (Confirm::Unsigned, &["signed", "start"]),
        (Confirm::Always, &["start"]),
    ] {
        let (inbox, ..) = inbox();
        put(&inbox, [signed("signed"), ended("unsigned"), unclear("unclear"), started("start")])
            .await;
        let handled: Arc<Mutex<Vec<String>>> = Arc::default();
        let notes = Arc::clone(&handled);
        let worker = inbox.worker().confirm(confirm).on(move |job: Job<Callback>| {
            let call_id = match job.event() {
                Callback::CallEnded(call) => call.call_id.clone(),
                Callback::CallStarted(call) => call.call_id.clone(),
                other => panic!("{other:?}"),
            };
            notes.lock().unwrap().push(call_id);
            async { Ok::<_, String>(()) }
        });
        let ran = worker.run_due().await.unwrap();
        assert_eq!(*handled.lock().unwrap(), handed_over, "{confirm}");
        assert_eq!((ran.done, ran.asked), (handed_over.len(), 4 - handed_over.len()), "{confirm}");
        for item in items(&inbox).await {
            let waits = !handed_over.contains(&&*item.call_id.unwrap());
            assert_eq!(item.state == State::Confirming, waits, "{confirm}");
            assert_eq!(item.attempts, u32::from(!waits), "{confirm}");
        }
        assert_eq!(confirm.as_str().parse(), Ok(confirm));
    }
    assert!("perhaps".parse::<Confirm>().is_err());
}

/// What cannot be decoded is none of the vendor's.
#[tokio::test]
async fn a_body_that_does_not_decode_is_dead_as_ever() {
    let (inbox, ..) = inbox();
    put(&inbox, [callback("Call.CallbackAfterEndCall", "{")]).await;
    let worker = inbox.worker().confirm(Confirm::Always);
    let ran = worker.on(async |_: Job<CallEnded>| Ok::<_, String>(())).run_due().await.unwrap();
    assert_eq!((ran.dead, ran.asked), (1, 0));
}

#[tokio::test]
async fn the_event_is_the_record_s_and_received_the_callback_s() {
    let (inbox, ..) = inbox();
    put(&inbox, [ended("a")]).await;
    let worker = inbox.worker().confirm(Confirm::Always);
    let worker = worker.on(async |job: Job<CallEnded>| {
        assert!(matches!(job.billing(), Billing::Connected(time) if time.as_secs() == 146));
        assert_eq!(job.received().unwrap().billing(), Billing::Unanswered);
        assert_eq!(job.body(), ended("a").body());
        assert_eq!(job.record(), Some(ended_otherwise("a").body()));
        Ok::<_, String>(())
    });
    assert_eq!(worker.run_due().await.unwrap().asked, 1);
    let record = NewItem::of_record(APP, ended_otherwise("a").body().clone()).unwrap();
    let put = inbox.put_records(vec![record], Scope::All).await.unwrap();
    assert_eq!(put, [PutRecord::Confirmed(item(&inbox).await.id)]);
    assert_eq!(worker.run_due().await.unwrap().done, 1);
}

#[tokio::test]
async fn a_record_that_is_its_own_item_has_received_nothing() {
    let (inbox, ..) = inbox();
    let record = NewItem::of_record(APP, ended_otherwise("a").body().clone()).unwrap();
    inbox.put_records(vec![record], Scope::Unknown).await.unwrap();
    let worker = inbox.worker().confirm(Confirm::Always);
    let worker = worker.on(async |job: Job<CallEnded>| {
        assert!(job.received().is_none());
        assert_eq!(job.record(), Some(job.body()));
        Ok::<_, String>(())
    });
    assert_eq!(worker.run_due().await.unwrap().done, 1);
}

/// Only what the vendor has of ended calls is a record.
#[test]
fn what_is_no_record_is_refused() {
    for body in [&b"{"[..], b"{}", br#"{"CallRecord":{}}"#, started("a").body()] {
        let body = body.to_vec().into();
        assert!(NewItem::of_record(APP, body).is_err());
    }
}
