//! What came of jobs is stored, whatever is in the way.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::time::sleep;
use trtc_call_inbox::trtc_call_webhook::CallEnded;
use trtc_call_inbox::{Inbox, Job, State, StoreErrorKind};

use crate::calls::{LEASE, MINUTE, SECOND, ended, inbox, item, put, until};
use crate::fake::{Fake, Fate, Op};

#[tokio::test(start_paused = true)]
async fn a_completion_that_cannot_be_stored_is_tried_until_it_is_and_the_lease_is_kept() {
    let (inbox, fake, clock) = Fake::new();
    let runs = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&runs);
    fake.tell(Op::Settle, Fate::FAILS);
    put(&inbox, [ended("a")]).await;
    let worker = inbox
        .worker()
        .on(move |_: Job<CallEnded>| {
            count.fetch_add(1, Ordering::Relaxed);
            ready(Ok::<_, Infallible>(()))
        })
        .start();
    // Ten leases long.
    for renewals in 1..=30 {
        fake.until_asked(Op::Renew, renewals).await;
        clock.advance(LEASE / 3);
    }
    assert_eq!(item(&inbox).await.state, State::Leased);
    let asked = fake.asked(Op::Settle).len();
    assert!((50..70).contains(&asked), "{asked} times in five minutes");

    let other = Inbox::from(fake.clone());
    let stolen = other.worker().on(|_: Job<CallEnded>| ready(Ok::<_, Infallible>(())));
    assert_eq!(stolen.run_due().await.unwrap(), Default::default(), "nobody else gets it");

    fake.heal(Op::Settle);
    until(&inbox, State::Done, 1).await;
    worker.stop(MINUTE).await;
    assert_eq!(runs.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn what_waits_to_be_settled_is_settled_together() {
    let (inbox, fake, _) = Fake::new();
    fake.tell(Op::Settle, Fate::Fails(StoreErrorKind::Unavailable, 4));
    put(&inbox, (0..10).map(|number| ended(&format!("call {number}")))).await;
    let worker = inbox
        .worker()
        .on(|job: Job<CallEnded>| async move {
            // Each ends at a time of its own, while the first ones cannot be settled.
            sleep(SECOND / 100 * u32::try_from(job.id().get()).unwrap()).await;
            Ok::<_, Infallible>(())
        })
        .start();
    until(&inbox, State::Done, 10).await;
    assert_eq!(fake.asked(Op::Settle).last(), Some(&10));
    worker.stop(MINUTE).await;
}

#[tokio::test]
async fn a_worker_that_stood_still_past_its_lease_changes_nothing() {
    let (slow, store, clock) = inbox();
    let fast = Inbox::from(store);
    put(&slow, [ended("a")]).await;
    let (moving, other) = (clock.clone(), fast.clone());
    let worker = slow.worker().on(move |_: Job<CallEnded>| {
        let (clock, fast) = (moving.clone(), other.clone());
        async move {
            // As if the process had been stopped for so long.
            clock.advance(LEASE + SECOND);
            let worker = fast.worker().on(|_: Job<CallEnded>| ready(Err("its turn")));
            let ran = worker.run_due().await.unwrap();
            assert_eq!((ran.retried, ran.lost), (1, 0));
            Ok::<_, Infallible>(())
        }
    });
    let ran = worker.run_due().await.unwrap();
    assert_eq!((ran.done, ran.lost), (0, 1));
    let item = item(&slow).await;
    assert_eq!((item.state, item.last_error.as_deref()), (State::Waiting, Some("its turn")));
}

#[tokio::test(start_paused = true)]
async fn a_place_is_taken_until_the_job_is_settled() {
    let (inbox, fake, _) = Fake::new();
    fake.tell(Op::Settle, Fate::FAILS);
    put(&inbox, (0..10).map(|number| ended(&format!("call {number}")))).await;
    let worker = inbox
        .worker()
        .concurrency(3)
        .on(|_: Job<CallEnded>| ready(Ok::<_, Infallible>(())))
        .start();
    sleep(MINUTE).await;
    let stats = inbox.stats(None).await.unwrap();
    assert_eq!((stats.count(State::Leased), stats.count(State::Waiting)), (3, 7));
    fake.heal(Op::Settle);
    until(&inbox, State::Done, 10).await;
    worker.stop(MINUTE).await;
}
