//! Any query, by verifiers of every policy: what the contract says comes of it, in any order.

#![no_main]

use fuzz::head::{self, Framing, Signature};
use fuzz::verifiers::{Configured, verifier};
use fuzz::{NOW, now};
use libfuzzer_sys::fuzz_target;
use trtc_call_webhook::adapter::RequestHead;
use trtc_call_webhook::{ErrorKind, Params};

/// Of the table: without tokens and with them, with both, with several, and only reporting.
const VERIFIERS: [&str; 5] = ["open", "signed", "mixed", "rotating", "report-only"];

fuzz_target!(|query: &[u8]| {
    let query = String::from_utf8_lossy(query);
    let mut backwards: Vec<&str> = query.split('&').collect();
    backwards.reverse();
    let backwards = backwards.join("&");
    let mut sorted: Vec<&str> = query.split('&').collect();
    sorted.sort_unstable();
    let sorted = sorted.join("&");

    head::assert_parsed(&query);
    for configured in VERIFIERS.map(verifier) {
        let got = check(configured, &query);
        let expected = head::expect(&configured.config, "POST", &query, Framing::default(), NOW);
        match (&got, expected) {
            (Ok((params, signature)), Ok(expected)) => {
                assert_eq!(*signature, expected.signature);
                expected.assert_same(params);
            }
            (Err(got), Err(expected)) => assert_eq!(*got, expected),
            (got, expected) => panic!("{got:?} instead of {expected:?}"),
        }
        assert_eq!(check(configured, &backwards), got);
        assert_eq!(check(configured, &sorted), got);
    }
});

fn check(configured: &Configured, query: &str) -> Result<(Params, Signature), ErrorKind> {
    let head = configured.verifier.check(RequestHead::new("POST", query).received_at(now()));
    let params = head.as_ref().ok().map(|head| head.params().clone());
    head::got(head).map(|signature| (params.unwrap(), signature))
}
