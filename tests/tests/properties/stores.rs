//! Whatever is done to them, in whatever order, all stores answer as `MemoryInbox` does, which can be
//! read in one go.

use std::collections::HashSet;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use conformance::postgres::Server;
use conformance::stores::deliver;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::Config;
use tokio::runtime::Builder;
use tokio::sync::OnceCell;
use trtc_call_inbox::store::{
    self, AskRequest, Asked, Lead, Lease, LeaseRequest, Leased, Outcome, Put, PutRecord, Resolved,
    Retention, Scope, Settlement, Store,
};
use trtc_call_inbox::{
    Clock, Confirmation, DoneAs, Filter, Item, ItemId, MemoryInbox, NewItem, Stats,
};
use trtc_call_inbox_postgres::PostgresInbox;
use trtc_call_inbox_sqlite::SqliteInbox;
use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{CallEnded, Delivery, MemberChange, MemberChanged, Undecoded};

use crate::config;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

proptest! {
    #![proptest_config(config())]

    #[test]
    fn sqlite_does_as_memory(steps in vec(step(), 1..60)) {
        let folder = Folder::new();
        let runtime = Builder::new_current_thread().build().unwrap();
        let (memory, sqlite) = runtime.block_on(async {
            let clock = Clock::manual();
            let memory = Play::of(MemoryInbox::with_clock(clock.clone()), clock);
            let clock = Clock::manual();
            // No power is cut here, and waiting for the disk takes most of the time.
            let options = SqliteInbox::options().clock(clock.clone()).insecure_synchronous("OFF");
            let sqlite = Play::of(options.open(folder.0.join("callbacks.db")).unwrap(), clock);
            (memory.run(&steps).await, sqlite.run(&steps).await)
        });
        for (number, (memory, sqlite)) in memory.iter().zip(&sqlite).enumerate() {
            prop_assert_eq!(sqlite, memory, "step {} of {:?}", number, steps);
        }
    }

}

proptest! {
    // Each step goes to a server and back.
    #![proptest_config(Config { cases: config().cases.div_ceil(4), ..config() })]

    #[test]
    fn postgres_does_as_memory(steps in vec(step(), 1..60)) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let played = runtime.block_on(async {
            let postgres = postgres().await?;
            let clock = Clock::manual();
            let memory = Play::of(MemoryInbox::with_clock(clock.clone()), clock);
            let mut play = Play::of(postgres.clone(), Clock::manual());
            play.server = Some(postgres.clone());
            play.tell_server().await;
            let played = (memory.run(&steps).await, play.run(&steps).await);
            postgres.set_test_time(None).await.unwrap();
            assert_eq!(postgres.integrity().await.unwrap(), [""; 0], "{steps:?}");
            Some(played)
        });
        let Some((memory, postgres)) = played else { return Ok(()) };
        for (number, (memory, postgres)) in memory.iter().zip(&postgres).enumerate() {
            prop_assert_eq!(postgres, memory, "step {} of {:?}", number, steps);
        }
    }
}

/// An empty inbox in a database that the cases share.
async fn postgres() -> Option<PostgresInbox> {
    static URL: OnceCell<String> = OnceCell::const_new();
    let server = Server::shared()?;
    let url = URL.get_or_init(|| async { server.database("properties").await.url().to_owned() });
    let postgres = PostgresInbox::connect(url.await).await.unwrap();
    let client = postgres.client().await.unwrap();
    client.batch_execute("TRUNCATE trtc_call.keys, trtc_call.items, trtc_call.apps").await.unwrap();
    drop(client);
    Some(postgres)
}

/// Something that is done to a store. What it is done to is chosen among what there is by then.
#[derive(Clone, Debug)]
enum Step {
    Put(Vec<Body>),
    PutRecords(Vec<Call>, Scope),
    Ask { app: u64, limit: usize, per_second: u32, term: Duration },
    Answer(Vec<(Index, store::Answer)>),
    Lead { app: u64, owner: i64, term: Duration },
    KeepProgress { app: u64, owner: i64, progress: String },
    Lease { owner: i64, limit: usize, max_lost_leases: u32, suspects: bool, ordered_by_call: bool },
    Renew(Vec<Index>, Duration),
    Settle(Vec<(Index, Outcome)>),
    Replay(Vec<Index>),
    Discard(Vec<Index>),
    Resolve(Index),
    Erase(Vec<Index>),
    Prune,
    Advance(Duration),
    SetBack(Duration),
}

/// A body, of a few: they meet again under few keys.
#[derive(Clone, Debug)]
enum Body {
    Ended(Call),
    Changed { call_id: &'static str, event_time: i64 },
    Undecodable(u8),
}

/// A call that ended.
#[derive(Clone, Debug)]
struct Call {
    app: u64,
    call_id: &'static str,
    /// How long it was connected; nobody can bill one that ended before it was accepted.
    seconds: i64,
}

fn step() -> impl Strategy<Value = Step> {
    let items = || vec(any::<Index>(), 1..3);
    let lease = (1..4_i64, 0..5_usize, 1..4_u32, any::<bool>(), any::<bool>()).prop_map(
        |(owner, limit, max_lost_leases, suspects, ordered_by_call)| Step::Lease {
            owner,
            limit,
            max_lost_leases,
            suspects,
            ordered_by_call,
        },
    );
    let ask = (app(), 0..4_usize, 1..4_u32, span())
        .prop_map(|(app, limit, per_second, term)| Step::Ask { app, limit, per_second, term });
    let lead =
        (app(), 1..3_i64, span()).prop_map(|(app, owner, term)| Step::Lead { app, owner, term });
    let keep_progress = (app(), 1..3_i64, "[a-z]{0,2}")
        .prop_map(|(app, owner, progress)| Step::KeepProgress { app, owner, progress });
    let put_records =
        (vec(call(-1..5), 0..4), select(vec![Scope::Unknown, Scope::All, Scope::All]))
            .prop_map(|(calls, scope)| Step::PutRecords(calls, scope));
    prop_oneof![
        4 => vec(body(), 1..4).prop_map(Step::Put),
        2 => put_records,
        4 => ask,
        3 => vec((any::<Index>(), answer()), 1..3).prop_map(Step::Answer),
        1 => lead,
        1 => keep_progress,
        5 => lease,
        1 => (items(), span()).prop_map(|(leases, term)| Step::Renew(leases, term)),
        4 => vec((any::<Index>(), outcome()), 1..3).prop_map(Step::Settle),
        1 => items().prop_map(Step::Replay),
        1 => items().prop_map(Step::Discard),
        2 => any::<Index>().prop_map(Step::Resolve),
        1 => items().prop_map(Step::Erase),
        1 => Just(Step::Prune),
        3 => span().prop_map(Step::Advance),
        1 => span().prop_map(Step::SetBack),
    ]
}

fn app() -> impl Strategy<Value = u64> {
    select(vec![1, 1, u64::MAX])
}

fn call_id() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "A", "b"])
}

fn call(seconds: Range<i64>) -> impl Strategy<Value = Call> {
    (app(), call_id(), seconds).prop_map(|(app, call_id, seconds)| Call { app, call_id, seconds })
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![
        4 => call(1..4).prop_map(Body::Ended),
        2 => (call_id(), 1..4_i64)
            .prop_map(|(call_id, event_time)| Body::Changed { call_id, event_time }),
        1 => (0..2_u8).prop_map(Body::Undecodable),
    ]
}

fn error() -> impl Strategy<Value = String> {
    select(vec!["away".to_owned(), "ä".repeat(512)])
}

fn answer() -> impl Strategy<Value = store::Answer> {
    let why = select(vec![Confirmation::Missing, Confirmation::TooOld, Confirmation::Undecidable]);
    prop_oneof![
        2 => (span(), error()).prop_map(|(after, error)| store::Answer::Missing { after, error }),
        1 => (span(), error()).prop_map(|(after, error)| store::Answer::Later { after, error }),
        1 => (why, error()).prop_map(|(why, error)| store::Answer::GiveUp { why, error }),
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        2 => Just(Outcome::Done(DoneAs::Handled)),
        1 => Just(Outcome::Done(DoneAs::NoHandler)),
        3 => (span(), any::<bool>(), error())
            .prop_map(|(after, counted, error)| Outcome::Retry { after, counted, error }),
        1 => error().prop_map(|error| Outcome::Dead { error }),
        1 => Just(Outcome::GiveBack),
        4 => Just(Outcome::AskRecord),
        1 => error().prop_map(|error| Outcome::Undecidable { error }),
    ]
}

/// Around a lease's term, and around what is kept.
fn span() -> impl Strategy<Value = Duration> {
    prop_oneof![
        6 => (0..40_u32).prop_map(|seconds| seconds * SECOND),
        1 => (0..40_u32).prop_map(|days| days * DAY),
    ]
}

/// A store, and what it has handed out.
struct Play {
    store: Arc<dyn Store>,
    clock: Clock,
    /// The server whose schema has a clock of its own.
    server: Option<PostgresInbox>,
    leases: Vec<Lease>,
    questions: Vec<Lease>,
    /// In the order of their arrival.
    items: Vec<ItemId>,
    /// Those that the vendor has a record of: nobody waits for any other.
    with_record: HashSet<ItemId>,
}

/// What a step has led to. Tokens are chance, and are left out.
#[derive(Debug, PartialEq)]
struct Seen {
    answer: Answer,
    items: Vec<Kept>,
    stats: Stats,
}

#[derive(Debug, PartialEq)]
enum Answer {
    Puts(Vec<Put>),
    PutRecords(Vec<PutRecord>),
    Asked {
        /// The number, the call, since when it waits, and since when it is missing.
        items: Vec<(ItemId, String, Duration, Option<Duration>)>,
        next: Option<Duration>,
    },
    Lead(Option<Lead>),
    Leased {
        items: Vec<Worked>,
        suspects_due: bool,
        next_due: Option<Duration>,
        died: Vec<ItemId>,
    },
    Were(Vec<bool>),
    Resolved(Resolved),
    /// So many items and keys.
    Pruned(u64, u64),
    Nothing,
}

/// What a worker gets.
#[derive(Debug, PartialEq)]
struct Worked {
    item: ItemId,
    attempt: u32,
    since_first_attempt: Duration,
    replaces: Option<ItemId>,
    event_body: Bytes,
    confirmation: Option<Confirmation>,
}

/// An item with all that it says of itself: its `Debug` leaves most of it out.
#[derive(PartialEq)]
struct Kept(Item);

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Item { id, key, state, due_at, attempts, lost_leases, done, replaces, .. } = &self.0;
        let error = self.0.last_error.as_ref().map(String::len);
        let asked = (self.0.record.is_some(), self.0.confirmation);
        (id.get(), key, state, due_at, attempts, lost_leases, error, done, replaces, asked).fmt(f)
    }
}

impl Play {
    fn of(store: impl Store, clock: Clock) -> Self {
        let store = Arc::new(store);
        let (leases, questions, items, with_record) = Default::default();
        Self { store, clock, server: None, leases, questions, items, with_record }
    }

    async fn tell_server(&self) {
        if let Some(server) = &self.server {
            server.set_test_time(Some(self.clock.now())).await.unwrap();
        }
    }

    /// An item by the place of its arrival: stores may leave numbers out.
    fn placed(&self, item: ItemId) -> ItemId {
        let place = self.items.iter().position(|known| *known == item).expect("a known item");
        ItemId::new(place as i64 + 1)
    }

    fn kept(&self, mut item: Item) -> Kept {
        item.id = self.placed(item.id);
        item.replaces = item.replaces.map(|replaced| self.placed(replaced));
        Kept(item)
    }

    async fn run(mut self, steps: &[Step]) -> Vec<Seen> {
        let mut seen = Vec::new();
        for step in steps {
            let answer = self.take(step).await;
            let items = self.store.list(Filter::all(), 1000, true).await.unwrap();
            let stats = self.store.stats(None).await.unwrap();
            seen.push(Seen {
                answer,
                items: items.into_iter().map(|item| self.kept(item)).collect(),
                stats,
            });
        }
        seen
    }

    async fn take(&mut self, step: &Step) -> Answer {
        match step.clone() {
            Step::Put(bodies) => {
                let new: Vec<NewItem> = bodies.iter().map(new_item).collect();
                let have_records: Vec<bool> = new.iter().map(|item| item.has_record).collect();
                let puts = self.store.put(new).await.unwrap();
                for (put, has_record) in puts.iter().zip(have_records) {
                    if let Put::Stored(item) | Put::Disputed { item, .. } = put {
                        self.arrived(*item, has_record);
                    }
                }
                Answer::Puts(puts.into_iter().map(|put| self.placed_put(put)).collect())
            }
            Step::PutRecords(calls, scope) => {
                let records = calls.iter().map(record).collect();
                let puts = self.store.put_records(records, scope).await.unwrap();
                for put in &puts {
                    if let PutRecord::Stored(item) | PutRecord::Corrects { item, .. } = put {
                        self.arrived(*item, true);
                    }
                }
                Answer::PutRecords(puts.into_iter().map(|put| self.placed_record(put)).collect())
            }
            Step::Ask { app, limit, per_second, term } => {
                let request = AskRequest::new(app.into(), limit, per_second, term);
                let asked = self.store.ask(request).await.unwrap();
                self.asked(asked)
            }
            Step::Answer(answers) => {
                let answers = answers.into_iter().filter_map(|(lease, answer)| {
                    recent(&self.questions, &lease).map(|lease| (lease, answer))
                });
                Answer::Were(self.store.answer(answers.collect()).await.unwrap())
            }
            Step::Lead { app, owner, term } => {
                Answer::Lead(self.store.lead(app.into(), owner, term).await.unwrap())
            }
            Step::KeepProgress { app, owner, progress } => {
                let kept = self.store.keep_progress(app.into(), owner, progress).await.unwrap();
                Answer::Were(vec![kept])
            }
            Step::Lease { owner, limit, max_lost_leases, suspects, ordered_by_call } => {
                let mut request = LeaseRequest::new(owner, limit, 30 * SECOND, max_lost_leases);
                (request.suspects, request.ordered_by_call) = (suspects, ordered_by_call);
                let leased = self.store.lease(request).await.unwrap();
                self.leased(&leased)
            }
            Step::Renew(leases, term) => {
                let leases =
                    leases.iter().filter_map(|lease| recent(&self.leases, lease)).collect();
                Answer::Were(self.store.renew(leases, term).await.unwrap())
            }
            Step::Settle(settlements) => {
                let settlements = settlements.into_iter().filter_map(|(lease, outcome)| {
                    recent(&self.leases, &lease).map(|lease| self.settlement(lease, outcome))
                });
                let settlements = settlements.collect();
                Answer::Were(self.store.settle(settlements).await.unwrap())
            }
            Step::Replay(items) => {
                Answer::Were(self.store.replay(self.items(&items)).await.unwrap())
            }
            Step::Discard(items) => {
                Answer::Were(self.store.discard(self.items(&items)).await.unwrap())
            }
            Step::Erase(items) => Answer::Were(self.store.erase(self.items(&items)).await.unwrap()),
            Step::Resolve(item) => match self.items(&[item])[..] {
                [item] => Answer::Resolved(match self.store.resolve(item).await.unwrap() {
                    Resolved::Corrects(corrected) => Resolved::Corrects(self.placed(corrected)),
                    resolved => resolved,
                }),
                _ => Answer::Nothing,
            },
            Step::Prune => {
                let pruned = self.store.prune(Retention::default(), 1000).await.unwrap();
                Answer::Pruned(pruned.items, pruned.keys)
            }
            Step::Advance(by) => {
                self.clock.advance(by);
                self.tell_server().await;
                Answer::Nothing
            }
            Step::SetBack(by) => {
                self.clock.set_back(by);
                self.tell_server().await;
                Answer::Nothing
            }
        }
    }

    fn placed_put(&self, put: Put) -> Put {
        match put {
            Put::Stored(item) => Put::Stored(self.placed(item)),
            Put::Duplicate => Put::Duplicate,
            Put::Disputed { item, after_done } => {
                Put::Disputed { item: self.placed(item), after_done }
            }
        }
    }

    fn placed_record(&self, put: PutRecord) -> PutRecord {
        match put {
            PutRecord::Stored(item) => PutRecord::Stored(self.placed(item)),
            PutRecord::Confirmed(item) => PutRecord::Confirmed(self.placed(item)),
            PutRecord::Corrects { item, replaced } => {
                PutRecord::Corrects { item: self.placed(item), replaced: self.placed(replaced) }
            }
            put => put,
        }
    }

    fn leased(&mut self, leased: &Leased) -> Answer {
        self.leases.extend(leased.items.iter().map(|item| item.lease));
        let items = leased.items.iter().map(|item| Worked {
            item: self.placed(item.lease.item),
            attempt: item.attempt,
            since_first_attempt: item.since_first_attempt,
            replaces: item.replaces.map(|replaced| self.placed(replaced)),
            event_body: item.event_body().clone(),
            confirmation: item.confirmation,
        });
        let mut died: Vec<ItemId> = leased.died.iter().map(|item| self.placed(*item)).collect();
        died.sort_unstable();
        Answer::Leased {
            items: items.collect(),
            suspects_due: leased.suspects_due,
            next_due: leased.next_due,
            died,
        }
    }

    fn asked(&mut self, asked: Asked) -> Answer {
        self.questions.extend(asked.items.iter().map(|item| item.lease));
        let items = asked.items.into_iter().map(|item| {
            (self.placed(item.lease.item), item.call_id, item.waiting_for, item.missing_for)
        });
        Answer::Asked { items: items.collect(), next: asked.next }
    }

    fn settlement(&self, lease: Lease, outcome: Outcome) -> Settlement {
        match outcome {
            Outcome::AskRecord if !self.with_record.contains(&lease.item) => {
                Settlement { lease, outcome: Outcome::GiveBack }
            }
            outcome => Settlement { lease, outcome },
        }
    }

    fn arrived(&mut self, item: ItemId, has_record: bool) {
        if !self.items.contains(&item) {
            self.items.push(item);
        }
        if has_record {
            self.with_record.insert(item);
        }
    }

    fn items(&self, indexes: &[Index]) -> Vec<ItemId> {
        let is_any = !self.items.is_empty();
        indexes.iter().filter(|_| is_any).map(|index| *index.get(&self.items)).collect()
    }
}

/// One of the leases that were handed out, most likely one that is still held.
fn recent(leases: &[Lease], index: &Index) -> Option<Lease> {
    let recent = &leases[leases.len().saturating_sub(6)..];
    (!recent.is_empty()).then(|| *index.get(recent))
}

fn delivery(&Call { app, call_id, seconds }: &Call) -> Delivery<Undecoded> {
    let accepted = 1_741_231_000;
    let call = CallEnded::new(call_id).with_caller("1").with_members(["1", "2"]);
    let call = call.with_result("NormalEnd").with_accept_time(accepted);
    deliver(app, &Request::new(app, call.with_end_time(accepted + seconds)))
}

fn record(call: &Call) -> NewItem {
    NewItem::of_record(call.app, delivery(call).body().clone()).unwrap()
}

fn new_item(body: &Body) -> NewItem {
    match *body {
        Body::Ended(ref call) => NewItem::of(&delivery(call)),
        Body::Changed { call_id, event_time } => {
            let change = MemberChanged::new(call_id).with_event_time(event_time);
            NewItem::of(&deliver(
                1,
                &Request::new(1, change.with_changes([MemberChange::new("1")])),
            ))
        }
        Body::Undecodable(byte) => {
            let request = Request::new(1, CallEnded::new("of no matter"));
            NewItem::of(&deliver(1, &request.with_body(vec![byte])))
        }
    }
}

/// A folder for one case: removed when it is over.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static LAST: AtomicUsize = AtomicUsize::new(0);
        let name = format!("property {}", LAST.fetch_add(1, Ordering::Relaxed));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
