//! Putting: what is new, known, or disputed.

use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;
use trtc_call_inbox::store::{Outcome, Put, Resolved, Retention, Store};
use trtc_call_inbox::{Filter, NewItem, State};
use trtc_call_webhook::sender::Request;

use super::{DAY, DONE, Stage, TERM, dead, deliver, ended, item, retry, with_body};

/// A new callback waits, byte for byte as it came.
pub async fn a_new_key_is_stored_and_waits(stage: Stage) {
    for body in [Vec::new(), vec![0xff; 3], vec![b'x'; 1 << 20], (0..=u8::MAX).collect()] {
        let new = NewItem::of(&with_body(body.clone()));
        let Put::Stored(id) = stage.put(new.clone()).await else { panic!("{}", body.len()) };
        let kept = stage.get(id).await;
        assert_eq!(kept.body.as_deref(), Some(&body[..]));
        assert_eq!((kept.state, kept.sha256), (State::Waiting, new.sha256));
        assert_eq!((kept.key, kept.signature), (new.key, new.signature));
        assert_eq!((kept.received_at, kept.due_at), (stage.clock.now(), stage.clock.now()));
    }
}

/// The largest SDKAppID is kept as it is.
pub async fn any_app_is_kept(stage: Stage) {
    for app in [1, u64::from(u32::MAX), u64::MAX] {
        let new = NewItem::of(&deliver(app, &Request::new(app, ended("a", 9))));
        let Put::Stored(id) = stage.put(new).await else { panic!("{app}") };
        assert_eq!(stage.get(id).await.sdk_app_id.get(), app);
        let listed = stage.store.list(Filter::all().sdk_app_id(app), 9, false).await.unwrap();
        assert_eq!(listed.len(), 1);
    }
}

/// The same body, and another one that would be billed the same.
pub async fn a_redelivery_is_a_duplicate(stage: Stage) {
    let id = stage.stored("a").await;
    let spaced = NewItem::of(&deliver(
        super::APP,
        &Request::new(super::APP, ended("a", 9).with_event_time(1_741_231_296_000)),
    ));
    assert_ne!(spaced.sha256, item("a", 9).sha256);
    for outcome in [None, Some(retry(TERM)), Some(DONE)] {
        if let Some(outcome) = outcome {
            stage.work(outcome).await;
        }
        assert_eq!(stage.put(item("a", 9)).await, Put::Duplicate);
        assert_eq!(stage.put(spaced.clone()).await, Put::Duplicate);
        stage.advance(TERM).await;
    }
    assert_eq!(stage.state(id).await, State::Done);
    // What does not decode is known by its bytes.
    let broken = NewItem::of(&with_body("broken"));
    assert!(matches!(stage.put(broken.clone()).await, Put::Stored(_)));
    assert_eq!(stage.put(broken).await, Put::Duplicate);
}

/// Keys compare as bytes.
pub async fn keys_that_differ_in_case_are_different(stage: Stage) {
    for call_id in ["a", "A", "ä", "Ä", "a ", "A\u{301}"] {
        stage.stored(call_id).await;
    }
}

/// What JSON can say in a call's id, and a handler in its error, is kept and found again.
pub async fn any_text_is_kept(stage: Stage) {
    let long = "x".repeat(100_000);
    let texts = ["\0", "\\", "\\0", "a\0b", "a", "\u{1f4de}", &long];
    let mut ids = Vec::new();
    for text in texts {
        ids.push(stage.stored(text).await);
        assert_eq!(stage.put(item(text, 9)).await, Put::Duplicate);
    }
    for (text, id) in texts.iter().zip(&ids) {
        let found = stage.store.list(Filter::all().call_id(*text), 9, true).await.unwrap();
        assert_eq!(found.iter().map(|item| item.id).collect::<Vec<_>>(), [*id]);
        assert_eq!(
            (&*found[0].key, found[0].call_id.as_deref()),
            (&*item(text, 9).key, Some(*text))
        );
    }
    for leased in stage.leased().await {
        let error = "a\0\\0".to_owned();
        assert!(stage.settle(leased.lease, Outcome::Dead { error: error.clone() }).await);
        assert_eq!(stage.get(leased.lease.item).await.last_error, Some(error));
    }
}

/// The items of one batch act one after another.
pub async fn a_batch_may_hold_a_key_more_than_once(stage: Stage) {
    let batch = vec![item("a", 9), item("b", 9), item("a", 9), item("a", 10), item("b", 9)];
    let puts = stage.store.put(batch).await.unwrap();
    let [
        Put::Stored(a),
        Put::Stored(b),
        Put::Duplicate,
        Put::Disputed { item, after_done: false },
        Put::Duplicate,
    ] = puts[..]
    else {
        panic!("{puts:?}")
    };
    assert!(a != item && stage.leased_ids().await == [b]);
}

/// A dispute stops what waits, what is dead, and what is leased.
pub async fn a_dispute_stops_every_item_that_is_not_done(stage: Stage) {
    let [waiting, leased, dying] =
        [stage.stored("w").await, stage.stored("l").await, stage.stored("d").await];
    let leases = stage.leased().await;
    assert!(stage.settle(leases[0].lease, retry(TERM)).await);
    assert!(stage.settle(leases[2].lease, dead()).await);
    for (call_id, known) in [("w", waiting), ("l", leased), ("d", dying)] {
        let put = stage.put(item(call_id, 10)).await;
        let Put::Disputed { item, after_done: false } = put else { panic!("{put:?}") };
        for id in [known, item] {
            assert_eq!(stage.state(id).await, State::Disputed);
        }
    }
    // The lease is revoked.
    assert!(!stage.settle(leases[1].lease, DONE).await);
    assert_eq!(stage.store.renew(vec![leases[1].lease], TERM).await.unwrap(), [false]);
    assert_eq!(stage.state(leased).await, State::Disputed);
    stage.advance(DAY).await;
    assert!(stage.leased().await.is_empty());
}

/// What was done stays done, and the caller is told.
pub async fn a_dispute_with_what_is_done_says_so(stage: Stage) {
    let id = stage.stored("a").await;
    stage.work(DONE).await;
    let Put::Disputed { item: other, after_done: true } = stage.put(item("a", 10)).await else {
        panic!("it is billed already")
    };
    assert_eq!((stage.state(id).await, stage.state(other).await), (State::Done, State::Disputed));
    assert_eq!(stage.put(item("a", 10)).await, Put::Duplicate);
    assert_eq!(stage.put(item("a", 9)).await, Put::Duplicate);
}

/// Whoever makes bodies up does not make the key's row grow without end, and each is kept.
pub async fn many_bodies_under_one_key_are_all_kept(stage: Stage) {
    stage.stored("a").await;
    for seconds in 10..60 {
        let put = stage.put(item("a", seconds)).await;
        assert!(matches!(put, Put::Disputed { .. }), "{seconds}: {put:?}");
        assert_eq!(stage.put(item("a", seconds)).await, Put::Duplicate);
    }
    let disputed =
        stage.store.list(Filter::all().state(State::Disputed), 100, false).await.unwrap();
    assert_eq!(disputed.len(), 51);
}

/// A key outlives its items, and goes after its time.
pub async fn a_key_is_known_for_longer_than_its_items(stage: Stage) {
    let first = stage.stored("a").await;
    stage.work(DONE).await;
    let retention = Retention::new(DAY, 10 * DAY);
    stage.advance(2 * DAY).await;
    assert_eq!(stage.store.prune(retention, 9).await.unwrap().items, 1);
    assert_eq!(stage.put(item("a", 9)).await, Put::Duplicate);
    // Its time begins with the last delivery.
    stage.advance(9 * DAY).await;
    assert_eq!(stage.store.prune(retention, 9).await.unwrap().keys, 0);
    let put = stage.put(item("a", 10)).await;
    let Put::Disputed { item: id, after_done } = put else { panic!("{put:?}") };
    assert!(after_done, "its item is gone, and it was billed");
    assert_eq!(stage.store.resolve(id).await.unwrap(), Resolved::Corrects(first));
    // Never while an item lives.
    stage.advance(11 * DAY).await;
    assert_eq!(stage.store.prune(retention, 9).await.unwrap().keys, 0);
    assert_eq!(stage.store.discard(vec![id]).await.unwrap(), [true]);
    stage.advance(11 * DAY).await;
    let pruned = stage.store.prune(retention, 9).await.unwrap();
    assert_eq!((pruned.items, pruned.keys), (1, 1));
    stage.stored("a").await;
}

/// Two bodies of one key that come by two connections at the same moment are never two workable items.
pub async fn two_bodies_at_once_are_never_two_workable_items(stage: Stage) {
    for round in 0..50 {
        let call_id = format!("race {round}");
        let barrier = Arc::new(Barrier::new(4));
        let mut puts = JoinSet::new();
        for number in 0..4 {
            let store: Arc<dyn Store> =
                Arc::clone(if number % 2 == 0 { &stage.store } else { &stage.other });
            let (barrier, new) = (Arc::clone(&barrier), item(&call_id, 10 + number / 2));
            puts.spawn(async move {
                barrier.wait().await;
                store.put(vec![new]).await.unwrap()[0]
            });
        }
        let puts = puts.join_all().await;
        let count = |is: fn(&Put) -> bool| puts.iter().filter(|put| is(put)).count();
        let kinds = [
            count(|put| matches!(put, Put::Stored(_))),
            count(|put| matches!(put, Put::Disputed { .. })),
            count(|put| matches!(put, Put::Duplicate)),
        ];
        assert_eq!(kinds, [1, 1, 2], "{puts:?}");
    }
    assert!(stage.leased().await.is_empty());
}

/// Redeliveries at the same moment are one item.
pub async fn one_body_at_once_is_one_item(stage: Stage) {
    let mut puts = JoinSet::new();
    for number in 0..64 {
        let store = Arc::clone(if number % 2 == 0 { &stage.store } else { &stage.other });
        puts.spawn(async move { store.put(vec![item("a", 9)]).await.unwrap()[0] });
    }
    let puts = puts.join_all().await;
    assert_eq!(puts.iter().filter(|put| matches!(put, Put::Stored(_))).count(), 1, "{puts:?}");
    assert_eq!(puts.iter().filter(|put| **put == Put::Duplicate).count(), 63, "{puts:?}");
}

/// A dispute is over once it is resolved: the same bodies are known.
pub async fn a_resolved_dispute_does_not_come_back(stage: Stage) {
    stage.stored("a").await;
    let Put::Disputed { item: id, .. } = stage.put(item("a", 10)).await else { panic!() };
    assert_eq!(stage.store.resolve(id).await.unwrap(), Resolved::Waits);
    for seconds in [9, 10] {
        assert_eq!(stage.put(item("a", seconds)).await, Put::Duplicate);
    }
    assert_eq!(stage.leased_ids().await, [id]);
}
