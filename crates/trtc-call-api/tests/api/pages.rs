//! The records of a span, of a vendor whose list changes between the pages.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use futures_util::TryStreamExt;
use proptest::prelude::*;
use serde_json::json;
use trtc_call_api::{Client, Code, Record};

use crate::support::{Answer, Received, Vendor, record, seconds};

/// When the spans of these tests begin, in unix seconds.
const START: u64 = 1_741_231_000;

#[derive(Clone, Copy, Debug)]
enum Order {
    OldestFirst,
    NewestFirst,
    /// By id, so that what comes and goes does so in the middle.
    Any,
}

#[derive(Clone, Debug)]
enum Change {
    /// A call of this id and second arrives.
    Arrives(String, u64),
    /// A call is forgotten.
    Leaves(String),
}

/// A vendor's list of records, which changes before it answers some of the requests.
struct List {
    /// Their seconds since the start, by id.
    calls: BTreeMap<String, u64>,
    order: Order,
    /// The most on a page, whatever was asked for.
    per_page: usize,
    /// What happens before the request of this number.
    changes: HashMap<usize, Vec<Change>>,
}

impl List {
    fn new(calls: impl IntoIterator<Item = (String, u64)>, order: Order, per_page: usize) -> Self {
        Self { calls: calls.into_iter().collect(), order, per_page, changes: HashMap::new() }
    }

    fn answer(&mut self, number: usize, request: &Received) -> Answer {
        for change in self.changes.remove(&number).unwrap_or_default() {
            match change {
                Change::Arrives(id, second) => {
                    self.calls.insert(id, second);
                }
                Change::Leaves(id) => {
                    self.calls.remove(&id);
                }
            }
        }
        let filter = request.json();
        let number_of = |key: &str| filter[key].as_u64().unwrap();
        let span = number_of("StartTime") - START..=number_of("EndTime") - START;
        let mut ids: Vec<_> = self.calls.iter().filter(|(_, at)| span.contains(at)).collect();
        match self.order {
            Order::OldestFirst => ids.sort_by_key(|(_, at)| **at),
            Order::NewestFirst => ids.sort_by_key(|(_, at)| std::cmp::Reverse(**at)),
            Order::Any => {}
        }
        if ids.is_empty() {
            return Answer::code(101_050);
        }
        let per_page = self.per_page.min(usize::try_from(number_of("NumberPerPage")).unwrap());
        let page = usize::try_from(number_of("Page")).unwrap();
        let list: Vec<_> = ids.chunks(per_page).nth(page - 1).unwrap_or_default().to_vec();
        let list: Vec<_> = list.into_iter().map(|(id, _)| record(id)).collect();
        Answer::response(&json!({ "TotalNum": ids.len(), "Page": page, "CallRecordList": list }))
    }

    async fn serve(mut self) -> Vendor {
        Vendor::start(move |number, request| self.answer(number, request)).await
    }
}

fn id(record: &Record) -> String {
    record.call().call_id.clone()
}

async fn all(client: &Client, length: u64) -> Vec<String> {
    let records = client.records(seconds(START)..seconds(START + length)).into_stream();
    let mut ids: Vec<_> = records.map_ok(|record| id(&record)).try_collect().await.unwrap();
    ids.sort();
    ids
}

/// Ids whose order is not that of their seconds.
fn calls(number: u64, seconds: u64) -> Vec<(String, u64)> {
    (0..number)
        .map(|call| (format!("{:x}-{call}", call * 7 % 16), call * seconds / number))
        .collect()
}

/// The arrival of a call, somewhere among those.
fn arrival(number: impl std::fmt::Display, second: u64) -> Change {
    Change::Arrives(format!("{:x}-new-{number}", second * 7 % 16), second)
}

fn sorted(calls: &[(String, u64)]) -> Vec<String> {
    let mut ids: Vec<_> = calls.iter().map(|(id, _)| id.clone()).collect();
    ids.sort();
    ids
}

fn asked(vendor: &Vendor) -> Vec<(u64, u64, u64)> {
    let numbers = |request: &Received| {
        let filter = request.json();
        let number = |key: &str| filter[key].as_u64().unwrap();
        (number("StartTime") - START, number("EndTime") - START, number("Page"))
    };
    vendor.received().iter().map(numbers).collect()
}

#[tokio::test]
async fn one_page_is_one_request() {
    let vendor = List::new(calls(99, 600), Order::OldestFirst, 100).serve().await;
    assert_eq!(all(&vendor.client(), 600).await, sorted(&calls(99, 600)));
    assert_eq!(asked(&vendor), [(0, 600, 1)]);
}

#[tokio::test]
async fn a_span_without_records_or_without_time_has_none() {
    let vendor = List::new([], Order::OldestFirst, 100).serve().await;
    let client = vendor.client();
    assert_eq!(all(&client, 600).await, [""; 0]);
    assert_eq!(vendor.received().len(), 1);
    let (early, late) = (seconds(START), seconds(START + 1));
    for span in [early..early, late..early, seconds(0)..seconds(0)] {
        assert!(client.records(span).next().await.is_none());
    }
    assert_eq!(vendor.received().len(), 1);
}

#[tokio::test]
async fn more_pages_are_read_and_then_compared() {
    let vendor = List::new(calls(250, 600), Order::NewestFirst, 100).serve().await;
    assert_eq!(all(&vendor.client(), 600).await, sorted(&calls(250, 600)));
    let pages: Vec<_> = asked(&vendor).into_iter().map(|(_, _, page)| page).collect();
    assert_eq!(pages, [1, 2, 3, 1, 2, 3]);
}

#[tokio::test]
async fn a_full_last_page_is_not_taken_for_the_end() {
    let vendor = List::new(calls(100, 600), Order::NewestFirst, 100).serve().await;
    assert_eq!(all(&vendor.client(), 600).await, sorted(&calls(100, 600)));
    assert_eq!(asked(&vendor), [(0, 600, 1), (0, 600, 2)]);
}

#[tokio::test]
async fn a_part_of_very_many_is_halved_before_it_is_read() {
    let vendor = List::new(calls(3000, 600), Order::OldestFirst, 100).serve().await;
    assert_eq!(all(&vendor.client(), 600).await, sorted(&calls(3000, 600)));
    let parts: Vec<_> = asked(&vendor).into_iter().filter(|(_, _, page)| *page == 1).collect();
    assert_eq!(parts[..4], [(0, 600, 1), (0, 300, 1), (0, 150, 1), (0, 150, 1)]);
    assert!(asked(&vendor).iter().all(|(_, _, page)| *page <= 10));
}

#[tokio::test]
async fn a_second_of_very_many_is_read_as_it_is() {
    let vendor = List::new(calls(1500, 1), Order::OldestFirst, 100).serve().await;
    assert_eq!(all(&vendor.client(), 1).await, sorted(&calls(1500, 1)));
}

#[tokio::test]
async fn a_second_that_never_settles_gives_what_was_seen_of_it() {
    // One arrives before each request, in front of all others.
    let mut list = List::new(calls(10, 1), Order::NewestFirst, 4);
    list.changes = (0..1000).map(|number| (number, vec![arrival(number, 1)])).collect();
    let vendor = list.serve().await;
    let ids = all(&vendor.client(), 1).await;
    for call in sorted(&calls(10, 1)) {
        assert_eq!(ids.iter().filter(|id| **id == call).count(), 1);
    }
    assert!(vendor.received().len() < 50);
}

#[tokio::test]
async fn what_leaves_and_arrives_in_the_same_moment_is_noticed() {
    // Between the second page and the third `i` moves to the second: as many as before, and the first page
    // is as before.
    let calls: Vec<_> = ('a'..='l').map(|id| (id.to_string(), u64::from(id) - 97)).collect();
    let mut list = List::new(calls.clone(), Order::Any, 4);
    let changes = vec![Change::Leaves("f".to_owned()), Change::Arrives("z".to_owned(), 5)];
    list.changes.insert(2, changes);
    let vendor = list.serve().await;
    let ids = all(&vendor.client(), 600).await.concat();
    assert_eq!(ids, "abcdefghijklz");
}

#[tokio::test]
async fn it_goes_on_after_an_error_where_it_was() {
    let mut list = List::new(calls(9, 600), Order::OldestFirst, 4);
    let vendor = Vendor::start(move |number, request| match number % 3 {
        1 => Answer::code(60010),
        2 => Answer::status(500),
        _ => list.answer(number, request),
    })
    .await;
    let client = vendor.client();
    let mut records = client.records(seconds(START)..seconds(START + 600));
    let (mut ids, mut codes) = (Vec::new(), Vec::new());
    while let Some(next) = records.next().await {
        match next {
            Ok(record) => ids.push(id(&record)),
            Err(error) => codes.push(error.code()),
        }
    }
    ids.sort();
    assert_eq!(ids, sorted(&calls(9, 600)));
    assert!(codes.len() == 10 && codes[..2] == [Some(Code(60010)), None], "{codes:?}");
    let pages: Vec<_> = asked(&vendor).into_iter().map(|(_, _, page)| page).collect();
    assert_eq!(pages, [1, 2, 2, 2, 3, 3, 3, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_left_out_and_counted() {
    let list = json!([record("a"), { "CallId": "" }, 1, record("b"), { "CallId": "" }, record("a"),
        { "CallId": "c", "StartTime": [], "CalleeList_Account": null }]);
    let answer = json!({ "TotalNum": "7", "Page": 1, "CallRecordList": list });
    let vendor = Vendor::always(move || Answer::response(&answer)).await;
    let client = vendor.client();
    let mut records = client.records(seconds(START)..seconds(START + 1));
    let mut ids = Vec::new();
    while let Some(record) = records.next().await {
        ids.push(id(&record.unwrap()));
    }
    assert_eq!(ids, ["a", "b", "c"]);
    assert_eq!(records.unreadable(), 2, "one is there twice");
}

#[tokio::test]
async fn a_page_of_another_shape_is_an_error() {
    for response in
        [json!({}), json!(null), json!([]), json!({ "TotalNum": 1, "CallRecordList": {} })]
    {
        let vendor = Vendor::always(move || Answer::response(&response)).await;
        let client = vendor.client();
        let error = client.records(seconds(START)..seconds(START + 1)).next().await.unwrap();
        assert_eq!(error.unwrap_err().kind(), trtc_call_api::ErrorKind::Answer);
    }
    let vendor = Vendor::always(|| Answer::response(&json!({ "TotalNum": 0 }))).await;
    assert!(vendor.client().records(seconds(1)..seconds(2)).next().await.is_none());
}

#[tokio::test]
async fn a_next_that_is_dropped_loses_nothing() {
    let gate = Arc::new(Mutex::new(List::new(calls(9, 600), Order::OldestFirst, 4)));
    let vendor = Vendor::start(move |number, request| {
        if number % 2 == 0 {
            Answer::Half("")
        } else {
            gate.lock().unwrap().answer(number, request)
        }
    })
    .await;
    let client = vendor.client();
    let mut records = client.records(seconds(START)..seconds(START + 600));
    let mut ids = Vec::new();
    loop {
        let sent = vendor.received().len();
        let next = tokio::select! {
            next = records.next() => next,
            // Every other request is not answered.
            () = unanswered(&vendor, sent) => continue,
        };
        let Some(record) = next else { break };
        ids.push(id(&record.unwrap()));
    }
    ids.sort();
    assert_eq!(ids, sorted(&calls(9, 600)));
}

/// Waits until there are more requests than so many, and the last of them is not answered.
async fn unanswered(vendor: &Vendor, more_than: usize) {
    while vendor.received().len() <= more_than || vendor.received().len().is_multiple_of(2) {
        tokio::task::yield_now().await;
    }
}

/// One call a second, and at most one more that arrives: two seconds, the smallest part, fit a page.
const LENGTH: u64 = 40;
const PER_PAGE: usize = 4;

fn change() -> impl Strategy<Value = (usize, Change)> {
    let arrives = (0..LENGTH).prop_map(|second| arrival(second, second));
    let leaves = (0..LENGTH).prop_map(|call| Change::Leaves(format!("{:x}-{call}", call * 7 % 16)));
    // Most happen while the span is read for the first time.
    (prop_oneof![3 => 0..24_usize, 1 => 0..120_usize], prop_oneof![arrives, leaves])
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![Just(Order::OldestFirst), Just(Order::NewestFirst), Just(Order::Any)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes and goes meanwhile: a call that is there all the time is there once, and no call twice.
    #[test]
    fn nothing_that_stays_is_missing_or_there_twice(
        changes in prop::collection::vec(change(), 0..30), order in order(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let stays: Vec<String> = sorted(&calls(LENGTH, LENGTH)).into_iter().filter(|id| {
            !changes.iter().any(|(_, change)| matches!(change, Change::Leaves(left) if left == id))
        }).collect();
        let mut list = List::new(calls(LENGTH, LENGTH), order, PER_PAGE);
        let mut arrived = std::collections::HashSet::new();
        for (number, change) in changes {
            if let Change::Arrives(_, second) = change && !arrived.insert(second) {
                continue;
            }
            list.changes.entry(number).or_default().push(change);
        }
        let ids = runtime.block_on(async {
            let vendor = list.serve().await;
            all(&vendor.client(), LENGTH).await
        });
        let mut once = ids.clone();
        once.dedup();
        prop_assert_eq!(&once, &ids);
        for id in stays {
            prop_assert!(ids.contains(&id), "{} is missing", id);
        }
    }
}

#[tokio::test]
async fn review_one_page_and_a_bit() {
    let mut list = List::new(calls(5, 5), Order::OldestFirst, 4);
    let first = sorted(&calls(5, 5))[0].clone();
    let (oldest, _) = calls(5, 5).into_iter().min_by_key(|call| call.1).unwrap();
    let _ = first;
    list.changes.insert(1, vec![Change::Leaves(oldest.clone())]);
    let vendor = list.serve().await;
    let ids = all(&vendor.client(), 10).await;
    let mut want = sorted(&calls(5, 5));
    want.retain(|id| *id != oldest);
    for id in want {
        assert!(ids.contains(&id), "{id} is missing in {ids:?}; asked {:?}", asked(&vendor));
    }
}

/// How many pages a vendor gives is not documented.
#[tokio::test]
async fn what_is_counted_and_never_given_is_told() {
    let vendor = Vendor::start(|_, request: &Received| {
        let page = request.json()["Page"].as_u64().unwrap();
        let list = (0..100).map(|call| record(&call.to_string()));
        let list: Vec<_> = if page == 1 { list.collect() } else { Vec::new() };
        Answer::response(&json!({ "TotalNum": 250, "Page": page, "CallRecordList": list }))
    })
    .await;
    let mut records = vendor.client().records(seconds(START)..seconds(START + 60));
    let mut given = 0;
    while let Some(record) = records.next().await {
        record.unwrap();
        given += 1;
    }
    assert_eq!((given, records.missing(), records.unreadable()), (100, 150, 0));
}
