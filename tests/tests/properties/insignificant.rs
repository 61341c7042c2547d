//! What does not matter never changes what a handler sees.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use trtc_call_webhook::adapter::Receipt;
use trtc_call_webhook::{Callback, Undecoded};

use crate::config;
use crate::strategy::peer::Peer;
use crate::strategy::{events, json, query};

proptest! {
    #![proptest_config(config())]

    /// The order and the case of keys, keys of others, pairs that are repeated, escapes.
    #[test]
    fn the_way_a_query_is_written(
        callback in events::callback(),
        peer in Peer::any(),
        style in query::Style::any(),
    ) {
        let request = peer.request(callback);
        let plain = peer.deliver::<Callback>(&request);
        let query = style.write(&request.query());
        let styled = peer.deliver_as::<Callback>(&query, request.body());
        prop_assert_eq!(styled.params(), plain.params(), "{}", query);
        prop_assert_eq!(styled.event(), plain.event());
        prop_assert_eq!(styled.idempotency_key(), plain.idempotency_key());
        prop_assert!(styled.signature().is_valid());
    }

    /// The order of keys, fields of others, white space, escapes, a byte order mark.
    #[test]
    fn the_way_a_body_is_written(
        callback in events::known(),
        peer in Peer::any(),
        style in json::Style::any(),
    ) {
        let request = peer.request(callback);
        let plain = peer.deliver::<Callback>(&request);
        let body = style.write(request.body());
        let styled = peer.deliver_as::<Callback>(&request.query(), &body);
        prop_assert_eq!(styled.event(), plain.event(), "{}", body);
        prop_assert_eq!(styled.idempotency_key(), plain.idempotency_key());
        prop_assert_eq!(styled.body(), body.as_bytes());

        let undecoded = peer.deliver_as::<Undecoded>(&request.query(), &body);
        prop_assert_eq!(undecoded.idempotency_key(), plain.idempotency_key());
    }

    #[test]
    fn the_chunks_that_a_body_comes_in(
        callback in events::callback(),
        peer in Peer::any(),
        cuts in vec(any::<Index>(), 0..9),
    ) {
        let request = peer.request(callback);
        let whole = peer.deliver::<Callback>(&request);
        let mut cuts: Vec<usize> =
            cuts.iter().map(|cut| cut.index(request.body().len() + 1)).collect();
        cuts.sort_unstable();
        let mut buffer = peer.check(&request.query()).unwrap().read_body();
        let mut start = 0;
        for end in cuts.into_iter().chain([request.body().len()]) {
            buffer.push(&request.body()[start..end]).unwrap();
            start = end;
        }
        let Receipt::Deliver(delivery) = buffer.receive::<Callback>().unwrap() else {
            panic!("not taken");
        };
        prop_assert_eq!(delivery.event(), whole.event());
        prop_assert_eq!(delivery.body(), whole.body());
        prop_assert_eq!(delivery.idempotency_key(), whole.idempotency_key());
    }
}
