//! The numbers that a request's head has.

use conformance::percent;
use proptest::prelude::*;
use trtc_call_webhook::adapter::RequestHead;
use trtc_call_webhook::{ErrorKind, SdkApp, SdkAppId, Verifier};

use crate::config;
use crate::strategy::text;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_content_length_is_digits_and_at_most_the_largest_number(value in number()) {
        prop_assert_eq!(content_length(value.as_bytes()), length(value.as_bytes()));
    }

    #[test]
    fn a_content_length_may_be_any_bytes(value in any::<Vec<u8>>()) {
        prop_assert_eq!(content_length(&value), length(&value));
    }

    #[test]
    fn an_app_id_is_written_as_numbers_are(text in number()) {
        let number = text.parse::<u64>().ok().filter(|n| *n > 0 && n.to_string() == text);
        let id = number.map(SdkAppId::new);
        prop_assert_eq!(text.parse::<SdkAppId>().ok(), id);

        let query = format!("SdkAppid={}", percent(&text));
        let checked = verifier(number.unwrap_or(7)).check(RequestHead::new("POST", &query));
        let checked = checked.map(|head| head.params().sdk_app_id()).map_err(|e| e.kind());
        prop_assert_eq!(checked, id.ok_or(ErrorKind::MalformedQuery));
    }
}

/// A verifier for which no body is too long.
fn verifier(id: u64) -> Verifier {
    let app = SdkApp::unsigned(id);
    Verifier::builder().app(app).body_limit(usize::MAX).build().unwrap()
}

/// What a `Content-Length` of this value announces.
fn content_length(value: &[u8]) -> Option<u64> {
    let head = RequestHead::new("POST", "SdkAppid=7");
    let head = head.headers(|name| (name == "content-length").then_some(value));
    verifier(7).check(head).unwrap().content_length()
}

/// Numbers of all sizes, around the largest of 64 bits, and what is nearly one.
fn number() -> impl Strategy<Value = String> {
    let largest = u128::from(u64::MAX);
    prop_oneof![
        any::<u64>().prop_map(|number| number.to_string()),
        (largest - 20..largest + 20).prop_map(|number| number.to_string()),
        "0{0,3}[0-9]{0,40}",
        "[-+ ]?[0-9_.,xe]{0,5} ?",
        text(),
    ]
}

fn length(value: &[u8]) -> Option<u64> {
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let digits = value.iter().map(|digit| u64::from(digit - b'0'));
    is_number.then(|| digits.fold(0, |n: u64, digit| n.saturating_mul(10).saturating_add(digit)))
}
