//! How a worker ends.

use std::convert::Infallible;
use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use trtc_call_inbox::trtc_call_webhook::CallEnded;
use trtc_call_inbox::{Inbox, Job, State, Worker};

use crate::calls::{HOUR, MINUTE, SECOND, ended, inbox, item, put, until};
use crate::fake::{Fake, Fate, Op};

/// A worker whose handlers wait for the first notification, and tell the second when they begin.
fn waiting(inbox: &Inbox) -> (Worker, Arc<Notify>, Arc<Notify>) {
    let (go, begun) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (wait, tell) = (Arc::clone(&go), Arc::clone(&begun));
    let handler = move |_: Job<CallEnded>| {
        let (go, begun) = (Arc::clone(&wait), Arc::clone(&tell));
        async move {
            begun.notify_one();
            go.notified().await;
            Ok::<_, Infallible>(())
        }
    };
    (inbox.worker().concurrency(1).on(handler).start(), go, begun)
}

#[tokio::test(start_paused = true)]
async fn it_takes_no_more_and_waits_for_what_runs() {
    let (inbox, _, _) = inbox();
    let (worker, go, begun) = waiting(&inbox);
    put(&inbox, ["a", "b"].map(ended)).await;
    begun.notified().await;
    let start = Instant::now();
    let stopping = tokio::spawn(worker.stop(HOUR));
    sleep(MINUTE).await;
    assert!(!stopping.is_finished());
    go.notify_one();
    assert_eq!(stopping.await.unwrap().given_back, 0);
    assert!(start.elapsed() < MINUTE + SECOND);
    let stats = inbox.stats(None).await.unwrap();
    assert_eq!((stats.count(State::Done), stats.count(State::Waiting)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn after_its_patience_it_ends_what_runs_and_gives_it_back() {
    let (inbox, _, _) = inbox();
    let (worker, _go, begun) = waiting(&inbox);
    put(&inbox, [ended("a")]).await;
    begun.notified().await;
    let start = Instant::now();
    assert_eq!(worker.stop(10 * SECOND).await.given_back, 1);
    let took = start.elapsed();
    assert!((10 * SECOND..11 * SECOND).contains(&took), "{took:?}");
    let item = item(&inbox).await;
    assert_eq!((item.state, item.attempts, item.lost_leases), (State::Waiting, 0, 0));

    // It is there for the next one.
    let handler = |job: Job<CallEnded>| {
        ready(match job.attempt() {
            1 => Ok(()),
            _ => Err("the attempt that was given back counts"),
        })
    };
    assert_eq!(inbox.worker().on(handler).run_due().await.unwrap().done, 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_handler_completed_before_it_was_ended_is_done() {
    let (inbox, _, _) = inbox();
    let begun = Arc::new(Notify::new());
    let tell = Arc::clone(&begun);
    let handler = move |job: Job<CallEnded>| {
        let begun = Arc::clone(&tell);
        async move {
            job.complete().await?;
            begun.notify_one();
            pending::<Result<(), trtc_call_inbox::JobError>>().await
        }
    };
    let worker = inbox.worker().on(handler).start();
    put(&inbox, [ended("a")]).await;
    begun.notified().await;
    assert_eq!(worker.stop(Duration::ZERO).await.given_back, 0);
    assert_eq!(item(&inbox).await.state, State::Done);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_or_hangs_holds_it_no_longer_than_its_patience() {
    for (op, fate) in [
        (Op::Settle, Fate::FAILS),
        (Op::Settle, Fate::Hangs),
        (Op::Lease, Fate::FAILS),
        (Op::Lease, Fate::Hangs),
    ] {
        let (inbox, fake, _) = Fake::new();
        fake.tell(op, fate);
        let handler = |_: Job<CallEnded>| ready(Ok::<_, Infallible>(()));
        let worker = inbox.worker().on(handler).start();
        put(&inbox, [ended("a")]).await;
        fake.until_asked(op, 1).await;
        let start = Instant::now();
        assert_eq!(worker.stop(10 * SECOND).await.given_back, 0);
        assert!(start.elapsed() < 12 * SECOND, "{op:?} {fate:?}: {:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_completion_that_waits_for_its_next_try_has_one_more() {
    let (inbox, fake, _) = Fake::new();
    fake.tell(Op::Settle, Fate::FAILS);
    let worker = inbox.worker().on(|_: Job<CallEnded>| ready(Ok::<_, Infallible>(()))).start();
    put(&inbox, [ended("a")]).await;
    fake.until_asked(Op::Settle, 10).await;
    fake.heal(Op::Settle);
    assert_eq!(worker.stop(Duration::ZERO).await.given_back, 0);
    assert_eq!(item(&inbox).await.state, State::Done);
}

#[tokio::test(start_paused = true)]
async fn what_it_leased_while_it_was_stopped_is_given_back() {
    let (inbox, fake, _) = Fake::new();
    put(&inbox, [ended("a")]).await;
    let handler = |_: Job<CallEnded>| pending::<Result<(), Infallible>>();
    let worker = inbox.worker().on(handler).start();
    // The store is asked, and has not answered yet.
    fake.until_asked(Op::Lease, 1).await;
    let start = Instant::now();
    assert_eq!(worker.stop(HOUR).await.given_back, 1);
    assert_eq!(start.elapsed(), Duration::ZERO);
    let item = item(&inbox).await;
    assert_eq!((item.state, item.attempts), (State::Waiting, 0));
}

#[tokio::test(start_paused = true)]
async fn an_idle_one_stops_at_once() {
    let (inbox, _, _) = inbox();
    let worker = inbox.worker().start();
    sleep(MINUTE).await;
    let start = Instant::now();
    assert_eq!(worker.stop(HOUR).await.given_back, 0);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_dropped_takes_no_more_and_what_runs_ends_and_is_settled() {
    let (inbox, fake, _) = Fake::new();
    let (worker, go, begun) = waiting(&inbox);
    put(&inbox, ["a", "b"].map(ended)).await;
    begun.notified().await;
    drop(worker);
    sleep(MINUTE).await;
    assert!(!fake.asked(Op::Renew).is_empty(), "what runs keeps its lease");
    go.notify_one();
    until(&inbox, State::Done, 1).await;
    let asked = fake.asked(Op::Lease).len();
    sleep(HOUR).await;
    assert_eq!(fake.asked(Op::Lease).len(), asked);
    let stats = inbox.stats(None).await.unwrap();
    assert_eq!((stats.count(State::Done), stats.count(State::Waiting)), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn stopped_at_any_moment_it_loses_nothing() {
    let (inbox, _, _) = inbox();
    let runs = Arc::new(AtomicUsize::new(0));
    let mut stored = 0;
    let mut done = 0;
    while stored < 2000 {
        put(&inbox, (stored..stored + 20).map(|number| ended(&format!("call {number}")))).await;
        stored += 20;
        let count = Arc::clone(&runs);
        let handler = move |_: Job<CallEnded>| {
            let runs = Arc::clone(&count);
            async move {
                tokio::task::yield_now().await;
                runs.fetch_add(1, Ordering::Relaxed);
                Ok::<_, Infallible>(())
            }
        };
        let worker = inbox.worker().concurrency(4).on(handler).start();
        for _ in 0..stored % 70 {
            tokio::task::yield_now().await;
        }
        worker.stop(Duration::ZERO).await;
        let stats = inbox.stats(None).await.unwrap();
        assert_eq!(stats.count(State::Leased), 0);
        done = stats.count(State::Done);
    }
    let handler = |_: Job<CallEnded>| ready(Ok::<_, Infallible>(()));
    let ran = inbox.worker().on(handler).run_due().await.unwrap();
    assert_eq!(done + u64::try_from(ran.done).unwrap(), 2000);
}
