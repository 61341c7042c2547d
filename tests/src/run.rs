//! Runs the table against one driver.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write as _;

use serde_json::Value;
use trtc_call_webhook::{CallEnded, CallStarted, Callback, MemberChanged, Undecoded};

use crate::notebook::Seen;
use crate::table::Expected;
use crate::{Answer, Case, Driver, Endpoint, Kind, Notebook, Request, Table};

/// Sends every case twice in a row, all that have the same receiver and type to one endpoint, and
/// panics with a list of everything that was not as the table says.
///
/// # Panics
///
/// If a case fails.
pub async fn run<D: Driver>(table: &Table, driver: &D) {
    let is_core = driver.name().starts_with("core");
    let mut endpoints = BTreeMap::new();
    let mut keys = BTreeMap::new();
    let mut failures = Vec::new();
    for case in table.cases.iter().filter(|case| is_core || !case.core_only) {
        let place = (table.verifier_of(case), table.takes_of(case));
        let (endpoint, notebook) = match endpoints.entry(place) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(closed) => closed.insert(open(table, driver, place).await),
        };
        for time in ["first", "second"] {
            let request = table.request(case);
            notebook.set_ack(Table::ack(case));
            let answer = endpoint.answer(&request).await;
            let seen = notebook.read();
            let expected = table.expected(case, &request);
            let wrong = differences(&expected, &request, &answer, &seen);
            if !wrong.is_empty() {
                failures.push(report(case, time, &request, &wrong));
                break;
            }
            if let Some(seen) = seen.first() {
                keys.insert(case.name.as_str(), seen.facts["idempotency_key"].clone());
            }
        }
    }
    failures.extend(table.cases.iter().flat_map(|case| key_differences(case, &keys)));
    assert!(
        failures.is_empty(),
        "{}: {} of {} cases failed\n\n{}",
        driver.name(),
        failures.len(),
        table.cases.len(),
        failures.join("\n")
    );
}

async fn open<D: Driver>(
    table: &Table,
    driver: &D,
    (verifier, takes): (&str, &str),
) -> (D::Endpoint, Notebook) {
    let verifier = table.verifier(verifier);
    let notebook = Notebook::default();
    let pages = notebook.clone();
    let endpoint = match takes {
        "CallEnded" => driver.open::<CallEnded>(verifier, pages).await,
        "CallStarted" => driver.open::<CallStarted>(verifier, pages).await,
        "MemberChanged" => driver.open::<MemberChanged>(verifier, pages).await,
        "Callback" => driver.open::<Callback>(verifier, pages).await,
        "Undecoded" => driver.open::<Undecoded>(verifier, pages).await,
        other => panic!("no event is named {other:?}"),
    };
    (endpoint, notebook)
}

fn differences(
    expected: &Expected,
    request: &Request,
    answer: &Result<Answer, String>,
    seen: &[Seen],
) -> Vec<String> {
    let mut wrong = Vec::new();
    match answer {
        Ok(answer) => {
            let is_right = answer.status == expected.status
                && answer.content_type == ["application/json"]
                && answer.allow == expected.allow
                && expected.body.as_ref().is_none_or(|body| *body == answer.body)
                && (answer.kind == Kind::OutOfSight || answer.kind == kind(expected));
            if !is_right {
                let due = Answer {
                    status: expected.status,
                    content_type: vec!["application/json".to_owned()],
                    allow: expected.allow.clone(),
                    body: expected.body.clone().unwrap_or_default(),
                    kind: kind(expected),
                };
                wrong.push(format!("answer\n    expected {due:?}\n    got      {answer:?}"));
            }
        }
        Err(error) => wrong.push(error.clone()),
    }
    match (&expected.seen, seen) {
        (None, []) => {}
        (Some(facts), [seen]) => {
            if seen.body != *request.body {
                wrong.push("the delivery's body is not what was sent".to_owned());
            }
            not_as_expected("", facts, &seen.facts, &mut wrong);
        }
        (Some(_), []) => wrong.push("the handler did not run".to_owned()),
        (None, _) => wrong.push("the handler ran".to_owned()),
        (Some(_), _) => wrong.push(format!("the handler ran {} times", seen.len())),
    }
    wrong
}

fn kind(expected: &Expected) -> Kind {
    expected.kind.clone().map_or(Kind::None, Kind::Some)
}

/// Every fact that the table names must be so; of parameters and of what decoded, those named.
fn not_as_expected(path: &str, expected: &Value, got: &Value, wrong: &mut Vec<String>) {
    for (name, expected) in expected.as_object().expect("facts are an object") {
        let got = got.get(name).unwrap_or(&Value::Null);
        if path.is_empty() && matches!(name.as_str(), "params" | "decoded") {
            not_as_expected(&format!("{name}."), expected, got, wrong);
        } else if expected != got {
            wrong.push(format!("{path}{name}\n    expected {expected}\n    got      {got}"));
        }
    }
}

fn key_differences(case: &Case, keys: &BTreeMap<&str, Value>) -> Vec<String> {
    let (same, other) = Table::keys_of(case);
    let mut wrong = Vec::new();
    let own = keys.get(case.name.as_str());
    for (names, should_be_same) in [(same, true), (other, false)] {
        for name in names {
            let theirs = keys.get(name.as_str());
            if own.is_none() || theirs.is_none() || (own == theirs) != should_be_same {
                let relation = if should_be_same { "the key of" } else { "another key than" };
                wrong.push(format!(
                    "- {}\n  should have {relation} {name:?}: {own:?}, {theirs:?}\n",
                    case.name
                ));
            }
        }
    }
    wrong
}

fn report(case: &Case, time: &str, request: &Request, wrong: &[String]) -> String {
    let mut report = format!("- {} {:?}\n", case.name, case.rules);
    let body = String::from_utf8_lossy(&request.body);
    let shown: String = body.chars().take(400).collect();
    let _ = writeln!(report, "  {} {} ({time} time)", request.method, request.target());
    let _ = writeln!(report, "  {shown}{}", if shown.len() < body.len() { "…" } else { "" });
    for wrong in wrong {
        let _ = writeln!(report, "  {wrong}");
    }
    report
}
