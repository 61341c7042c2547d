//! What people do: look, replay, discard, resolve, erase, prune.

use std::time::Duration;

use trtc_call_inbox::store::{Pruned, Put, Resolved, Retention};
use trtc_call_inbox::{DoneAs, Erase, Filter, ItemId, NewItem, State};
use trtc_call_webhook::sender::Request;

use super::{DAY, DONE, SECOND, Stage, TERM, dead, deliver, ended, item, retry};

/// What is dead, or put off, is tried at once as if it were new, and nothing else is.
pub async fn a_replay_takes_dead_items_past_deduplication(stage: Stage) {
    let id = stage.stored("a").await;
    stage.work(retry(SECOND)).await;
    stage.advance(SECOND).await;
    stage.work(dead()).await;
    let waiting = stage.stored("b").await;
    stage.work(retry(TERM)).await;
    let all = vec![id, waiting, ItemId::new(4711)];
    assert_eq!(stage.store.replay(all.clone()).await.unwrap(), [true, true, false]);
    let kept = stage.get(id).await;
    assert_eq!((kept.state, kept.attempts, kept.last_error), (State::Waiting, 0, None));
    assert_eq!(stage.leased_ids().await, [id, waiting]);
    assert_eq!(stage.store.replay(all).await.unwrap(), [false; 3], "they are worked");
}

/// What is not worked can be put away; it stays to be looked at.
pub async fn what_is_not_worked_can_be_discarded(stage: Stage) {
    let leased = stage.stored("l").await;
    let lease = stage.one().await.lease;
    let waiting = stage.stored("w").await;
    let disputed = stage.stored("d").await;
    let Put::Disputed { item: other, .. } = stage.put(item("d", 10)).await else { panic!() };
    let all = vec![leased, waiting, disputed, other];
    assert_eq!(stage.store.discard(all.clone()).await.unwrap(), [false, true, true, true]);
    assert_eq!(stage.store.discard(all).await.unwrap(), [false; 4]);
    let kept = stage.get(waiting).await;
    assert_eq!(kept.done, Some((DoneAs::Discarded, stage.clock.now())));
    assert!(stage.settle(lease, DONE).await && stage.leased().await.is_empty());
}

/// Of what nobody has worked yet, the chosen one is.
pub async fn a_dispute_is_resolved_in_favour_of_one(stage: Stage) {
    let first = stage.stored("a").await;
    let Put::Disputed { item: second, .. } = stage.put(item("a", 10)).await else { panic!() };
    assert_eq!(stage.store.resolve(first).await.unwrap(), Resolved::Waits);
    let rejected = stage.get(second).await;
    assert_eq!(rejected.done.map(|(how, _)| how), Some(DoneAs::Rejected));
    let worked = stage.work(DONE).await;
    assert_eq!((worked.lease.item, worked.replaces), (first, None));
    for nothing in [stage.stored("b").await, ItemId::new(4711)] {
        assert_eq!(stage.store.resolve(nothing).await.unwrap(), Resolved::NotDisputed);
    }
}

/// If one was worked already, the other corrects it, and may be corrected in turn.
pub async fn what_was_done_is_corrected(stage: Stage) {
    let first = stage.stored("a").await;
    stage.work(DONE).await;
    let Put::Disputed { item: second, .. } = stage.put(item("a", 10)).await else { panic!() };
    assert_eq!(stage.store.resolve(second).await.unwrap(), Resolved::Corrects(first));
    stage.advance(SECOND).await;
    assert_eq!(stage.work(DONE).await.replaces, Some(first));
    assert_eq!(stage.store.resolve(second).await.unwrap(), Resolved::Stays);
    assert_eq!(stage.store.resolve(first).await.unwrap(), Resolved::Corrects(second));
    stage.advance(SECOND).await;
    let worked = stage.work(DONE).await;
    assert_eq!((worked.lease.item, worked.replaces), (first, Some(second)));
}

/// If the one that was worked is the true one, nothing is left to do.
pub async fn what_was_done_rightly_stays(stage: Stage) {
    let first = stage.stored("a").await;
    stage.work(DONE).await;
    let Put::Disputed { item: second, .. } = stage.put(item("a", 10)).await else { panic!() };
    assert_eq!(stage.store.resolve(first).await.unwrap(), Resolved::Stays);
    assert_eq!(stage.get(second).await.done.map(|(how, _)| how), Some(DoneAs::Rejected));
    assert!(stage.leased().await.is_empty());
}

/// The body goes, its hash and its key stay.
pub async fn what_is_done_can_be_erased(stage: Stage) {
    let done = stage.stored("a").await;
    stage.work(retry(SECOND)).await;
    stage.advance(SECOND).await;
    stage.work(DONE).await;
    let waiting = stage.stored("b").await;
    let hash = stage.get(done).await.sha256;
    let all = vec![done, waiting, ItemId::new(4711)];
    assert_eq!(stage.store.erase(all).await.unwrap(), [true, false, false]);
    let kept = stage.get(done).await;
    assert_eq!((kept.body, kept.sha256, kept.last_error), (None, hash, None));
    assert!(stage.get(waiting).await.body.is_some());
    assert_eq!(stage.put(item("a", 9)).await, Put::Duplicate);
    assert!(matches!(stage.put(item("a", 10)).await, Put::Disputed { after_done: true, .. }));
    assert_eq!(stage.store.resolve(done).await.unwrap(), Resolved::Stays);
}

/// A user is found wherever a body names them.
pub async fn a_user_is_erased_from_all_calls(stage: Stage) {
    let mut expected = Vec::new();
    for (call_id, caller, members) in
        [("a", "u\"ser", ["1", "2"]), ("b", "1", ["u\"ser", "2"]), ("c", "1", ["u", "ser"])]
    {
        let call = ended(call_id, 9).with_caller(caller).with_members(members);
        let new = NewItem::of(&deliver(super::APP, &Request::new(super::APP, call)));
        let Put::Stored(id) = stage.put(new).await else { panic!() };
        if call_id == "b" {
            expected.push(id);
        }
        if call_id != "a" {
            stage.work(DONE).await;
        } else {
            stage.work(dead()).await;
        }
    }
    let erased = stage.inbox().erase(&Erase::User("u\"ser".to_owned()), None).await.unwrap();
    assert_eq!((erased.erased, erased.kept.len()), (expected.clone(), 1));
    assert!(stage.get(expected[0]).await.body.is_none());
    let erased = stage.inbox().erase(&Erase::Call("c".to_owned()), None).await.unwrap();
    assert_eq!((erased.erased.len(), erased.kept.len()), (1, 0));
}

/// Only what is done, only when it is old, and a few at a time.
pub async fn old_items_are_pruned(stage: Stage) {
    let retention = Retention::default();
    for call_id in ["a", "b", "c"] {
        stage.stored(call_id).await;
        stage.work(DONE).await;
    }
    stage.stored("d").await;
    stage.work(dead()).await;
    stage.stored("e").await;
    let prune = async |limit| stage.store.prune(retention, limit).await.unwrap();
    stage.advance(7 * DAY).await;
    assert_eq!(prune(9).await, Pruned::default());
    stage.advance(SECOND).await;
    assert_eq!([prune(2).await.items, prune(2).await.items, prune(2).await.items], [2, 1, 0]);
    stage.advance(30 * DAY).await;
    assert_eq!([prune(2).await.keys, prune(2).await.keys, prune(2).await.keys], [2, 1, 0]);
    assert_eq!(stage.store.list(Filter::all(), 9, false).await.unwrap().len(), 2);
    assert_eq!(Retention::new(DAY, DAY).keys, 7 * DAY, "the vendor has records for 7 days");
}

/// By state, app, call and time, page by page.
pub async fn items_are_listed_by_filters(stage: Stage) {
    let [a, b] = [stage.stored("a").await, stage.stored("B").await];
    stage.work_first_dead().await;
    stage.advance(DAY).await;
    let since = stage.clock.now();
    let Put::Stored(c) = stage.put(NewItem::of(&deliver(7, &Request::new(7, ended("a", 9))))).await
    else {
        panic!()
    };
    let all = Filter::all;
    for (filter, expected) in [
        (all(), vec![a, b, c]),
        (all().state(State::Dead), vec![a]),
        (all().sdk_app_id(7), vec![c]),
        (all().call_id("a"), vec![a, c]),
        (all().call_id("b"), vec![]),
        (all().since(since), vec![c]),
        (all().since(since + SECOND), vec![]),
        (all().after(a), vec![b, c]),
        (all().after(a).call_id("a").state(State::Waiting), vec![c]),
    ] {
        let listed = stage.store.list(filter.clone(), 9, false).await.unwrap();
        assert_eq!(listed.iter().map(|item| item.id).collect::<Vec<_>>(), expected, "{filter:?}");
        assert!(listed.iter().all(|item| item.body.is_none() && filter.takes(item)));
    }
    let page = stage.store.list(all(), 2, true).await.unwrap();
    assert_eq!(page.iter().map(|item| item.id).collect::<Vec<_>>(), [a, b]);
    assert_eq!(page[0], stage.get(a).await);
    assert_eq!(stage.store.get(ItemId::new(4711)).await.unwrap(), None);
}

/// How many there are of each app, and how far the work is behind.
pub async fn items_are_counted(stage: Stage) {
    assert_eq!(stage.store.stats(None).await.unwrap().apps, []);
    stage.stored("a").await;
    stage.stored("b").await;
    stage.work_first_dead().await;
    stage.put(NewItem::of(&deliver(7, &Request::new(7, ended("a", 9))))).await;
    stage.advance(TERM).await;
    let stats = stage.store.stats(None).await.unwrap();
    assert_eq!([stats.count(State::Dead), stats.count(State::Waiting)], [1, 2]);
    assert_eq!((stats.apps.len(), stats.lag()), (2, TERM));
    let stats = stage.store.stats(Some(7.into())).await.unwrap();
    assert_eq!((stats.apps.len(), stats.count(State::Waiting), stats.lag()), (1, 1, TERM));
    let leased = stage.leased().await;
    for item in &leased {
        assert!(stage.settle(item.lease, retry(TERM)).await);
    }
    assert_eq!(stage.store.stats(None).await.unwrap().lag(), Duration::ZERO, "none is due");
}

/// Whether something could be stored, without storing it.
pub async fn health_stores_nothing(stage: Stage) {
    stage.store.health().await.unwrap();
    assert_eq!(stage.store.list(Filter::all(), 9, false).await.unwrap(), []);
    let first = stage.stored("a").await;
    stage.store.health().await.unwrap();
    assert!(stage.get(first).await.body.is_some());
}

impl Stage {
    /// The first of two that are due dies, the other waits.
    async fn work_first_dead(&self) {
        let leased = self.leased().await;
        assert!(self.settle(leased[0].lease, dead()).await);
        for other in &leased[1..] {
            assert!(self.settle(other.lease, trtc_call_inbox::store::Outcome::GiveBack).await);
        }
    }
}
