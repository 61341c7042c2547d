//! Calls whose callback never came are found, and those that came are confirmed: over hours and days, with a
//! clock that is moved by hand.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use conformance::vendor::{Mood, Vendor, record};
use trtc_call_inbox::{
    Acceptance, Clock, Confirm, Confirmation, Filter, Inbox, Item, ItemId, Job, JobError,
    MemoryInbox, Retention, Source, State, WorkerBuilder,
};
use trtc_call_reconcile::{Error, Reconcile, Report};
use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{CallEnded, SdkApp, SdkAppId, Token, Undecoded, UnixSeconds, Verifier};

const APP: u64 = 1_400_000_001;
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A server with an inbox, a worker that bills, and a vendor to ask.
struct Stage {
    vendor: Vendor,
    clock: Clock,
    inbox: Inbox,
    reconcile: Reconcile,
    bills: Arc<Mutex<Vec<Bill>>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Bill {
    call_id: String,
    seconds: u64,
    /// What the callback said.
    received: Option<u64>,
    replaces: Option<ItemId>,
}

fn bill(call_id: &str, seconds: u64, received: Option<u64>) -> Bill {
    Bill { call_id: call_id.to_owned(), seconds, received, replaces: None }
}

impl Stage {
    async fn new(confirm: Confirm) -> Self {
        let (vendor, clock) = (Vendor::start().await, Clock::manual());
        let inbox = Inbox::from(MemoryInbox::with_clock(clock.clone()));
        let client = vendor.client(APP, &clock);
        let reconcile = Reconcile::new(inbox.clone()).app(client).confirm(confirm);
        Self { vendor, clock, inbox, reconcile, bills: Arc::default() }
    }

    fn worker(&self) -> WorkerBuilder {
        let bills = Arc::clone(&self.bills);
        self.reconcile.worker().on(move |job: Job<CallEnded>| {
            let seconds = |call: &CallEnded| call.billing().seconds();
            let received = job.received();
            let bill = Bill {
                call_id: job.call_id.clone(),
                seconds: seconds(&job).unwrap_or(u64::MAX),
                received: received.as_ref().map(|call| seconds(call).unwrap_or(u64::MAX)),
                replaces: job.replaces(),
            };
            bills.lock().unwrap().push(bill);
            async { Ok::<_, String>(()) }
        })
    }

    /// Works all that is due, and gives what was billed by that.
    async fn bills(&self) -> Vec<Bill> {
        self.worker().run_due().await.unwrap();
        std::mem::take(&mut self.bills.lock().unwrap())
    }

    async fn asks(&self) -> usize {
        self.reconcile.ask_due().await.unwrap()
    }

    /// A call that ended just now, as its callback says.
    async fn arrives(&self, call_id: &str, seconds: i64) -> Acceptance {
        self.accept(Request::new(APP, self.ended(call_id, seconds)), SdkApp::unsigned(APP)).await
    }

    async fn arrives_signed(&self, call_id: &str, seconds: i64) -> Acceptance {
        let request = Request::new(APP, self.ended(call_id, seconds));
        let request = request.signed(&Token::new("token"), SystemTime::now());
        self.accept(request, SdkApp::signed(APP, "token")).await
    }

    async fn accept(&self, request: Request, app: SdkApp) -> Acceptance {
        let verifier = Verifier::builder().app(app).build().unwrap();
        let delivery = request.deliver_to::<Undecoded>(&verifier).unwrap().unwrap();
        self.inbox.accept(&delivery).await
    }

    fn ended(&self, call_id: &str, seconds: i64) -> CallEnded {
        let end = UnixSeconds::from(self.clock.now()).get();
        let call = CallEnded::new(call_id).with_caller("10001").with_members(["10001", "10002"]);
        call.with_result("NormalEnd").with_accept_time(end - seconds).with_end_time(end)
    }

    /// The vendor has a call that ended so long ago.
    fn has_record(&self, call_id: &str, ago: Duration, seconds: u64) {
        self.vendor.knows(record(call_id, self.clock.now() - ago, seconds));
    }

    async fn run(&self, since: Duration) -> Report {
        let now = self.clock.now();
        self.reconcile.run(now - since..now).await.unwrap()
    }

    async fn item(&self, call_id: &str) -> Item {
        let filter = Filter::all().call_id(call_id);
        let [item] = self.inbox.list(filter, 9).await.unwrap().try_into().unwrap();
        item
    }

    async fn count(&self, state: State) -> u64 {
        self.inbox.stats(None).await.unwrap().count(state)
    }

    /// Waits until all that the vendor keeps was read.
    async fn until_read(&self) {
        let app = SdkAppId::new(APP);
        conformance::driver::in_time(async {
            loop {
                let lead = self.inbox.store().lead(app, 1, SECOND).await.unwrap();
                if lead.is_some() {
                    self.inbox.store().lead(app, 1, Duration::ZERO).await.unwrap();
                }
                let progress = lead.and_then(|lead| lead.progress).unwrap_or_default();
                if progress.contains(r#""read_all":1"#) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// Asks for so long, whenever something may be due.
    async fn asks_for(&self, time: Duration) {
        let end = self.clock.now() + time;
        while self.clock.now() < end {
            self.clock.advance(MINUTE);
            self.asks().await;
        }
    }
}

#[tokio::test]
async fn a_call_whose_callback_never_came_is_billed() {
    let stage = Stage::new(Confirm::Never).await;
    stage.has_record("lost", HOUR, 140);
    assert!(stage.arrives("came", 30).await.is_durable());
    stage.has_record("came", Duration::ZERO, 30);
    stage.clock.advance(11 * MINUTE);
    // Its callback may still be on its way.
    stage.has_record("fresh", 9 * MINUTE, 7);
    let mut going_on = record("going on", stage.clock.now(), 60);
    going_on["EndTime"] = 0.into();
    stage.vendor.knows(going_on);
    let report = stage.run(DAY).await;
    assert_eq!((report.records, report.known, report.too_fresh), (4, 1, 2));
    assert_eq!(report.found.len(), 1);
    assert_eq!(stage.item("lost").await.source, Source::Record);
    assert_eq!(stage.bills().await, [bill("came", 30, Some(30)), bill("lost", 140, None)]);
    // It comes after all, and says something else.
    assert!(matches!(stage.arrives("lost", 900).await, Acceptance::Duplicate));
    stage.clock.advance(8 * DAY);
    stage.inbox.prune(Default::default()).await.unwrap();
    assert!(matches!(stage.arrives("lost", 900).await, Acceptance::Duplicate));
    assert_eq!(stage.bills().await, []);
}

#[tokio::test]
async fn calls_of_before_are_somebody_elses() {
    let stage = Stage::new(Confirm::Never).await;
    stage.has_record("before", 3 * HOUR, 140);
    stage.has_record("since", HOUR, 140);
    // It began before.
    stage.has_record("long", HOUR, 2 * 24 * 60 * 60);
    let report = stage.run(2 * HOUR).await;
    assert_eq!((report.records, report.found.len()), (2, 2));
    let now = stage.clock.now();
    let report = stage.reconcile.run(now - 4 * HOUR..now - 2 * HOUR).await.unwrap();
    assert_eq!((report.records, report.found.len()), (1, 1), "whoever asks decides");
}

#[tokio::test]
async fn a_record_of_a_known_call_changes_nothing_unless_it_is_to_be_confirmed() {
    let stage = Stage::new(Confirm::Never).await;
    let _ = stage.arrives("a", 900).await;
    assert_eq!(stage.bills().await, [bill("a", 900, Some(900))]);
    stage.has_record("a", Duration::ZERO, 30);
    stage.clock.advance(HOUR);
    let report = stage.run(DAY).await;
    assert_eq!((report.differing, report.corrections.len()), (1, 0));
    assert_eq!(stage.bills().await, []);
}

#[tokio::test]
async fn every_callback_is_confirmed_before_it_is_billed() {
    let stage = Stage::new(Confirm::Always).await;
    let _ = stage.arrives_signed("a", 900).await;
    assert_eq!(stage.bills().await, []);
    let waits = stage.item("a").await;
    assert_eq!((waits.state, waits.attempts), (State::Confirming, 0));
    stage.has_record("a", Duration::ZERO, 30);
    stage.clock.advance(4 * SECOND);
    assert_eq!(stage.asks().await, 0, "the vendor does not have it before");
    stage.clock.advance(SECOND);
    assert_eq!(stage.asks().await, 1);
    assert_eq!(stage.bills().await, [bill("a", 30, Some(900))]);
    // What comes later is not asked about.
    assert!(matches!(stage.arrives("a", 7).await, Acceptance::Duplicate));
    assert_eq!(stage.vendor.looked_up(), ["a"]);
}

#[tokio::test]
async fn what_the_vendor_does_not_know_for_an_hour_is_forged() {
    let stage = Stage::new(Confirm::Always).await;
    let _ = stage.arrives("forged", 900).await;
    assert_eq!(stage.bills().await, []);
    stage.asks_for(HOUR - MINUTE).await;
    assert_eq!(stage.item("forged").await.state, State::Confirming);
    let asked = stage.vendor.looked_up().len();
    assert!((10..30).contains(&asked), "rarer and rarer: {asked}");
    stage.asks_for(10 * MINUTE).await;
    let dead = stage.item("forged").await;
    assert_eq!((dead.state, dead.attempts), (State::Dead, 0));
    assert_eq!(dead.confirmation, Some(Confirmation::Missing));
    assert!(dead.last_error.unwrap().starts_with("unconfirmed"));
    drop(stage.vendor.looked_up());
    stage.asks_for(DAY).await;
    assert_eq!(stage.vendor.looked_up(), [""; 0], "it is not asked about any more");
    assert_eq!(stage.bills().await, []);
    // It was true: the vendor was late.
    stage.has_record("forged", DAY, 30);
    assert_eq!(stage.run(2 * DAY).await.confirmed.len(), 1);
    assert_eq!(stage.bills().await, [bill("forged", 30, Some(900))]);
}

#[tokio::test]
async fn a_valid_signature_is_enough_where_unsigned_callbacks_are_confirmed() {
    let stage = Stage::new(Confirm::Unsigned).await;
    let _ = stage.arrives_signed("signed", 30).await;
    let _ = stage.arrives("unsigned", 30).await;
    assert_eq!(stage.bills().await, [bill("signed", 30, Some(30))]);
    assert_eq!(stage.item("unsigned").await.state, State::Confirming);
}

#[tokio::test]
async fn a_forged_bill_is_corrected_when_the_true_callback_comes() {
    let stage = Stage::new(Confirm::Disputed).await;
    let _ = stage.arrives("a", 900).await;
    assert_eq!(stage.bills().await, [bill("a", 900, Some(900))]);
    let forged = stage.item("a").await.id;
    stage.has_record("a", Duration::ZERO, 30);
    assert!(matches!(stage.arrives("a", 30).await, Acceptance::Disputed));
    stage.clock.advance(5 * SECOND);
    stage.asks().await;
    let corrected = Bill { replaces: Some(forged), ..bill("a", 30, Some(30)) };
    assert_eq!(stage.bills().await, [corrected]);
    assert_eq!(stage.count(State::Disputed).await, 0);
    // The record comes first.
    let _ = stage.arrives("b", 900).await;
    stage.bills().await;
    let forged = stage.item("b").await.id;
    stage.has_record("b", Duration::ZERO, 30);
    stage.clock.advance(HOUR);
    assert_eq!(stage.run(DAY).await.corrections.len(), 1);
    let corrected = Bill { replaces: Some(forged), ..bill("b", 30, None) };
    assert_eq!(stage.bills().await, [corrected]);
    assert!(matches!(stage.arrives("b", 30).await, Acceptance::Duplicate));
    assert_eq!(stage.run(DAY).await.corrections, [], "once");
}

#[tokio::test]
async fn a_forgery_beside_the_true_callback_is_rejected() {
    let stage = Stage::new(Confirm::Disputed).await;
    stage.has_record("a", Duration::ZERO, 30);
    for seconds in [900, 30, 7] {
        let _ = stage.arrives("a", seconds).await;
    }
    assert_eq!(stage.bills().await, []);
    stage.clock.advance(5 * SECOND);
    stage.asks().await;
    assert_eq!(stage.vendor.looked_up(), ["a"], "a call is asked about once");
    assert_eq!(stage.bills().await, [bill("a", 30, Some(30))]);
    assert_eq!(stage.count(State::Done).await, 3);
}

#[tokio::test]
async fn a_callback_that_does_not_tell_is_asked_about() {
    let stage = Stage::new(Confirm::Disputed).await;
    let unclear = stage.ended("a", 30).with_result("Cancel");
    let unclear = Request::new(APP, unclear);
    assert!(stage.accept(unclear, SdkApp::unsigned(APP)).await.is_durable());
    assert_eq!(stage.bills().await, []);
    stage.has_record("a", Duration::ZERO, 30);
    stage.clock.advance(5 * SECOND);
    stage.asks().await;
    assert_eq!(stage.bills().await, [bill("a", 30, Some(u64::MAX))]);
}

#[tokio::test]
async fn a_record_that_does_not_tell_either_is_for_a_person() {
    let stage = Stage::new(Confirm::Always).await;
    let _ = stage.arrives("a", 30).await;
    stage.bills().await;
    let mut unclear = record("a", stage.clock.now(), 30);
    unclear["CallResult"] = "Cancel".into();
    stage.vendor.knows(unclear.clone());
    stage.clock.advance(5 * SECOND);
    stage.asks().await;
    let dead = stage.item("a").await;
    assert_eq!((dead.state, dead.confirmation), (State::Dead, Some(Confirmation::Undecidable)));
    assert!(dead.last_error.unwrap().starts_with("undecidable"));
    // One that never came is no better. Its callback may be, and is waited for.
    unclear["CallId"] = "b".into();
    unclear["AcceptTime"] = unclear["EndTime"].clone();
    stage.vendor.knows(unclear);
    stage.clock.advance(HOUR);
    assert_eq!(stage.run(DAY).await.unclear, 2);
    stage.clock.advance(DAY);
    assert_eq!(stage.run(2 * DAY).await.found.len(), 1);
    assert_eq!(stage.bills().await, []);
    assert_eq!(stage.item("b").await.confirmation, Some(Confirmation::Undecidable));
    // The vendor has finished it.
    for call in ["a", "b"] {
        stage.has_record(call, HOUR, 30);
    }
    assert_eq!(stage.run(2 * DAY).await.confirmed.len(), 2);
    assert_eq!(stage.bills().await.len(), 2);
}

#[tokio::test]
async fn a_vendor_that_is_silent_says_nothing_about_a_call() {
    let moods = [Mood::Down, Mood::Refuses(60_011), Mood::Refuses(101_001), Mood::Refuses(70_003)];
    for mood in moods {
        let stage = Stage::new(Confirm::Always).await;
        let _ = stage.arrives("a", 30).await;
        stage.bills().await;
        stage.vendor.is(mood);
        stage.asks_for(2 * HOUR).await;
        let now = stage.clock.now();
        assert!(matches!(stage.reconcile.run(now - DAY..now).await, Err(Error::Vendor(_))));
        assert_eq!(stage.item("a").await.state, State::Confirming, "{mood:?}");
        assert!(stage.item("a").await.last_error.unwrap().contains("could not be asked"));
        stage.vendor.is(Mood::Well);
        stage.has_record("a", 2 * HOUR, 30);
        stage.asks_for(HOUR).await;
        assert_eq!(stage.bills().await, [bill("a", 30, Some(30))], "{mood:?}");
    }
}

#[tokio::test]
async fn what_is_too_old_to_confirm_is_never_called_forged() {
    let stage = Stage::new(Confirm::Always).await;
    let _ = stage.arrives("a", 30).await;
    stage.bills().await;
    stage.vendor.is(Mood::Down);
    stage.asks_for(HOUR).await;
    stage.clock.advance(7 * DAY);
    stage.vendor.is(Mood::Well);
    stage.asks().await;
    let dead = stage.item("a").await;
    assert_eq!((dead.state, dead.confirmation), (State::Dead, Some(Confirmation::TooOld)));
    assert!(dead.last_error.unwrap().starts_with("too old to confirm"));
    // A person knows better.
    stage.inbox.resolve(dead.id).await.unwrap();
    assert_eq!(stage.bills().await, [bill("a", 30, Some(30))]);
}

#[tokio::test]
async fn a_backlog_reads_the_records_of_its_time_first() {
    let stage = Stage::new(Confirm::Always).await;
    for call in 0..250 {
        let call = call.to_string();
        let _ = stage.arrives(&call, 900).await;
        stage.has_record(&call, Duration::ZERO, 30);
    }
    let _ = stage.arrives("forged", 900).await;
    assert_eq!(stage.bills().await, []);
    stage.clock.advance(HOUR);
    stage.asks_for(10 * MINUTE).await;
    let billed = stage.bills().await;
    assert_eq!(billed.len(), 250);
    assert!(billed.iter().all(|bill| bill.seconds == 30));
    let looked_up = stage.vendor.looked_up();
    assert!(looked_up.iter().all(|call| call == "forged"), "{looked_up:?}");
    assert!(!stage.vendor.spans().is_empty());
}

/// Those that are forged, or wait for long, hold up nobody.
#[tokio::test]
async fn a_true_call_does_not_wait_for_a_flood_of_forged_ones() {
    let mut stage = Stage::new(Confirm::Always).await;
    stage.reconcile = stage.reconcile.look_ups_per_second(1);
    for call in 0..500 {
        let _ = stage.arrives(&format!("forged {call}"), 900).await;
    }
    assert_eq!(stage.bills().await, []);
    stage.clock.advance(MINUTE);
    let _ = stage.arrives("true", 30).await;
    stage.bills().await;
    stage.has_record("true", Duration::ZERO, 30);
    stage.clock.advance(5 * SECOND);
    assert_eq!(stage.asks().await, 1, "the budget of a second");
    stage.asks_for(10 * MINUTE).await;
    assert_eq!(stage.bills().await, []);
    // As a server does every few minutes.
    stage.run(HOUR).await;
    assert_eq!(stage.bills().await, [bill("true", 30, Some(30))]);
    assert_eq!(stage.count(State::Confirming).await, 500);
}

/// It goes on where it was, also in another process, and one process does it at a time.
#[tokio::test]
async fn reconciling_goes_on_where_it_was() {
    let stage = Stage::new(Confirm::Never).await;
    stage.has_record("lost", HOUR, 140);
    let rival = Reconcile::new(stage.inbox.clone()).app(stage.vendor.client(APP, &stage.clock));
    let (running, rival) = (stage.reconcile.clone().start(), rival.start());
    let found = || async { !stage.inbox.list(Filter::all(), 9).await.unwrap().is_empty() };
    conformance::driver::in_time(async {
        while !found().await {
            tokio::task::yield_now().await;
        }
    })
    .await;
    stage.until_read().await;
    running.stop(10 * SECOND).await;
    rival.stop(10 * SECOND).await;
    let spans: Vec<i64> = stage.vendor.spans().iter().map(|(from, to)| to - from).collect();
    let all = 7 * 24 * 60 * 60;
    assert_eq!(spans, [2 * 60 * 60, all], "the last ones first, then all that the vendor keeps");
    // Another process, later.
    stage.clock.advance(30 * MINUTE);
    stage.has_record("lost too", HOUR / 2, 7);
    let client = stage.vendor.client(APP, &stage.clock);
    let other = Reconcile::new(stage.inbox.clone()).app(client).start();
    conformance::driver::in_time(async {
        while stage.inbox.list(Filter::all(), 9).await.unwrap().len() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let [(from, to)] = stage.vendor.spans()[..] else { panic!("one span") };
    assert_eq!(to - from, 2 * 60 * 60 + 30 * 60, "since then, and some more");
    other.stop(10 * SECOND).await;
}

/// Nobody stops the others by a call id that the vendor does not like.
#[tokio::test]
async fn a_question_that_is_refused_is_put_off_alone() {
    let stage = Stage::new(Confirm::Always).await;
    for call in 0..150 {
        let _ = stage.arrives(&format!("poison {call}"), 900).await;
    }
    let _ = stage.arrives("true", 30).await;
    stage.has_record("true", Duration::ZERO, 30);
    stage.bills().await;
    stage.clock.advance(5 * SECOND);
    stage.asks().await;
    stage.clock.advance(SECOND);
    stage.asks().await;
    assert_eq!(stage.bills().await, [bill("true", 30, Some(30))]);
    assert_eq!(stage.count(State::Confirming).await, 150);
}

/// A wrong clock ends by itself.
#[tokio::test]
async fn what_is_missing_since_tomorrow_is_missing_since_now() {
    let stage = Stage::new(Confirm::Always).await;
    stage.clock.advance(DAY);
    let _ = stage.arrives("forged", 900).await;
    stage.bills().await;
    stage.clock.advance(5 * SECOND);
    stage.asks().await;
    stage.clock.set_back(DAY);
    stage.asks_for(HOUR + 10 * MINUTE).await;
    let asked = stage.vendor.looked_up().len();
    assert!(asked < 40, "{asked}");
    assert_eq!(stage.item("forged").await.state, State::Dead);
}

#[tokio::test]
async fn a_record_without_an_end_is_waited_for() {
    let stage = Stage::new(Confirm::Always).await;
    for call in ["a", "b"] {
        let _ = stage.arrives(call, 30).await;
        let mut going_on = record(call, stage.clock.now(), 30);
        going_on["EndTime"] = 0.into();
        stage.vendor.knows(going_on);
    }
    stage.bills().await;
    stage.asks_for(30 * MINUTE).await;
    assert_eq!(stage.count(State::Confirming).await, 2);
    stage.has_record("a", HOUR / 2, 30);
    stage.asks_for(HOUR).await;
    assert_eq!(stage.bills().await, [bill("a", 30, Some(30))]);
    assert_eq!(stage.item("b").await.confirmation, Some(Confirmation::Undecidable));
}

/// The vendor may change its mind, and what a newer correction has overtaken stays so.
#[tokio::test]
async fn a_correction_that_was_overtaken_is_not_replayed() {
    let stage = Stage::new(Confirm::Disputed).await;
    let _ = stage.arrives("a", 900).await;
    stage.bills().await;
    stage.has_record("a", Duration::ZERO, 30);
    stage.clock.advance(HOUR);
    let [dead] = stage.run(DAY).await.corrections.try_into().unwrap();
    let worker = stage.reconcile.worker();
    let worker = worker.on(async |_: Job<CallEnded>| Err::<(), _>(JobError::dead("no tariff")));
    assert_eq!(worker.run_due().await.unwrap().dead, 1);
    stage.has_record("a", HOUR, 33);
    stage.run(DAY).await;
    assert_eq!(stage.bills().await.len(), 1);
    assert_eq!(stage.inbox.replay(vec![dead]).await.unwrap(), [false]);
}

/// What was billed and forgotten is not found anew, although clocks differ.
#[tokio::test]
async fn what_the_vendor_is_about_to_forget_is_left_alone() {
    let stage = Stage::new(Confirm::Never).await;
    let _ = stage.arrives("a", 30).await;
    stage.has_record("a", Duration::ZERO, 30);
    stage.bills().await;
    let week = Retention::new(7 * DAY, 7 * DAY);
    stage.clock.advance(7 * DAY + SECOND);
    stage.inbox.prune(week).await.unwrap();
    stage.clock.set_back(10 * SECOND);
    let report = stage.reconcile.catch_up(stage.clock.now() - 7 * DAY).await.unwrap();
    assert_eq!((report.records, report.found.len()), (0, 0));
}

#[tokio::test]
async fn a_clock_that_was_ahead_at_first_leaves_nothing_alone() {
    let stage = Stage::new(Confirm::Never).await;
    stage.clock.advance(300 * DAY);
    stage.reconcile.catch_up(stage.clock.now()).await.unwrap();
    stage.clock.set_back(300 * DAY);
    stage.has_record("lost", HOUR, 30);
    let long_ago = stage.clock.now() - 7 * DAY;
    assert_eq!(stage.reconcile.catch_up(long_ago).await.unwrap().found.len(), 1);
}

#[tokio::test]
async fn a_server_confirms_by_itself() {
    let stage = Stage::new(Confirm::Always).await;
    let worker = stage.worker().start();
    let running = stage.reconcile.clone().start();
    for call in ["a", "b", "c"] {
        stage.has_record(call, Duration::ZERO, 30);
        let _ = stage.arrives(call, 900).await;
    }
    let _ = stage.arrives("forged", 900).await;
    conformance::driver::in_time(async {
        while stage.count(State::Confirming).await < 4 {
            tokio::task::yield_now().await;
        }
        stage.clock.advance(5 * SECOND);
        while stage.count(State::Done).await < 3 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(stage.count(State::Confirming).await, 1);
    running.stop(10 * SECOND).await;
    worker.stop(10 * SECOND).await;
    assert_eq!(stage.bills.lock().unwrap().len(), 3);
}
