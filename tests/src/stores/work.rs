//! The worker on a store.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use trtc_call_inbox::{Acceptance, Job, JobError, Ran, State, Unhandled};
use trtc_call_webhook::{CallEnded, CallStarted, Command, Undecoded};

use super::{APP, OTHER, SECOND, Stage, TERM, deliver, delivery, ids, with_body};

/// A handler that fails twice is tried again, later each time, and then it is done.
pub async fn a_handler_that_fails_is_tried_again(stage: Stage) {
    let inbox = stage.inbox();
    assert!(matches!(inbox.accept(&delivery("a", 9)).await, Acceptance::Stored));
    assert!(matches!(inbox.accept(&delivery("a", 9)).await, Acceptance::Duplicate));
    let worker = inbox.worker().on(async |job: Job<CallEnded>| match job.attempt() {
        1 => panic!("a panic is an error"),
        2 => Err("away"),
        _ => Ok(()),
    });
    for _ in 0..2 {
        let ran = worker.run_due().await.unwrap();
        assert_eq!((ran.retried, ran.done), (1, 0));
        assert_eq!(worker.run_due().await.unwrap(), Ran::default(), "it is put off");
        stage.advance(Duration::from_secs(2)).await;
    }
    assert_eq!(worker.run_due().await.unwrap().done, 1);
    stage.advance(TERM).await;
    assert_eq!(worker.run_due().await.unwrap(), Ran::default());
}

/// What is said to be dead is; what is said to wait waits, without an attempt.
pub async fn a_handler_says_what_becomes_of_an_item(stage: Stage) {
    let inbox = stage.inbox();
    for call_id in ["dead", "wait"] {
        assert!(inbox.accept(&delivery(call_id, 9)).await.is_durable());
    }
    let worker = inbox.worker().on(async |job: Job<CallEnded>| match &*job.call_id {
        "dead" => Err(JobError::dead("for good")),
        _ => Err(JobError::retry_in(Duration::MAX, "not yet")),
    });
    let ran = worker.run_due().await.unwrap();
    assert_eq!((ran.dead, ran.retried), (1, 1));
    let items = inbox.list(trtc_call_inbox::Filter::all(), 9).await.unwrap();
    let of = |index: usize| (items[index].state, items[index].attempts);
    assert_eq!((of(0), of(1)), ((State::Dead, 1), (State::Waiting, 0)));
    assert_eq!(items[0].last_error.as_deref(), Some("for good"));
}

/// What does not decode, and what nobody takes, is kept.
pub async fn what_no_handler_takes_is_kept(stage: Stage) {
    let inbox = stage.inbox();
    let started = trtc_call_webhook::sender::Request::sample(APP, Command::CallStarted);
    assert!(inbox.accept(&with_body("broken")).await.is_durable());
    assert!(inbox.accept(&deliver(APP, &started)).await.is_durable());
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let worker = || {
        let calls = Arc::clone(&counted);
        inbox.worker().on(move |_: Job<CallEnded>| {
            calls.fetch_add(1, Ordering::Relaxed);
            async { Ok::<(), JobError>(()) }
        })
    };
    let ran = worker().run_due().await.unwrap();
    assert_eq!((ran.dead, ran.done), (2, 0));
    let dead = inbox.list(trtc_call_inbox::Filter::all(), 9).await.unwrap();
    inbox.replay(dead.iter().map(|item| item.id).collect()).await.unwrap();
    let ran = worker().unhandled(Unhandled::Done).run_due().await.unwrap();
    assert_eq!((ran.dead, ran.done, calls.load(Ordering::Relaxed)), (1, 1, 0));
    // A handler for all of them takes even what does not decode.
    inbox.replay(dead.iter().map(|item| item.id).collect()).await.unwrap();
    let all = inbox.worker().on(async |job: Job<Undecoded>| match job.body().as_ref() {
        b"broken" => Ok(()),
        _ => Err("another one"),
    });
    assert_eq!(all.run_due().await.unwrap().done, 1);
    // Each event by its own handler.
    assert!(inbox.accept(&delivery("a", 9)).await.is_durable());
    let both = inbox
        .worker()
        .on(async |_: Job<CallStarted>| Err("not this one"))
        .on(async |_: Job<CallEnded>| Ok::<(), JobError>(()));
    assert_eq!(both.run_due().await.unwrap().done, 1);
}

/// One that ends the process takes no neighbours along, and is dead in the end.
pub async fn a_poison_job_takes_no_neighbours_along(stage: Stage) {
    let poison = stage.stored("poison").await;
    for number in 0..10 {
        stage.stored(&format!("innocent {number}")).await;
    }
    // All of them are in the hands of a process that ends.
    assert_eq!(stage.leased().await.len(), 11);
    let mut ended = 1;
    loop {
        stage.advance(TERM).await;
        let is_poisoned = Arc::new(Notify::new());
        let begun = Arc::clone(&is_poisoned);
        let worker = stage.inbox().worker().on(move |job: Job<CallEnded>| {
            let begun = Arc::clone(&begun);
            async move {
                if job.id() == poison {
                    begun.notify_one();
                    pending::<()>().await;
                }
                Ok::<(), JobError>(())
            }
        });
        // A process that ends leaves the lease behind, as a future that is dropped does.
        tokio::select! {
            ran = worker.run_due() => {
                assert_eq!(ran.unwrap().done, 0, "nobody is left");
                break;
            }
            () = is_poisoned.notified() => ended += 1,
        }
    }
    assert_eq!(ended, 5);
    assert_eq!(stage.state(poison).await, State::Dead);
    let stats = stage.store.stats(None).await.unwrap();
    assert_eq!([stats.count(State::Done), stats.count(State::Dead)], [10, 1]);
}

/// A suspect is worked by a worker, too.
pub async fn a_worker_works_suspects(stage: Stage) {
    for call_id in ["a", "b", "c"] {
        stage.stored(call_id).await;
    }
    assert_eq!(ids(&stage.lease_as(Stage::request(OTHER)).await.items).len(), 3);
    stage.advance(TERM).await;
    stage.stored("d").await;
    let worker = stage.inbox().worker().on(async |_: Job<CallEnded>| Ok::<(), JobError>(()));
    assert_eq!(worker.run_due().await.unwrap().done, 4);
}

/// Whatever a handler returns after it has completed, the item stays done.
pub async fn what_is_completed_stays_done(stage: Stage) {
    let id = stage.stored("a").await;
    let worker = stage.inbox().worker().on(async |job: Job<CallEnded>| {
        job.complete().await?;
        Err::<(), JobError>("too late".into())
    });
    assert_eq!(worker.run_due().await.unwrap().done, 1);
    assert_eq!(stage.state(id).await, State::Done);
}

/// A lease that a dispute revokes while the handler runs cannot complete.
pub async fn a_dispute_while_a_handler_runs_revokes_it(stage: Stage) {
    let id = stage.stored("a").await;
    let other = stage.inbox();
    let worker = stage.inbox().worker().on(move |job: Job<CallEnded>| {
        let other = other.clone();
        async move {
            let disputing = other.accept(&delivery("a", 10)).await;
            assert!(matches!(disputing, Acceptance::Disputed));
            job.complete().await
        }
    });
    let ran = worker.run_due().await.unwrap();
    assert_eq!((ran.done, ran.lost), (0, 1));
    assert_eq!(stage.state(id).await, State::Disputed);
}

/// A correction knows what it corrects.
pub async fn a_correction_knows_what_it_replaces(stage: Stage) {
    let id = stage.stored("a").await;
    let inbox = stage.inbox();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let worker = inbox.worker().on(move |job: Job<CallEnded>| {
        told.lock().unwrap().push((job.billing().seconds(), job.replaces()));
        async { Ok::<(), JobError>(()) }
    });
    assert_eq!(worker.run_due().await.unwrap().done, 1);
    assert!(matches!(inbox.accept(&delivery("a", 10)).await, Acceptance::Disputed));
    let disputed =
        inbox.list(trtc_call_inbox::Filter::all().state(State::Disputed), 9).await.unwrap();
    inbox.resolve(disputed[0].id).await.unwrap();
    stage.advance(SECOND).await;
    assert_eq!(worker.run_due().await.unwrap().done, 1);
    assert_eq!(*seen.lock().unwrap(), [(Some(9), None), (Some(10), Some(id))]);
}
