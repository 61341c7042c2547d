//! Items whose last lease ended without a word.

use std::convert::Infallible;
use std::future::{pending, ready};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};
use trtc_call_inbox::store::LeaseRequest;
use trtc_call_inbox::trtc_call_webhook::CallEnded;
use trtc_call_inbox::{Clock, Inbox, Job, MemoryInbox, Ran, State, Store};

use crate::calls::{LEASE, MINUTE, SECOND, ended, inbox, items, put, until};
use crate::fake::{Fake, Op};

/// Another process takes items.
async fn take(store: &MemoryInbox, suspects: bool) -> usize {
    static OWNER: AtomicI64 = AtomicI64::new(-1);
    let owner = OWNER.fetch_sub(1, Ordering::Relaxed);
    let mut request = LeaseRequest::new(owner, 1000, LEASE, 5);
    request.suspects = suspects;
    store.lease(request).await.unwrap().items.len()
}

/// Another process takes the healthy items, and ends without a word.
async fn lose(store: &MemoryInbox, clock: &Clock) -> usize {
    let taken = take(store, false).await;
    clock.advance(LEASE + SECOND);
    taken
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_runs_alone_and_the_healthy_ones_have_their_turns_between() {
    let (inbox, store, clock) = inbox();
    put(&inbox, (0..30).map(|number| ended(&format!("suspect {number}")))).await;
    assert_eq!(lose(&store, &clock).await, 30);
    put(&inbox, (0..1000).map(|number| ended(&format!("healthy {number}")))).await;

    let running = Arc::new(AtomicUsize::new(0));
    let was_beside = Arc::new(AtomicBool::new(false));
    let order: Arc<Mutex<Vec<bool>>> = Arc::default();
    let (now, beside, notes) = (running, Arc::clone(&was_beside), Arc::clone(&order));
    let handler = move |job: Job<CallEnded>| {
        let (now, beside, notes) = (Arc::clone(&now), Arc::clone(&beside), Arc::clone(&notes));
        async move {
            let is_suspect = job.call_id.starts_with("suspect");
            notes.lock().unwrap().push(is_suspect);
            now.fetch_add(1, Ordering::SeqCst);
            for _ in 0..5 {
                if is_suspect && now.load(Ordering::SeqCst) > 1 {
                    beside.store(true, Ordering::SeqCst);
                }
                yield_now().await;
            }
            now.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, Infallible>(())
        }
    };
    // Two workers of one process do not run one beside a job of the other.
    let workers = [inbox.worker().on(handler.clone()).start(), inbox.worker().on(handler).start()];
    until(&inbox, State::Done, 1030).await;
    for worker in workers {
        assert_eq!(worker.stop(MINUTE).await.given_back, 0);
    }
    assert!(!was_beside.load(Ordering::SeqCst), "a suspect ran beside another job");

    // Neither kind waits until the other one has no more.
    let order = order.lock().unwrap();
    let turns = order.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(turns >= 10, "{turns} turns");
}

#[tokio::test]
async fn ten_innocents_beside_a_poison_job_are_all_done_and_it_is_dead() {
    let (inbox, store, clock) = inbox();
    let names = ["a", "b", "c", "d", "poison", "e", "f", "g", "h", "i", "j"];
    put(&inbox, names.map(ended)).await;
    // It ends its process, which has all of them in hand.
    assert_eq!(lose(&store, &clock).await, 11);

    // And so it does with the next ones.
    for _ in 0..4 {
        let end = Arc::new(Notify::new());
        let process = Inbox::from(store.clone());
        let ending = Arc::clone(&end);
        let worker = process.worker().on(move |job: Job<CallEnded>| {
            let end = Arc::clone(&ending);
            async move {
                if job.call_id == "poison" {
                    end.notify_one();
                    pending::<()>().await;
                }
                Ok::<_, Infallible>(())
            }
        });
        tokio::select! {
            ran = worker.run_due() => panic!("it did not meet the poison: {ran:?}"),
            () = end.notified() => {}
        }
        clock.advance(LEASE + SECOND);
    }

    let handler = |_: Job<CallEnded>| ready(Err("one that is poison does not get here"));
    let ran = inbox.worker().on(handler).run_due().await.unwrap();
    assert_eq!(ran.dead, 1);
    for item in items(&inbox).await {
        if item.call_id.as_deref() == Some("poison") {
            assert_eq!((item.state, item.lost_leases, item.attempts), (State::Dead, 5, 5));
            let error = item.last_error.unwrap();
            assert!(error.contains("without a word"), "{error}");
        } else {
            assert_eq!(item.state, State::Done);
        }
    }
}

#[tokio::test]
async fn a_word_clears_it_of_suspicion() {
    let (inbox, store, clock) = inbox();
    put(&inbox, [ended("a")]).await;
    assert_eq!(lose(&store, &clock).await, 1);
    let worker = inbox.worker().on(|_: Job<CallEnded>| ready(Err("a word")));
    assert_eq!(worker.run_due().await.unwrap().retried, 1);
    clock.advance(MINUTE);
    assert_eq!(take(&store, false).await, 1);
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_be_had_holds_up_nobody_and_is_not_asked_for_in_a_hot_loop() {
    let (inbox, fake, _) = Fake::new();
    // As if it had to wait for an earlier item of its call.
    fake.claim_suspects();
    let worker = inbox.worker().on(|_: Job<CallEnded>| ready(Ok::<_, Infallible>(()))).start();
    for round in 1..=60 {
        put(&inbox, [ended(&format!("healthy {round}"))]).await;
        let start = Instant::now();
        until(&inbox, State::Done, round).await;
        assert!(start.elapsed() < SECOND / 20, "{:?}", start.elapsed());
        sleep(SECOND).await;
    }
    worker.stop(SECOND).await;
    let asked = fake.asked(Op::Lease).len();
    assert!(asked < 300, "{asked} times in a minute");
}

#[tokio::test(start_paused = true)]
async fn one_that_somebody_else_has_holds_up_nobody() {
    let (inbox, store, clock) = inbox();
    put(&inbox, [ended("suspect")]).await;
    assert_eq!(lose(&store, &clock).await, 1);
    assert_eq!(take(&store, false).await, 0);
    assert_eq!(take(&store, true).await, 1);
    let worker = inbox.worker().on(|_: Job<CallEnded>| ready(Ok::<_, Infallible>(())));
    assert_eq!(worker.run_due().await.unwrap(), Ran::default());
    let worker = worker.start();
    for round in 1..=10 {
        put(&inbox, [ended(&format!("healthy {round}"))]).await;
        until(&inbox, State::Done, round).await;
        sleep(SECOND / 3).await;
    }
    worker.stop(SECOND).await;
    assert_eq!(items(&inbox).await[0].state, State::Leased);
}
