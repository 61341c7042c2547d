//! Any query, by receivers of every policy: what the contract says comes of it, in any order.

#![no_main]

use fuzz::verifiers::{Configured, verifier};
use fuzz::{NOW, head, now};
use libfuzzer_sys::fuzz_target;
use trtc_call_webhook::{ErrorKind, Params};

/// Of the table: without tokens and with them, with several, unsigned by name, not looked at.
const RECEIVERS: [&str; 5] = ["mixed", "required by name", "rotating", "roll-out", "ignoring"];

fuzz_target!(|query: &[u8]| {
    let query = String::from_utf8_lossy(query);
    let mut backwards: Vec<&str> = query.split('&').collect();
    backwards.reverse();
    let backwards = backwards.join("&");
    let mut sorted: Vec<&str> = query.split('&').collect();
    sorted.sort_unstable();
    let sorted = sorted.join("&");

    for configured in RECEIVERS.map(verifier) {
        let got = check(configured, &query);
        match (&got, head::expect(&configured.config, "POST", &query, None, NOW)) {
            (Ok((params, is_signed)), Ok(expected)) => {
                assert_eq!(*is_signed, expected.is_signed);
                expected.assert_same(params);
            }
            (Err(got), Err(expected)) => assert_eq!(*got, expected),
            (got, expected) => panic!("{got:?} instead of {expected:?}"),
        }
        assert_eq!(check(configured, &backwards), got);
        assert_eq!(check(configured, &sorted), got);
    }
});

fn check(configured: &Configured, query: &str) -> Result<(Params, bool), ErrorKind> {
    match configured.verifier.check_at("POST", query, None, now()) {
        Ok(head) => Ok((head.params().clone(), head.is_signed())),
        Err(error) => Err(error.kind()),
    }
}
