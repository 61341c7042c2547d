//! What is answered before the work.

use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::time::Instant;
use trtc_call_inbox::trtc_call_webhook::Ack;
use trtc_call_inbox::{Acceptance, State, StoreErrorKind};

use crate::calls::{SECOND, ended, ended_otherwise, inbox, item, items};
use crate::fake::{Fake, Fate, Op};

#[tokio::test]
async fn a_callback_is_stored_and_known_again_and_a_different_one_is_disputed() {
    let (inbox, _, _) = inbox();
    assert!(matches!(inbox.accept(&ended("a")).await, Acceptance::Stored));
    assert!(matches!(inbox.accept(&ended("a")).await, Acceptance::Duplicate));
    assert!(matches!(inbox.accept(&ended_otherwise("a")).await, Acceptance::Disputed));
    let states: Vec<State> = items(&inbox).await.iter().map(|item| item.state).collect();
    assert_eq!(states, [State::Disputed, State::Disputed]);
}

#[tokio::test]
async fn all_but_a_failure_is_acknowledged() {
    let (inbox, fake, _) = Fake::new();
    for durable in [ended("a"), ended("a"), ended_otherwise("a")] {
        assert_eq!(Ack::from(inbox.accept(&durable).await), Ack::ok());
    }
    fake.tell(Op::Put, Fate::Fails(StoreErrorKind::Full, 1));
    let answer = Ack::from(inbox.accept(&ended("b")).await).answer();
    assert_eq!(answer.status(), 500);
    assert_eq!(
        answer.body(),
        r#"{"ActionStatus":"FAIL","ErrorInfo":"the callback is not stored","ErrorCode":503}"#
    );
}

#[tokio::test(start_paused = true)]
async fn what_passes_by_itself_within_a_second_is_tried_again() {
    for kind in [StoreErrorKind::Unavailable, StoreErrorKind::Replaced] {
        let (inbox, fake, _) = Fake::new();
        let start = Instant::now();
        fake.tell(Op::Put, Fate::Fails(kind, 5));
        assert!(matches!(inbox.accept(&ended("a")).await, Acceptance::Stored));
        assert_eq!(fake.asked(Op::Put), [1; 6]);
        assert!(start.elapsed() < SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_second_it_fails_with_what_was_in_the_way() {
    let (inbox, fake, _) = Fake::new();
    let start = Instant::now();
    fake.tell(Op::Put, Fate::FAILS);
    let Acceptance::Failed(error) = inbox.accept(&ended("a")).await else { panic!() };
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let took = start.elapsed();
    assert!((SECOND / 2..=SECOND).contains(&took), "{took:?}");
    let times = fake.asked(Op::Put).len();
    assert!((5..20).contains(&times), "{times} tries");
    assert_eq!(items(&inbox).await, []);
}

#[tokio::test(start_paused = true)]
async fn what_will_not_pass_fails_at_once() {
    for kind in [
        StoreErrorKind::Full,
        StoreErrorKind::ReadOnly,
        StoreErrorKind::SchemaTooNew,
        StoreErrorKind::Corrupt,
        StoreErrorKind::Closed,
        StoreErrorKind::Other,
    ] {
        let (inbox, fake, _) = Fake::new();
        let start = Instant::now();
        fake.tell(Op::Put, Fate::Fails(kind, usize::MAX));
        let Acceptance::Failed(error) = inbox.accept(&ended("a")).await else { panic!() };
        assert_eq!(error.kind(), kind);
        assert_eq!((start.elapsed(), fake.asked(Op::Put).len()), (Duration::ZERO, 1), "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_a_failure_after_a_second() {
    let (inbox, fake, _) = Fake::new();
    let start = Instant::now();
    fake.tell(Op::Put, Fate::Hangs);
    let Acceptance::Failed(error) = inbox.accept(&ended("a")).await else { panic!() };
    assert_eq!(error.kind(), StoreErrorKind::TimedOut);
    let took = start.elapsed();
    assert!((SECOND..SECOND * 11 / 10).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn it_may_be_dropped_at_any_await() {
    let mut stored_before = 0;
    for polls in 0.. {
        let (inbox, _, _) = Fake::new();
        let callback = ended("a");
        let is_done = {
            let mut accept = pin!(inbox.accept(&callback));
            let mut context = Context::from_waker(Waker::noop());
            (0..polls).any(|_| accept.as_mut().poll(&mut context).is_ready())
        };
        stored_before += usize::from(!is_done && !items(&inbox).await.is_empty());
        assert!(inbox.accept(&callback).await.is_durable());
        assert_eq!(item(&inbox).await.state, State::Waiting);
        if is_done {
            assert!(stored_before > 0 && polls > 2, "it was dropped before and behind the store");
            return;
        }
    }
}
