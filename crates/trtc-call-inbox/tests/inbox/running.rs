//! A worker that runs: how much it takes, when it looks, and in which order.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::ready;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};
use trtc_call_inbox::trtc_call_webhook::{CallEnded, CallStarted, Callback, Delivery, Undecoded};
use trtc_call_inbox::{Inbox, Job, JobError, MemoryInbox, State, StoreErrorKind};

use crate::calls::{DAY, HOUR, MINUTE, SECOND, ended, inbox, item, items, put, started, until};
use crate::fake::{Fake, Fate, Op};

fn many(count: usize) -> impl Iterator<Item = Delivery<Undecoded>> {
    (0..count).map(|number| ended(&format!("call {number}")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_item_is_worked_once_and_no_more_are_taken_than_there_are_places() {
    let (inbox, fake, _) = Fake::new();
    let runs: Arc<Mutex<HashMap<String, usize>>> = Arc::default();
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (noted, now, at_most) = (Arc::clone(&runs), Arc::clone(&running), Arc::clone(&most));
    put(&inbox, many(500)).await;
    let worker = inbox
        .worker()
        .concurrency(8)
        .on(move |job: Job<CallEnded>| {
            let (runs, now, most) = (Arc::clone(&noted), Arc::clone(&now), Arc::clone(&at_most));
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                yield_now().await;
                *runs.lock().unwrap().entry(job.call_id.clone()).or_default() += 1;
                now.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, Infallible>(())
            }
        })
        .start();
    put(&inbox, (500..1000).map(|number| ended(&format!("call {number}")))).await;
    until(&inbox, State::Done, 1000).await;
    assert_eq!(worker.stop(MINUTE).await.given_back, 0);

    let runs = runs.lock().unwrap();
    assert_eq!(runs.len(), 1000);
    assert!(runs.values().all(|times| *times == 1));
    assert!((2..=8).contains(&most.load(Ordering::SeqCst)), "{most:?}");
    assert!(fake.asked(Op::Lease).iter().all(|limit| *limit <= 8));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_workers_and_processes_share_the_work() {
    let store = MemoryInbox::new();
    let (here, there): (Inbox, Inbox) = (store.clone().into(), store.into());
    let runs: Arc<Mutex<Vec<i64>>> = Arc::default();
    let workers: Vec<_> = [&here, &here, &there]
        .map(|inbox| {
            let runs = Arc::clone(&runs);
            let handler = move |job: Job<CallEnded>| {
                runs.lock().unwrap().push(job.id().get());
                ready(Ok::<_, Infallible>(()))
            };
            inbox.worker().on(handler).start()
        })
        .into();
    put(&here, many(300)).await;
    put(&there, many(600)).await;
    until(&here, State::Done, 600).await;
    for worker in workers {
        worker.stop(MINUTE).await;
    }
    let mut runs = runs.lock().unwrap().clone();
    runs.sort_unstable();
    assert_eq!(runs, (1..=600).collect::<Vec<_>>(), "each once");
}

#[tokio::test(start_paused = true)]
async fn what_is_stored_here_is_worked_at_once_and_what_others_store_within_a_second() {
    let store = MemoryInbox::new();
    let (here, there): (Inbox, Inbox) = (store.clone().into(), store.into());
    let worked = Arc::new(Notify::new());
    let notify = Arc::clone(&worked);
    let handler = move |_: Job<CallEnded>| {
        notify.notify_one();
        ready(Ok::<_, Infallible>(()))
    };
    let _worker = here.worker().on(handler).start();
    for round in 0..10 {
        sleep(MINUTE).await;
        let start = Instant::now();
        put(&here, [ended(&format!("here {round}"))]).await;
        worked.notified().await;
        assert!(start.elapsed() < SECOND / 20, "{:?}", start.elapsed());

        put(&there, [ended(&format!("there {round}"))]).await;
        worked.notified().await;
        assert!(start.elapsed() < SECOND * 11 / 10, "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn neither_waiting_nor_a_burst_is_a_hot_loop() {
    let (inbox, fake, _) = Fake::new();
    let handler = |_: Job<CallEnded>| ready(Ok::<_, Infallible>(()));
    let _worker = inbox.worker().on(handler).start();
    sleep(MINUTE).await;
    let idle = fake.asked(Op::Lease).len();
    assert!((50..=62).contains(&idle), "{idle} times in a minute");

    // A thousand in a second, one at a time.
    for callback in many(1000) {
        put(&inbox, [callback]).await;
        sleep(SECOND / 1000).await;
    }
    until(&inbox, State::Done, 1000).await;
    let busy = fake.asked(Op::Lease).len() - idle;
    assert!(busy <= 400, "{busy} times for a thousand");
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_taken_when_it_is_due_and_not_at_the_next_look() {
    let (inbox, _, clock) = inbox();
    let delay = SECOND / 5;
    let handler = move |_: Job<CallEnded>| ready(Err::<(), _>(JobError::retry_in(delay, "again")));
    put(&inbox, [ended("a")]).await;
    let worker = inbox.worker().on(handler).start();
    let start = Instant::now();
    for _ in 0..10 {
        let is_put_off = async || {
            let item = item(&inbox).await;
            item.state == State::Waiting && item.due_at > clock.now()
        };
        while !is_put_off().await {
            sleep(SECOND / 1000).await;
        }
        // Meanwhile the worker looks when it will be due.
        sleep(delay / 2).await;
        clock.advance(delay);
    }
    let took = start.elapsed();
    assert!(took < 3 * SECOND, "{took:?} for ten retries");
    worker.stop(SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_asked_more_and_more_rarely_until_it_works() {
    let (inbox, fake, _) = Fake::new();
    fake.tell(Op::Lease, Fate::FAILS);
    put(&inbox, [ended("a")]).await;
    let handler = |_: Job<CallEnded>| ready(Ok::<_, Infallible>(()));
    let _worker = inbox.worker().on(handler).start();
    sleep(MINUTE).await;
    // After 0.1, 0.3, 0.7, 1.5, 3.1, 6.3 seconds, and then each five.
    let asked = fake.asked(Op::Lease).len();
    assert!((17..=18).contains(&asked), "{asked} times in a minute");
    fake.heal(Op::Lease);
    let healed = Instant::now();
    until(&inbox, State::Done, 1).await;
    assert!(healed.elapsed() < 5 * SECOND + SECOND / 10);
    // Once it works it is trusted again.
    let asked = fake.asked(Op::Lease).len();
    fake.tell(Op::Lease, Fate::Fails(StoreErrorKind::Unavailable, 1));
    fake.until_asked(Op::Lease, asked + 1).await;
    put(&inbox, [ended("b")]).await;
    let failed = Instant::now();
    until(&inbox, State::Done, 2).await;
    assert!(failed.elapsed() < SECOND, "{:?}", failed.elapsed());
}

/// When which handler began (`true`) or ended (`false`), and for which call.
type Notes = Arc<Mutex<Vec<(String, &'static str, bool)>>>;

/// A handler that takes a while, and notes that.
async fn note(notes: Notes, call: String, handler: &'static str) -> Result<(), Infallible> {
    notes.lock().unwrap().push((call.clone(), handler, true));
    sleep(SECOND / 100).await;
    notes.lock().unwrap().push((call, handler, false));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn the_items_of_a_call_run_one_at_a_time_in_their_order() {
    let (inbox, _, _) = inbox();
    let calls: Vec<String> = (0..20).map(|number| format!("call {number}")).collect();
    put(&inbox, calls.iter().map(|call| started(call))).await;
    put(&inbox, calls.iter().map(|call| ended(call))).await;

    let notes = Notes::default();
    let (starts, ends) = (Arc::clone(&notes), Arc::clone(&notes));
    let began = Instant::now();
    let worker = inbox
        .worker()
        .concurrency(100)
        .ordered_by_call()
        .on(move |job: Job<CallStarted>| note(Arc::clone(&starts), job.call_id.clone(), "start"))
        .on(move |job: Job<CallEnded>| note(Arc::clone(&ends), job.call_id.clone(), "end"))
        .start();
    until(&inbox, State::Done, 40).await;
    // The next one of a call does not wait for the next look.
    assert!(began.elapsed() < SECOND / 2, "{:?}", began.elapsed());
    worker.stop(MINUTE).await;

    let notes = notes.lock().unwrap();
    for call in &calls {
        let of_call = notes.iter().filter(|(of, ..)| of == call);
        let of_call: Vec<_> = of_call.map(|(_, handler, begins)| (*handler, *begins)).collect();
        let expected = [("start", true), ("start", false), ("end", true), ("end", false)];
        assert_eq!(of_call, expected);
    }
    // Different calls run beside each other.
    assert!(notes.iter().take(20).all(|(.., begins)| *begins));
}

#[tokio::test(start_paused = true)]
async fn what_is_old_is_removed_a_little_at_a_time() {
    let (inbox, fake, clock) = Fake::new();
    put(&inbox, many(120)).await;
    let handler = |_: Job<CallEnded>| ready(Ok::<_, Infallible>(()));
    let worker = inbox.worker().on(handler).start();
    until(&inbox, State::Done, 120).await;
    sleep(2 * MINUTE).await;
    assert_eq!(items(&inbox).await.len(), 120, "they are young");
    let before = fake.asked(Op::Prune).len();
    assert_eq!(before, 2, "once a minute");

    clock.advance(7 * DAY + HOUR);
    sleep(MINUTE + MINUTE / 2).await;
    assert!(items(&inbox).await.is_empty());
    let batches = fake.asked(Op::Prune);
    assert!(batches.iter().all(|limit| *limit == 50), "{batches:?}");
    assert_eq!(batches.len() - before, 4, "three that removed some, and one that found none");
    worker.stop(SECOND).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_futures_can_be_spawned() {
    let (inbox, _, _) = inbox();
    let handler = |_: Job<Callback>| ready(Ok::<_, Infallible>(()));
    let other = inbox.clone();
    let tasks = [
        tokio::spawn(async move { other.accept(&ended("a")).await.is_durable() }),
        tokio::spawn(async move {
            inbox.worker().on(handler).run_due().await.is_ok()
                && inbox.worker().on(handler).start().stop(SECOND).await.given_back == 0
        }),
    ];
    for task in tasks {
        assert!(task.await.unwrap());
    }
}
