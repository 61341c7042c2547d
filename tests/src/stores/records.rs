//! What the vendor's records say, and who asks for them.

use std::time::Duration;

use trtc_call_inbox::store::{
    Answer, AskRequest, Asked, FIRST_ASKED, Lead, Outcome, Put, PutRecord, Resolved, Retention,
    Scope,
};
use trtc_call_inbox::{Confirmation, DoneAs, ItemId, NewItem, Source, State};
use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{CallEnded, CallStarted, Member, SdkAppId};

use super::{
    APP, DAY, DONE, MAX_LOST, OTHER, OWNER, SECOND, Stage, TERM, dead, ended, item, retry,
};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// How many questions a second the tests allow, if nothing else is said.
const RATE: u32 = 100;

/// The vendor's record of a call that was connected for so many seconds.
fn record(call_id: &str, seconds: i64) -> NewItem {
    record_of(ended(call_id, seconds))
}

fn record_of(call: CallEnded) -> NewItem {
    let body = super::deliver(APP, &Request::new(APP, call)).body().clone();
    NewItem::of_record(APP, body).expect("a record")
}

fn missing(after: Duration) -> Answer {
    Answer::Missing { after, error: "no such call".to_owned() }
}

fn give_up() -> Answer {
    let why = Confirmation::Missing;
    Answer::GiveUp { why, error: "no such call, for an hour".to_owned() }
}

impl Stage {
    async fn put_record(&self, record: NewItem, scope: Scope) -> PutRecord {
        self.store.put_records(vec![record], scope).await.expect("a put")[0]
    }

    /// An item that waits for its record.
    async fn confirming(&self, call_id: &str) -> ItemId {
        let id = self.stored(call_id).await;
        assert_eq!(self.work(Outcome::AskRecord).await.lease.item, id);
        id
    }

    async fn ask(&self, limit: usize) -> Asked {
        let request = AskRequest::new(APP.into(), limit, RATE, TERM);
        self.store.ask(request).await.expect("a question")
    }

    async fn asked_ids(&self) -> Vec<ItemId> {
        self.ask(100).await.items.iter().map(|item| item.lease.item).collect()
    }

    /// Asks about the only item that is due, and keeps an answer.
    async fn answer(&self, answer: Answer) {
        let [item] = self.ask(100).await.items.try_into().expect("one item");
        let kept = self.store.answer(vec![(item.lease, answer)]).await.expect("an answer");
        assert_eq!(kept, [true]);
    }

    async fn lead(&self, owner: i64, term: Duration) -> Option<Lead> {
        self.store.lead(APP.into(), owner, term).await.expect("a lead")
    }

    async fn keep_progress(&self, owner: i64, progress: &str) -> bool {
        let progress = progress.to_owned();
        self.store.keep_progress(APP.into(), owner, progress).await.expect("a progress")
    }

    async fn done_as(&self, id: ItemId) -> Option<DoneAs> {
        self.get(id).await.done.map(|(how, _)| how)
    }
}

/// A call whose callback never came is found, and known when it comes after all, whatever it says and
/// however late.
pub async fn a_record_of_an_unknown_call_is_an_item(stage: Stage) {
    let PutRecord::Stored(id) = stage.put_record(record("a", 9), Scope::Unknown).await else {
        panic!("it is not known")
    };
    let kept = stage.get(id).await;
    assert_eq!((kept.state, kept.source), (State::Waiting, Source::Record));
    assert_eq!(stage.put_record(record("a", 9), Scope::All).await, PutRecord::Known);
    assert_eq!(stage.put(item("a", 9)).await, Put::Duplicate);
    assert_eq!(stage.put(item("a", 10)).await, Put::Duplicate);
    let leased = stage.work(DONE).await;
    assert_eq!(leased.body, record("a", 9).body);
    assert_eq!((leased.record, leased.source), (None, Source::Record));
    stage.advance(8 * DAY).await;
    let pruned = stage.store.prune(Retention::default(), 100).await.expect("a pruning");
    assert_eq!(pruned.items, 1);
    assert_eq!(stage.put(item("a", 10)).await, Put::Duplicate);
    assert_eq!(stage.put_record(record("a", 9), Scope::All).await, PutRecord::Known);
}

/// What never came is told apart from what differs, and nothing that is known is touched.
pub async fn records_of_known_calls_can_be_left_alone(stage: Stage) {
    let id = stage.stored("a").await;
    let before = stage.get(id).await;
    assert_eq!(stage.put_record(record("a", 9), Scope::Unknown).await, PutRecord::Known);
    assert_eq!(stage.put_record(record("a", 10), Scope::Unknown).await, PutRecord::Differs);
    assert_eq!(stage.get(id).await, before);
    stage.work(DONE).await;
    assert_eq!(stage.put_record(record("a", 10), Scope::Unknown).await, PutRecord::Differs);
    let Put::Disputed { item: rival, .. } = stage.put(item("a", 11)).await else {
        panic!("it differs")
    };
    assert_eq!(stage.put_record(record("a", 11), Scope::Unknown).await, PutRecord::Differs);
    assert_eq!(stage.state(rival).await, State::Disputed);
}

/// The handler gets the record, and nothing that comes later is compared with the callback.
pub async fn a_record_confirms_what_waits_for_it(stage: Stage) {
    let id = stage.confirming("a").await;
    let waits = stage.get(id).await;
    assert_eq!((waits.state, waits.attempts), (State::Confirming, 0));
    assert!(stage.leased().await.is_empty());
    assert_eq!(stage.put_record(record("a", 10), Scope::All).await, PutRecord::Confirmed(id));
    let leased = stage.one().await;
    assert_eq!((leased.attempt, leased.source), (1, Source::Callback));
    assert_eq!(leased.body, item("a", 9).body);
    assert_eq!(leased.record, Some(record("a", 10).body));
    assert_eq!(stage.get(id).await.record, Some(record("a", 10).body));
    // The record is what is known now.
    assert_eq!(stage.put(item("a", 11)).await, Put::Duplicate);
    assert_eq!(stage.put_record(record("a", 10), Scope::All).await, PutRecord::Known);
    assert!(stage.settle(leased.lease, retry(SECOND)).await);
    stage.advance(SECOND).await;
    assert_eq!(stage.one().await.record, Some(record("a", 10).body), "it is not asked for again");
}

/// The body that it agrees with is worked, or else the first one, with the record.
pub async fn a_record_decides_a_dispute(stage: Stage) {
    let forged = stage.stored("a").await;
    let Put::Disputed { item: truth, .. } = stage.put(item("a", 10)).await else {
        panic!("it differs")
    };
    assert_eq!(stage.put_record(record("a", 10), Scope::All).await, PutRecord::Confirmed(truth));
    assert_eq!(stage.done_as(forged).await, Some(DoneAs::Rejected));
    assert_eq!(stage.leased_ids().await, [truth]);
    // None of them is right.
    let first = stage.stored("b").await;
    let Put::Disputed { item: other, .. } = stage.put(item("b", 10)).await else {
        panic!("it differs")
    };
    assert_eq!(stage.put_record(record("b", 11), Scope::All).await, PutRecord::Confirmed(first));
    assert_eq!(stage.done_as(other).await, Some(DoneAs::Rejected));
    assert_eq!(stage.one().await.record, Some(record("b", 11).body));
}

/// Once, by a callback that says the same or by the record itself, also after a pruning.
pub async fn a_record_corrects_what_was_done(stage: Stage) {
    // By itself.
    let wrong = stage.stored("a").await;
    stage.work(DONE).await;
    let put = stage.put_record(record("a", 10), Scope::All).await;
    let PutRecord::Corrects { item: right, replaced } = put else { panic!("{put:?}") };
    assert_eq!(replaced, wrong);
    let leased = stage.one().await;
    assert_eq!((leased.lease.item, leased.replaces), (right, Some(wrong)));
    assert_eq!(leased.body, record("a", 10).body);
    assert!(stage.settle(leased.lease, dead()).await);
    assert_eq!(stage.put_record(record("a", 10), Scope::All).await, PutRecord::Known, "once");
    // By a callback that says the same.
    let wrong = stage.stored("b").await;
    stage.work(DONE).await;
    let Put::Disputed { item: right, .. } = stage.put(item("b", 10)).await else {
        panic!("it differs")
    };
    let put = stage.put_record(record("b", 10), Scope::All).await;
    assert_eq!(put, PutRecord::Corrects { item: right, replaced: wrong });
    assert_eq!(stage.work(DONE).await.replaces, Some(wrong));
    // The wrong one may be gone by then.
    let wrong = stage.stored("c").await;
    stage.work(DONE).await;
    stage.advance(8 * DAY).await;
    assert_eq!(stage.store.prune(Retention::default(), 100).await.expect("a pruning").items, 4);
    let put = stage.put_record(record("c", 10), Scope::All).await;
    assert!(matches!(put, PutRecord::Corrects { replaced, .. } if replaced == wrong), "{put:?}");
}

/// What contradicts it is rejected.
pub async fn what_was_done_rightly_stays_by_its_record(stage: Stage) {
    let right = stage.stored("a").await;
    stage.work(DONE).await;
    assert_eq!(stage.put_record(record("a", 9), Scope::All).await, PutRecord::Known);
    let Put::Disputed { item: forged, .. } = stage.put(item("a", 10)).await else {
        panic!("it differs")
    };
    assert_eq!(stage.put_record(record("a", 9), Scope::All).await, PutRecord::Known);
    assert_eq!(stage.done_as(forged).await, Some(DoneAs::Rejected));
    assert_eq!(stage.done_as(right).await, Some(DoneAs::Handled));
    assert!(stage.leased().await.is_empty());
    assert_eq!(stage.put(item("a", 11)).await, Put::Duplicate, "it is decided");
}

/// Nobody is billed by two at once.
pub async fn what_is_worked_is_left_to_the_next_record(stage: Stage) {
    let id = stage.stored("a").await;
    let leased = stage.one().await;
    assert_eq!(stage.put_record(record("a", 9), Scope::All).await, PutRecord::Known);
    assert_eq!(stage.put_record(record("a", 10), Scope::All).await, PutRecord::Differs);
    assert!(stage.settle(leased.lease, DONE).await);
    let put = stage.put_record(record("a", 10), Scope::All).await;
    assert!(matches!(put, PutRecord::Corrects { replaced, .. } if replaced == id), "{put:?}");
}

/// A handler or a person has decided.
pub async fn what_was_put_away_stays_so(stage: Stage) {
    let id = stage.stored("a").await;
    stage.work(dead()).await;
    assert_eq!(stage.put_record(record("a", 10), Scope::All).await, PutRecord::Differs);
    assert_eq!(stage.state(id).await, State::Dead);
    assert_eq!(stage.store.discard(vec![id]).await.expect("a discard"), [true]);
    assert_eq!(stage.put_record(record("a", 9), Scope::All).await, PutRecord::Known);
    assert_eq!(stage.done_as(id).await, Some(DoneAs::Discarded));
}

/// A record that says itself that it does not tell what to bill.
pub async fn a_record_that_does_not_tell_decides_nothing(stage: Stage) {
    let unclear = |call_id| record_of(ended(call_id, 9).with_result("Cancel"));
    let id = stage.confirming("a").await;
    assert_eq!(stage.put_record(unclear("a"), Scope::All).await, PutRecord::Known);
    assert_eq!(stage.state(id).await, State::Confirming);
    let PutRecord::Stored(id) = stage.put_record(unclear("b"), Scope::All).await else {
        panic!("it is not known")
    };
    let error = "undecidable".to_owned();
    let leased = stage.work(Outcome::Undecidable { error }).await;
    assert_eq!(leased.lease.item, id);
    let dead = stage.get(id).await;
    assert_eq!((dead.state, dead.attempts), (State::Dead, 0));
    assert_eq!(dead.confirmation, Some(Confirmation::Undecidable));
    assert_eq!(stage.put_record(record("b", 9), Scope::All).await, PutRecord::Confirmed(id));
    assert_eq!(stage.one().await.record, Some(record("b", 9).body));
}

/// With keys of all kinds, and one of them twice.
pub async fn records_come_in_batches(stage: Stage) {
    let known = stage.stored("c").await;
    stage.work(DONE).await;
    let waits = stage.confirming("d").await;
    let batch = ["a", "b", "a", "c", "d"].map(|call| record(call, 9));
    let put = stage.store.put_records(batch.to_vec(), Scope::All).await.expect("a put");
    let [PutRecord::Stored(a), PutRecord::Stored(b), rest @ ..] = &put[..] else {
        panic!("{put:?}")
    };
    assert_eq!(rest, [PutRecord::Known, PutRecord::Known, PutRecord::Confirmed(waits)]);
    let mut leased = stage.leased_ids().await;
    leased.sort_unstable();
    let mut all = [*a, *b, waits];
    all.sort_unstable();
    assert_eq!(leased, all);
    assert_eq!(stage.state(known).await, State::Done);
    assert!(stage.store.put_records(Vec::new(), Scope::All).await.expect("a put").is_empty());
}

/// By one at a time, who cannot say anything too late.
pub async fn a_record_is_asked_for_after_five_seconds(stage: Stage) {
    let id = stage.confirming("a").await;
    let asked = stage.ask(100).await;
    assert!(asked.items.is_empty());
    assert_eq!(asked.next, Some(FIRST_ASKED));
    stage.advance(FIRST_ASKED).await;
    let asked = stage.ask(100).await;
    let [item] = &asked.items[..] else { panic!("one item") };
    assert_eq!((item.lease.item, &*item.call_id), (id, "a"));
    assert_eq!((item.waiting_for, item.missing_for), (FIRST_ASKED, None));
    // Nobody else gets it meanwhile.
    assert!(stage.asked_ids().await.is_empty());
    stage.advance(TERM).await;
    let again = stage.ask(100).await.items;
    let answers = vec![(item.lease, give_up())];
    assert_eq!(stage.store.answer(answers).await.expect("an answer"), [false], "it is too late");
    assert_eq!(again.len(), 1);
    assert_eq!(stage.state(id).await, State::Confirming);
}

/// For as long as somebody wants to; and it is taken up if its record is found after all.
pub async fn what_is_missing_is_asked_for_again(stage: Stage) {
    let id = stage.confirming("a").await;
    stage.advance(FIRST_ASKED).await;
    let error = "it is down".to_owned();
    stage.answer(Answer::Later { after: SECOND, error }).await;
    assert_eq!(stage.get(id).await.last_error.as_deref(), Some("it is down"));
    stage.advance(SECOND).await;
    stage.answer(missing(10 * SECOND)).await;
    stage.advance(9 * SECOND).await;
    let asked = stage.ask(100).await;
    assert!(asked.items.is_empty());
    assert_eq!(asked.next, Some(SECOND));
    stage.advance(SECOND).await;
    let [item] = stage.ask(100).await.items.try_into().expect("one item");
    assert_eq!(item.missing_for, Some(10 * SECOND), "since it was said for the first time");
    let kept = stage.store.answer(vec![(item.lease, missing(HOUR))]).await.expect("an answer");
    assert_eq!(kept, [true]);
    stage.advance(HOUR).await;
    stage.answer(give_up()).await;
    let dead = stage.get(id).await;
    assert_eq!((dead.state, dead.attempts), (State::Dead, 0));
    assert_eq!(dead.confirmation, Some(Confirmation::Missing));
    assert_eq!(dead.last_error.as_deref(), Some("no such call, for an hour"));
    assert!(stage.asked_ids().await.is_empty());
    // Found after all.
    assert_eq!(stage.put_record(record("a", 9), Scope::All).await, PutRecord::Confirmed(id));
    let leased = stage.one().await;
    assert_eq!((leased.attempt, leased.confirmation), (1, None));
    assert_eq!(stage.get(id).await.last_error, None);
}

/// One whose call the vendor does not know is left to a person.
pub async fn disputes_are_asked_about(stage: Stage) {
    let first = stage.stored("a").await;
    stage.advance(SECOND).await;
    let Put::Disputed { item: second, .. } = stage.put(item("a", 10)).await else {
        panic!("it differs")
    };
    stage.advance(FIRST_ASKED).await;
    let mut asked = stage.ask(100).await.items;
    asked.sort_by_key(|item| item.lease.item);
    let ids: Vec<_> = asked.iter().map(|item| item.lease.item).collect();
    assert_eq!(ids, [first, second]);
    let answers = asked.iter().map(|item| (item.lease, give_up())).collect();
    assert_eq!(stage.store.answer(answers).await.expect("an answer"), [true, true]);
    // A person decides what the vendor does not know.
    assert_eq!(stage.state(second).await, State::Disputed);
    stage.advance(DAY).await;
    assert!(stage.asked_ids().await.is_empty());
    assert_eq!(stage.put_record(record("a", 10), Scope::All).await, PutRecord::Confirmed(second));
}

/// The vendor has no record of how a call began.
pub async fn only_the_end_of_a_call_is_asked_about(stage: Stage) {
    let started = |user| {
        let call = CallStarted::new("a").with_members([Member::new(user)]);
        NewItem::of(&super::deliver(APP, &Request::new(APP, call)))
    };
    assert!(matches!(stage.put(started("10001")).await, Put::Stored(_)));
    assert!(matches!(stage.put(started("10002")).await, Put::Disputed { .. }));
    stage.advance(DAY).await;
    assert!(stage.asked_ids().await.is_empty());
    // Nor those of another app.
    stage.confirming("b").await;
    stage.advance(DAY).await;
    let other = AskRequest::new(SdkAppId::new(APP + 1), 100, RATE, TERM);
    assert!(stage.store.ask(other).await.expect("a question").items.is_empty());
}

/// Of so many a second, which all who share the store share.
pub async fn questions_have_a_budget(stage: Stage) {
    for call in 0..30 {
        stage.stored(&call.to_string()).await;
    }
    for item in stage.leased().await {
        assert!(stage.settle(item.lease, Outcome::AskRecord).await);
    }
    stage.advance(DAY).await;
    let ask = |limit| AskRequest::new(APP.into(), limit, 10, HOUR);
    let asked = stage.store.ask(ask(4)).await.expect("a question");
    assert_eq!((asked.items.len(), asked.next), (4, Some(Duration::ZERO)));
    let asked = stage.other.ask(ask(100)).await.expect("a question");
    assert_eq!((asked.items.len(), asked.next), (6, Some(SECOND / 10)), "it is shared");
    stage.advance(SECOND / 2).await;
    assert_eq!(stage.store.ask(ask(100)).await.expect("a question").items.len(), 5);
    stage.advance(DAY).await;
    let asked = stage.store.ask(ask(100)).await.expect("a question");
    assert_eq!(asked.items.len(), 10, "no more than a second's worth is saved up");
    assert_eq!(asked.next, Some(SECOND / 10));
    stage.set_back(DAY).await;
    let asked = stage.store.ask(ask(100)).await.expect("a question");
    assert_eq!(asked.items.len(), 10, "a clock that is set back locks nobody out");
}

/// It is due at once.
pub async fn a_clock_that_is_set_back_holds_no_question_up(stage: Stage) {
    let id = stage.confirming("a").await;
    stage.set_back(DAY).await;
    assert_eq!(stage.asked_ids().await, [id]);
}

/// Until its lease ends or it gives up, and only it says how far it got.
pub async fn one_owner_reconciles_an_app(stage: Stage) {
    assert_eq!(stage.lead(OWNER, TERM).await, Some(Lead::default()));
    assert_eq!(stage.lead(OTHER, TERM).await, None);
    assert!(stage.keep_progress(OWNER, "far").await);
    assert!(!stage.keep_progress(OTHER, "farther").await);
    stage.advance(TERM / 2).await;
    let progress = Some("far".to_owned());
    assert_eq!(stage.lead(OWNER, TERM).await, Some(Lead { progress: progress.clone() }));
    stage.advance(TERM / 2).await;
    assert_eq!(stage.lead(OTHER, TERM).await, None, "it was renewed");
    stage.advance(TERM / 2).await;
    assert!(!stage.keep_progress(OWNER, "late").await);
    assert_eq!(stage.lead(OTHER, TERM).await, Some(Lead { progress: progress.clone() }));
    assert_eq!(stage.lead(OWNER, TERM).await, None);
    assert!(stage.lead(OTHER, Duration::ZERO).await.is_some(), "it is given up");
    assert_eq!(stage.lead(OWNER, TERM).await, Some(Lead { progress }));
    stage.set_back(DAY).await;
    assert!(stage.lead(OTHER, TERM).await.is_some(), "a clock that is set back locks nobody out");
    // Another app is another matter.
    let other = stage.other.lead(SdkAppId::new(APP + 1), OWNER, TERM).await.expect("a lead");
    assert_eq!(other, Some(Lead::default()));
}

/// Nobody asks for the record of what a person has decided.
pub async fn a_person_decides_without_a_record(stage: Stage) {
    let waits = stage.confirming("a").await;
    assert_eq!(stage.store.resolve(waits).await.expect("a decision"), Resolved::Waits);
    let leased = stage.work(DONE).await;
    assert_eq!(leased.confirmation, Some(Confirmation::Resolved));
    assert_eq!((leased.attempt, leased.record), (1, None));

    let unknown = stage.confirming("b").await;
    stage.advance(FIRST_ASKED).await;
    stage.answer(give_up()).await;
    assert_eq!(stage.store.resolve(unknown).await.expect("a decision"), Resolved::Waits);
    assert_eq!(stage.work(DONE).await.lease.item, unknown);

    stage.stored("c").await;
    let Put::Disputed { item: chosen, .. } = stage.put(item("c", 10)).await else {
        panic!("it differs")
    };
    assert_eq!(stage.store.resolve(chosen).await.expect("a decision"), Resolved::Waits);
    assert_eq!(stage.one().await.confirmation, Some(Confirmation::Resolved));
}

/// It is counted, replayed, discarded and erased.
pub async fn what_waits_for_its_record_can_be_tended(stage: Stage) {
    let id = stage.confirming("a").await;
    let stats = stage.other.stats(None).await.expect("counts");
    assert_eq!((stats.count(State::Confirming), stats.lag()), (1, Duration::ZERO));
    assert_eq!(stage.store.replay(vec![id]).await.expect("a replay"), [true]);
    assert_eq!(stage.work(Outcome::AskRecord).await.lease.item, id);
    stage.advance(FIRST_ASKED).await;
    stage.answer(give_up()).await;
    assert_eq!(stage.store.replay(vec![id]).await.expect("a replay"), [true]);
    assert_eq!(stage.get(id).await.confirmation, None, "it is asked for anew");
    stage.work(Outcome::AskRecord).await;
    assert_eq!(stage.asked_ids().await, [id]);
    assert_eq!(stage.store.discard(vec![id]).await.expect("a discard"), [true]);
    stage.advance(DAY).await;
    assert!(stage.asked_ids().await.is_empty());

    let id = stage.confirming("b").await;
    assert_eq!(stage.put_record(record("b", 9), Scope::All).await, PutRecord::Confirmed(id));
    stage.work(DONE).await;
    assert_eq!(stage.store.erase(vec![id]).await.expect("an erasure"), [true]);
    let erased = stage.get(id).await;
    assert_eq!((erased.body, erased.record), (None, None));
}

/// The attempt that waits for its record is none, and a dispute ends the wait.
pub async fn waiting_for_a_record_costs_nothing(stage: Stage) {
    let first = stage.confirming("a").await;
    let later = match stage
        .put(NewItem::of(&super::deliver(APP, &Request::new(APP, CallStarted::new("a")))))
        .await
    {
        Put::Stored(id) => id,
        put => panic!("{put:?}"),
    };
    let mut in_order = super::LeaseRequest::new(OWNER, 100, TERM, MAX_LOST);
    in_order.ordered_by_call = true;
    assert!(
        stage.lease_as(in_order.clone()).await.items.is_empty(),
        "it has its place in the order"
    );
    assert_eq!(stage.put_record(record("a", 9), Scope::All).await, PutRecord::Confirmed(first));
    stage.lease_as(in_order).await;
    assert_eq!(stage.state(later).await, State::Waiting);

    let waits = stage.confirming_beside("b", later).await;
    assert!(matches!(stage.put(item("b", 10)).await, Put::Disputed { after_done: false, .. }));
    assert_eq!(stage.state(waits).await, State::Disputed);
}

impl Stage {
    /// An item that waits for its record, while another one waits for a worker.
    async fn confirming_beside(&self, call_id: &str, other: ItemId) -> ItemId {
        let id = self.stored(call_id).await;
        for leased in self.leased().await {
            let outcome =
                if leased.lease.item == other { Outcome::GiveBack } else { Outcome::AskRecord };
            assert!(self.settle(leased.lease, outcome).await);
        }
        id
    }
}
