//! When an item is tried again, and when it is given up.

use std::convert::Infallible;
use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use trtc_call_inbox::trtc_call_webhook::CallEnded;
use trtc_call_inbox::{Job, JobError, State};

use crate::calls::{DAY, HOUR, MINUTE, SECOND, ended, inbox, item, put};

/// A handler that always fails.
fn fails(_: Job<CallEnded>) -> std::future::Ready<Result<(), &'static str>> {
    ready(Err("out of order"))
}

#[tokio::test]
async fn an_error_is_tried_again_later_and_later_for_three_days_and_then_dead() {
    let (inbox, _, clock) = inbox();
    put(&inbox, [ended("a")]).await;
    let (worker, start) = (inbox.worker().on(fails), clock.now());
    let mut longest = Duration::ZERO;
    for attempt in 1.. {
        let ran = worker.run_due().await.unwrap();
        let item = item(&inbox).await;
        assert_eq!((item.attempts, item.last_error.as_deref()), (attempt, Some("out of order")));
        let since_start = clock.now().duration_since(start).unwrap();
        if item.state == State::Dead {
            assert_eq!(ran.dead, 1);
            assert!((3 * DAY - HOUR..=3 * DAY).contains(&since_start), "{since_start:?}");
            assert!(longest > HOUR / 2, "{longest:?}");
            return;
        }
        assert_eq!((ran.retried, item.state), (1, State::Waiting));
        let delay = item.due_at.duration_since(clock.now()).unwrap();
        let most = SECOND.saturating_mul(1 << (attempt - 1).min(20)).min(HOUR);
        assert!((SECOND / 10..=most).contains(&delay), "{delay:?} after attempt {attempt}");
        longest = longest.max(delay);

        clock.advance(delay - Duration::from_millis(1));
        assert_eq!(worker.run_due().await.unwrap(), Default::default(), "it is not due yet");
        clock.advance(Duration::from_millis(1));
    }
}

#[tokio::test]
async fn how_long_and_how_often_can_be_set() {
    let (inbox, _, clock) = inbox();
    put(&inbox, [ended("a")]).await;
    let worker = inbox.worker().max_attempts(3).on(fails);
    for outcome in [(1, 0), (1, 0), (0, 1), (0, 0)] {
        let ran = worker.run_due().await.unwrap();
        assert_eq!((ran.retried, ran.dead), outcome);
        clock.advance(HOUR);
    }

    assert_eq!(inbox.replay(vec![item(&inbox).await.id]).await.unwrap(), [true]);
    let worker = inbox.worker().retry_for(2 * MINUTE).on(fails);
    assert_eq!(worker.run_due().await.unwrap().retried, 1);
    clock.advance(2 * MINUTE);
    assert_eq!(worker.run_due().await.unwrap().dead, 1);
    assert_eq!(item(&inbox).await.attempts, 2);
}

#[tokio::test]
async fn a_handler_can_say_when_and_that_attempt_does_not_count() {
    let (inbox, _, clock) = inbox();
    put(&inbox, [ended("a")]).await;
    let worker = inbox
        .worker()
        .max_attempts(1)
        .on(|_: Job<CallEnded>| ready(Err::<(), _>(JobError::retry_in(DAY, "come tomorrow"))));
    // Longer than any item is tried again that fails.
    for _ in 0..10 {
        assert_eq!(worker.run_due().await.unwrap().retried, 1);
        let item = item(&inbox).await;
        assert_eq!((item.state, item.attempts), (State::Waiting, 0));
        assert_eq!(item.due_at, clock.now() + DAY);
        assert_eq!(item.last_error.as_deref(), Some("come tomorrow"));
        clock.advance(DAY);
    }
}

#[tokio::test]
async fn a_retry_at_once_is_not_hot() {
    let (inbox, _, clock) = inbox();
    put(&inbox, [ended("a")]).await;
    let worker = inbox
        .worker()
        .on(|_: Job<CallEnded>| ready(Err::<(), _>(JobError::retry_in(Duration::ZERO, "again"))));
    assert_eq!(worker.run_due().await.unwrap().retried, 1);
    assert_eq!(item(&inbox).await.due_at, clock.now() + SECOND / 10);
}

#[tokio::test]
async fn what_a_handler_declares_dead_is_not_tried_again_until_it_is_replayed() {
    let (inbox, _, clock) = inbox();
    put(&inbox, [ended("a")]).await;
    let is_mended = Arc::new(AtomicBool::new(false));
    let mended = Arc::clone(&is_mended);
    let worker = inbox.worker().on(move |_: Job<CallEnded>| {
        let mended = mended.load(Ordering::Relaxed);
        ready(if mended { Ok(()) } else { Err(JobError::dead("no such tenant")) })
    });
    assert_eq!(worker.run_due().await.unwrap().dead, 1);
    clock.advance(DAY);
    assert_eq!(worker.run_due().await.unwrap(), Default::default());
    let dead = item(&inbox).await;
    assert_eq!((dead.state, dead.last_error.as_deref()), (State::Dead, Some("no such tenant")));

    is_mended.store(true, Ordering::Relaxed);
    assert_eq!(inbox.replay(vec![dead.id]).await.unwrap(), [true]);
    assert_eq!(worker.run_due().await.unwrap().done, 1);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_takes_too_long_is_ended_which_is_an_error() {
    struct Flag(Arc<AtomicBool>);

    impl Drop for Flag {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    for time in [5 * MINUTE, SECOND] {
        let (inbox, ..) = inbox();
        let is_dropped = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_dropped);
        let worker = inbox.worker().on(move |_: Job<CallEnded>| {
            let flag = Flag(Arc::clone(&flag));
            async move {
                pending::<()>().await;
                drop(flag);
                Ok::<_, Infallible>(())
            }
        });
        // The first one is the default.
        let worker = if time == SECOND { worker.timeout(time) } else { worker };
        put(&inbox, [ended("a")]).await;
        let start = Instant::now();
        assert_eq!(worker.run_due().await.unwrap().retried, 1);
        let took = start.elapsed();
        assert!((time..time + SECOND / 10).contains(&took), "{took:?}");
        assert!(is_dropped.load(Ordering::Relaxed));
        let error = item(&inbox).await.last_error.unwrap();
        assert!(error.starts_with("the handler did not end within"), "{error}");
    }
}
