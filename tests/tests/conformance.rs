//! The table, against everything that has a driver.

use std::collections::BTreeSet;

use conformance::client::{Loopback, Wire};
use conformance::driver::actix_web::{self, ActixWeb, Way};
use conformance::driver::axum::{self, Axum};
use conformance::driver::core::Core;
use conformance::driver::tower::{self, Hyper};
use conformance::{Table, run};

macro_rules! these_keep_the_contract {
    ($($name:ident: $driver:expr;)*) => {
        mod keeps_the_contract {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    run(&Table::load(), &$driver).await;
                }
            )*
        }
    };
}

these_keep_the_contract! {
    core_whole: Core::Whole;
    core_byte_by_byte: Core::Bytes;

    axum_in_process: axum::InProcess::Whole;
    axum_in_process_in_pieces: axum::InProcess::Pieces;
    axum_over_http_1: Loopback(Axum, Wire::Http1);
    axum_over_http_1_chunked: Loopback(Axum, Wire::Http1Chunked);
    axum_over_http_2: Loopback(Axum, Wire::Http2);
    axum_over_http_2_in_pieces: Loopback(Axum, Wire::Http2Pieces);

    actix_web_extractor_in_process: actix_web::InProcess(Way::Extractor);
    actix_web_extractor_over_http_1: Loopback(ActixWeb(Way::Extractor), Wire::Http1);
    actix_web_extractor_over_http_1_chunked: Loopback(ActixWeb(Way::Extractor), Wire::Http1Chunked);
    actix_web_middleware_in_process: actix_web::InProcess(Way::Middleware);
    actix_web_middleware_over_http_1: Loopback(ActixWeb(Way::Middleware), Wire::Http1);
    actix_web_middleware_over_http_1_chunked: Loopback(ActixWeb(Way::Middleware), Wire::Http1Chunked);

    tower_in_process: tower::InProcess::Whole;
    tower_in_process_in_pieces: tower::InProcess::Pieces;
    tower_over_http_1: Loopback(Hyper, Wire::Http1);
    tower_over_http_1_chunked: Loopback(Hyper, Wire::Http1Chunked);
    tower_over_http_2: Loopback(Hyper, Wire::Http2);
    tower_over_http_2_in_pieces: Loopback(Hyper, Wire::Http2Pieces);
}

/// The same test under two names would hide one of them; a rule without a case is a promise that
/// nothing holds.
#[test]
fn the_table_covers_every_rule_under_names_of_its_own() {
    let table = Table::load();
    let mut names = BTreeSet::new();
    for case in &table.cases {
        assert!(names.insert(&case.name), "{:?} is there twice", case.name);
        for rule in &case.rules {
            assert!(table.rules.contains_key(rule), "{:?}: there is no rule {rule}", case.name);
        }
    }
    let sources = [
        ("transport", include_str!("transport.rs")),
        ("secrets", include_str!("secrets.rs")),
        ("axum", include_str!("axum.rs")),
    ];
    for (name, rule) in &table.rules {
        for test in &rule.tests {
            let (file, function) = test.split_once("::").unwrap();
            let (_, source) = sources.iter().find(|(name, _)| *name == file).unwrap();
            assert!(source.contains(&format!("fn {function}(")), "there is no test {test}");
        }
        let cases = table.cases.iter().filter(|case| case.rules.contains(name)).count();
        let tests = rule.tests.len();
        assert!(cases + tests >= rule.at_least, "{name} ({}) has too few cases", rule.says);
    }
    for number in 1..=10 {
        assert!(table.rules.contains_key(&number.to_string()), "row {number}");
    }
    for number in 1..=26 {
        assert!(table.rules.contains_key(&format!("e{number}")), "edge {number}");
    }
}
