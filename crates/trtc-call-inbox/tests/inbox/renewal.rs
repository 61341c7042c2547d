//! A lease lives as long as its handler.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use trtc_call_inbox::trtc_call_webhook::CallEnded;
use trtc_call_inbox::{Inbox, Job, State, StoreErrorKind};

use crate::calls::{LEASE, MINUTE, SECOND, ended, put, until};
use crate::fake::{Fake, Fate, Op};

/// A worker whose handlers wait for the notification.
fn waiting(inbox: &Inbox) -> (trtc_call_inbox::Worker, Arc<Notify>) {
    let go = Arc::new(Notify::new());
    let wait = Arc::clone(&go);
    let handler = move |_: Job<CallEnded>| {
        let go = Arc::clone(&wait);
        async move {
            go.notified().await;
            Ok::<_, Infallible>(())
        }
    };
    (inbox.worker().on(handler).start(), go)
}

#[tokio::test(start_paused = true)]
async fn all_leases_are_renewed_together_after_a_third_of_their_term() {
    let (inbox, fake, clock) = Fake::new();
    let other = Inbox::from(fake.clone());
    let (worker, go) = waiting(&inbox);
    put(&inbox, ["a", "b", "c"].map(ended)).await;
    until(&inbox, State::Leased, 3).await;
    let handler = |_: Job<CallEnded>| ready(Ok::<_, Infallible>(()));
    let thief = other.worker().on(handler);
    let start = Instant::now();
    for renewals in 1..=12 {
        fake.until_asked(Op::Renew, renewals).await;
        clock.advance(LEASE / 3);
        assert_eq!(thief.run_due().await.unwrap(), Default::default());
    }
    assert_eq!(fake.asked(Op::Renew), [3; 12]);
    let took = start.elapsed();
    assert!((4 * LEASE - SECOND..=4 * LEASE + SECOND).contains(&took), "{took:?}");

    go.notify_waiters();
    until(&inbox, State::Done, 3).await;
    sleep(MINUTE).await;
    assert_eq!(fake.asked(Op::Renew).len(), 12, "what is done has no lease");
    worker.stop(MINUTE).await;
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_is_tried_again_before_the_lease_ends() {
    let (inbox, fake, _) = Fake::new();
    let (worker, go) = waiting(&inbox);
    put(&inbox, [ended("a")]).await;
    fake.tell(Op::Renew, Fate::Fails(StoreErrorKind::Unavailable, 5));
    let start = Instant::now();
    fake.until_asked(Op::Renew, 6).await;
    assert!(start.elapsed() < LEASE / 2, "{:?}", start.elapsed());
    go.notify_waiters();
    until(&inbox, State::Done, 1).await;
    worker.stop(MINUTE).await;
}

/// Nobody renews it, and this process takes no lease of its own back by time.
#[tokio::test(start_paused = true)]
async fn what_is_leased_without_an_answer_is_worked_once_its_lease_has_ended() {
    let (inbox, fake, clock) = Fake::new();
    put(&inbox, [ended("a")]).await;
    fake.tell(Op::Lease, Fate::Forgets(1));
    let handler = |_: Job<CallEnded>| ready(Ok::<_, Infallible>(()));
    let worker = inbox.worker().on(handler).start();
    until(&inbox, State::Leased, 1).await;
    clock.advance(LEASE);
    until(&inbox, State::Done, 1).await;
    worker.stop(MINUTE).await;
}
