//! A signature is right or refused.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use conformance::signature;
use proptest::prelude::*;
use proptest::sample::Index;
use trtc_call_webhook::adapter::RequestHead;
use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{ErrorKind, MemberChanged, SdkApp, Token, Verifier};

use crate::config;
use crate::strategy::peer::{self, Peer};
use crate::strategy::{Edit, text};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_changed_byte_of_the_token_is_a_bad_signature(
        peer in Peer::any(),
        edit in Edit::any(u8::MAX),
        place in any::<Index>(),
    ) {
        let token = edit.apply(&peer.token, place);
        prop_assume!(!peer.has_token(&token));
        let changed = request(&peer).signed(&Token::new(token), peer.sent);
        prop_assert_eq!(refused(&peer, &changed), Some(ErrorKind::BadSignature));
    }

    #[test]
    fn a_changed_byte_of_the_time_is_a_bad_signature(
        peer in Peer::any(),
        edit in Edit::any(127),
        place in any::<Index>(),
    ) {
        let time = seconds(peer.sent).to_string();
        let changed = request(&peer).request_time(edit.apply_to_text(&time, place));
        prop_assert_eq!(refused(&peer, &changed), Some(ErrorKind::BadSignature));
    }

    #[test]
    fn a_changed_byte_of_the_sign_is_a_bad_signature_unless_its_case_changed(
        peer in Peer::any(),
        edit in prop_oneof![Edit::any(127), Just(Edit::Flip(b'a' ^ b'A'))],
        place in any::<Index>(),
    ) {
        let sign = signature(&peer.token, &seconds(peer.sent).to_string());
        let changed = edit.apply_to_text(&sign, place);
        let expected = if changed.eq_ignore_ascii_case(&sign) {
            None
        } else {
            Some(ErrorKind::BadSignature)
        };
        prop_assert_eq!(refused(&peer, &request(&peer).sign(changed)), expected);
    }

    /// Whatever is signed rightly passes if it is a time, and if that is within the window.
    #[test]
    fn a_signature_is_as_good_as_its_time(
        token in peer::token(),
        (window, now, time) in times(),
    ) {
        let verifier = Verifier::builder().app(SdkApp::signed(7, token.clone()));
        let verifier = verifier.replay_window(window).build().unwrap();
        let query = request_of(7).sign(signature(&token, &time)).request_time(&*time).query();
        let checked = verifier.check(RequestHead::new("POST", &query).received_at(now));

        let is_time = (1..=19).contains(&time.len()) && time.bytes().all(|b| b.is_ascii_digit());
        let expected = if !is_time {
            Err(ErrorKind::BadSignature)
        } else if is_within(window, time.parse().unwrap(), now) {
            Ok(true)
        } else {
            Err(ErrorKind::StaleSignature)
        };
        prop_assert_eq!(checked.map(|head| head.signature().is_valid()).map_err(|e| e.kind()), expected);
    }
}

fn request_of(app: u64) -> Request {
    Request::new(app, MemberChanged::new("c"))
}

/// A rightly signed request.
fn request(peer: &Peer) -> Request {
    peer.request(MemberChanged::new("c").into())
}

fn refused(peer: &Peer, request: &Request) -> Option<ErrorKind> {
    peer.check(&request.query()).err().map(|error| error.kind())
}

/// A window, a clock that is on any side of 1970, and the text of a time: near an edge of the
/// window, with zeros before it; or anywhere; or none at all.
fn times() -> impl Strategy<Value = (Duration, SystemTime, String)> {
    let seconds = prop_oneof![Just(60), 1..100_u64, 1..=u64::MAX];
    let nanoseconds = 0..1_000_000_000_u32;
    let window = (seconds, nanoseconds.clone()).prop_map(|(s, n)| Duration::new(s, n));
    let now = (any::<bool>(), prop_oneof![0..200_u64, 0..1_u64 << 40], nanoseconds);
    let now = now.prop_map(|(is_before, seconds, nanoseconds)| {
        let distance = Duration::new(seconds, nanoseconds);
        if is_before { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
    });
    (window, now).prop_flat_map(|(window, now)| {
        let near =
            (any::<bool>(), -1..=1_i64, 0..20_usize).prop_map(move |(is_early, by, width)| {
                let (now, window) = (self::seconds(now), window.as_secs());
                let edge =
                    if is_early { now.saturating_sub(window) } else { now.saturating_add(window) };
                format!("{:0width$}", edge.saturating_add_signed(by))
            });
        let time =
            prop_oneof![4 => near, 2 => "[0-9]{1,21}", 1 => "[-+ ]?[0-9.e]{0,4}", 1 => text()];
        (Just(window), Just(now), time)
    })
}

/// Whole seconds since 1970; none before.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn is_within(window: Duration, time: i128, now: SystemTime) -> bool {
    (i128::from(seconds(now)) - time).abs() <= i128::from(window.as_secs())
}
