//! Leasing: who has what, for how long, and how often.

use std::time::Duration;

use trtc_call_inbox::store::{Lease, LeaseRequest, Outcome, Put, Settlement};
use trtc_call_inbox::{ItemId, NewItem, State};
use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{MemberChange, MemberChanged};

use super::{
    APP, DAY, DONE, MAX_LOST, OTHER, OWNER, SECOND, Stage, TERM, dead, deliver, ids, retry,
    suspects,
};

/// The longest due first, no more than asked for, each to one.
pub async fn items_are_handed_out_as_due(stage: Stage) {
    let [a, b, c] = [stage.stored("a").await, stage.stored("b").await, stage.stored("c").await];
    for item in stage.leased().await {
        let after = if item.lease.item == a { 3 * SECOND } else { SECOND };
        assert!(stage.settle(item.lease, retry(after)).await);
    }
    let next = stage.lease_as(Stage::request(OWNER)).await;
    assert!(next.items.is_empty());
    assert_eq!(next.next_due, Some(SECOND));
    stage.advance(3 * SECOND).await;
    let d = stage.stored("d").await;
    let leased = stage.lease_as(LeaseRequest::new(OWNER, 3, TERM, MAX_LOST)).await;
    assert_eq!(ids(&leased.items), [b, c, a]);
    let rest = stage.other.lease(Stage::request(OTHER)).await.unwrap();
    assert_eq!(ids(&rest.items), [d]);
}

/// The longest time there is counts as a long time, also for those that are settled together with it.
pub async fn what_is_put_off_for_ever_waits(stage: Stage) {
    let id = stage.stored("a").await;
    stage.stored("b").await;
    let for_ever = LeaseRequest::new(OWNER, 100, Duration::MAX, MAX_LOST);
    let leases: Vec<_> = stage.lease_as(for_ever).await.items.iter().map(|i| i.lease).collect();
    assert_eq!(stage.store.renew(leases.clone(), Duration::MAX).await.unwrap(), [true; 2]);
    stage.advance(365 * DAY).await;
    assert!(stage.other.lease(suspects(OTHER)).await.unwrap().items.is_empty());
    let outcomes = [retry(Duration::MAX), DONE];
    let settlements = leases.into_iter().zip(outcomes);
    let settlements = settlements.map(|(lease, outcome)| Settlement { lease, outcome }).collect();
    assert_eq!(stage.store.settle(settlements).await.unwrap(), [true; 2]);
    stage.advance(365 * DAY).await;
    assert!(stage.leased().await.is_empty());
    assert_eq!(stage.state(id).await, State::Waiting);
}

/// An attempt counts once the item is handed out.
pub async fn an_attempt_counts_when_it_begins(stage: Stage) {
    let id = stage.stored("a").await;
    let first = stage.work(retry(SECOND)).await;
    assert_eq!((first.attempt, first.since_first_attempt), (1, Duration::ZERO));
    stage.advance(10 * SECOND).await;
    let uncounted = Outcome::Retry { after: SECOND, counted: false, error: "not yet".to_owned() };
    let second = stage.work(uncounted).await;
    assert_eq!((second.attempt, second.since_first_attempt), (2, 10 * SECOND));
    let kept = stage.get(id).await;
    assert_eq!((kept.attempts, kept.last_error.as_deref()), (1, Some("not yet")));
    stage.advance(SECOND).await;
    let given_back = stage.work(Outcome::GiveBack).await;
    assert_eq!(given_back.attempt, 2);
    // Due at once, and the same attempt again.
    let last = stage.work(dead()).await;
    assert_eq!(last.attempt, 2);
    let kept = stage.get(id).await;
    assert_eq!((kept.attempts, kept.last_error.as_deref()), (2, Some("for good")));
    assert_eq!(kept.state, State::Dead);
}

/// An attempt that is undone was never the first.
pub async fn time_to_retry_begins_with_the_first_attempt(stage: Stage) {
    stage.stored("a").await;
    stage.advance(DAY).await;
    stage.work(Outcome::GiveBack).await;
    stage.advance(DAY).await;
    assert_eq!(stage.work(retry(SECOND)).await.since_first_attempt, Duration::ZERO);
    stage.advance(DAY).await;
    let item = stage.work(dead()).await;
    assert_eq!(item.since_first_attempt, DAY);
    assert_eq!(stage.store.replay(vec![item.lease.item]).await.unwrap(), [true]);
    assert_eq!(stage.one().await.since_first_attempt, Duration::ZERO);
}

/// Only who has the lease can settle it.
pub async fn a_stale_token_changes_nothing(stage: Stage) {
    let id = stage.stored("a").await;
    let stale = stage.work(retry(SECOND)).await.lease;
    stage.advance(SECOND).await;
    let lease = stage.one().await.lease;
    assert_ne!(stale.token, lease.token);
    let guessed = Lease { token: lease.token ^ 1, ..lease };
    let gone = Lease { item: ItemId::new(id.get() + 1), ..lease };
    for wrong in [stale, guessed, gone] {
        for outcome in [DONE, retry(SECOND), dead(), Outcome::GiveBack] {
            assert!(!stage.settle(wrong, outcome).await);
        }
        assert_eq!(stage.store.renew(vec![wrong, lease], TERM).await.unwrap(), [false, true]);
    }
    assert!(stage.settle(lease, DONE).await);
    assert!(!stage.settle(lease, retry(SECOND)).await);
    let kept = stage.get(id).await;
    assert_eq!((kept.state, kept.attempts), (State::Done, 2));
}

/// What another process has leased and leaves alone is taken back; nobody takes back their own.
pub async fn a_lease_that_has_ended_is_taken_back_by_others(stage: Stage) {
    let id = stage.stored("a").await;
    let lease = stage.one().await.lease;
    stage.advance(TERM - SECOND).await;
    assert_eq!(stage.store.renew(vec![lease], TERM).await.unwrap(), [true]);
    stage.advance(TERM - SECOND).await;
    assert!(!stage.lease_as(Stage::request(OTHER)).await.suspects_due, "it was renewed");
    stage.advance(SECOND).await;
    assert!(!stage.lease_as(Stage::request(OWNER)).await.suspects_due, "it is their own");
    let other = stage.lease_as(Stage::request(OTHER)).await;
    // It may be what ended the process: whoever wants those has to ask.
    assert!(other.items.is_empty() && other.suspects_due);
    assert!(!stage.settle(lease, DONE).await);
    let [item] = stage.lease_as(suspects(OTHER)).await.items.try_into().unwrap();
    assert_eq!((item.lease.item, item.attempt), (id, 2));
    assert_eq!(stage.get(id).await.lost_leases, 1);
    // A word was given: it is like any other.
    assert!(stage.settle(item.lease, retry(SECOND)).await);
    assert_eq!(stage.get(id).await.lost_leases, 0);
    stage.advance(SECOND).await;
    assert_eq!(stage.leased_ids().await, [id]);
}

/// An item that ends every process that works it is dead at last.
pub async fn an_item_that_loses_too_many_leases_is_dead(stage: Stage) {
    let id = stage.stored("poison").await;
    let innocent = stage.stored("innocent").await;
    for lost in 0..MAX_LOST {
        let owner = i64::from(lost) + 10;
        let request = if lost == 0 { Stage::request(owner) } else { suspects(owner) };
        let leased = stage.lease_as(request).await;
        assert!(ids(&leased.items).contains(&id) && leased.died.is_empty());
        if let Some(other) = leased.items.iter().find(|item| item.lease.item == innocent) {
            assert!(stage.settle(other.lease, DONE).await);
        }
        stage.advance(TERM).await;
    }
    let last = stage.lease_as(suspects(OTHER)).await;
    assert!(last.items.is_empty() && last.died == [id]);
    let kept = stage.get(id).await;
    assert_eq!(kept.state, State::Dead);
    assert_eq!(kept.last_error.as_deref(), Some("its lease ended 3 times without a word"));
    assert_eq!(stage.state(innocent).await, State::Done);
    // A person may have it tried again.
    assert_eq!(stage.store.replay(vec![id]).await.unwrap(), [true]);
    assert_eq!((stage.get(id).await.lost_leases, stage.leased_ids().await), (0, vec![id]));
}

/// Giving back is no word about what the item does to a process.
pub async fn a_suspect_that_is_given_back_stays_one(stage: Stage) {
    let id = stage.stored("a").await;
    stage.one().await;
    stage.advance(TERM).await;
    let [item] = stage.lease_as(suspects(OTHER)).await.items.try_into().unwrap();
    assert!(stage.settle(item.lease, Outcome::GiveBack).await);
    assert!(stage.lease_as(Stage::request(OTHER)).await.items.is_empty());
    assert_eq!(ids(&stage.lease_as(suspects(OTHER)).await.items), [id]);
}

fn changed(call_id: &str, event_time: i64) -> NewItem {
    let change = MemberChanged::new(call_id).with_event_time(event_time);
    let change = change.with_changes([MemberChange::new("10002")]);
    NewItem::of(&deliver(APP, &Request::new(APP, change)))
}

/// One at a time, in the order of their arrival; a dead one does not hold up the rest.
pub async fn items_of_a_call_can_be_worked_in_order(stage: Stage) {
    let mut of_call = Vec::new();
    for event_time in 1..=4 {
        let Put::Stored(id) = stage.put(changed("a", event_time)).await else { panic!() };
        of_call.push(id);
    }
    let elsewhere = stage.stored("b").await;
    let ordered = || {
        let mut request = Stage::request(OWNER);
        request.ordered_by_call = true;
        request
    };
    let leased = stage.lease_as(ordered()).await.items;
    assert_eq!(ids(&leased), [of_call[0], elsewhere]);
    assert!(stage.lease_as(ordered()).await.items.is_empty(), "the first one is worked");
    assert!(stage.settle(leased[0].lease, retry(TERM)).await);
    assert!(stage.lease_as(ordered()).await.items.is_empty(), "the first one is tried again");
    stage.advance(TERM).await;
    for (step, id) in of_call.iter().enumerate() {
        let [item] = stage.lease_as(ordered()).await.items.try_into().unwrap();
        assert_eq!(item.lease.item, *id);
        assert!(stage.settle(item.lease, if step == 1 { dead() } else { DONE }).await);
    }
    // Without it, all at once.
    for event_time in 5..=6 {
        stage.put(changed("a", event_time)).await;
    }
    assert_eq!(stage.leased().await.len(), 2);
}

/// A clock that was set back holds nothing up for longer than it was put off.
pub async fn a_clock_that_is_set_back_holds_nothing_up(stage: Stage) {
    let id = stage.stored("a").await;
    stage.work(retry(TERM)).await;
    let other = stage.stored("b").await;
    let lease = stage.one().await.lease;
    assert_eq!(lease.item, other);
    stage.set_back(DAY).await;
    // What was put off by half a minute is not put off by a day, nor is a new one.
    let new = stage.stored("c").await;
    assert_eq!(stage.leased_ids().await, [id, new]);
    // A lease that would last for a day has ended, for others.
    assert!(stage.lease_as(Stage::request(OTHER)).await.suspects_due);
    assert!(!stage.settle(lease, DONE).await);
}

/// Clocks are corrected by a little all the time: that ends no lease.
pub async fn a_clock_that_is_corrected_ends_no_lease(stage: Stage) {
    stage.stored("a").await;
    let lease = stage.one().await.lease;
    stage.set_back(5 * SECOND).await;
    let other = stage.lease_as(suspects(OTHER)).await;
    assert!(other.items.is_empty() && !other.suspects_due);
    assert!(stage.settle(lease, DONE).await);
}

/// A clock that jumps ahead ends the leases of others, and the token tells.
pub async fn a_clock_that_jumps_ahead_is_fenced(stage: Stage) {
    let id = stage.stored("a").await;
    let slow = stage.one().await.lease;
    stage.advance(365 * DAY).await;
    let other = stage.other.lease(suspects(OTHER)).await.unwrap();
    assert_eq!(ids(&other.items), [id]);
    assert!(!stage.settle(slow, DONE).await);
    assert!(stage.settle(other.items[0].lease, DONE).await);
}
