//! Receivers, and somebody who may call them.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::Index;
use trtc_call_webhook::adapter::{Head, Receipt, RequestHead};
use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{Callback, Delivery, Error, Event, SdkApp, Token, Verifier};

/// A receiver of some apps with some tokens each, and one who calls for one of them, with one of
/// its tokens, by a clock that is within the window of the receiver's.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    apps: BTreeMap<u64, Vec<Vec<u8>>>,
    window: Duration,
    pub(crate) app: u64,
    pub(crate) token: Vec<u8>,
    /// The receiver's clock.
    now: SystemTime,
    /// The caller's.
    pub(crate) sent: SystemTime,
}

impl Peer {
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        let app = prop_oneof![1..=3_u64, 1..=u64::MAX];
        let apps = btree_map(app, vec(token(), 1..4), 1..4);
        let window = (1..=200_000_u64, 0..1_000_000_000_u32);
        let (now, sent) = (0..=1_u64 << 40, any::<u64>());
        let nanoseconds = (0..1_000_000_000_u32, 0..1_000_000_000_u32);
        (apps, any::<(Index, Index)>(), window, now, sent, nanoseconds).prop_map(
            |(apps, (app, token), window, now, sent, nanoseconds)| {
                let (app, tokens) = app.get(&Vec::from_iter(&apps)).to_owned();
                let earliest = now.saturating_sub(window.0);
                let sent = earliest + sent % (now + window.0 - earliest + 1);
                Self {
                    app: *app,
                    token: token.get(tokens).clone(),
                    window: Duration::new(window.0, window.1),
                    now: UNIX_EPOCH + Duration::new(now, nanoseconds.0),
                    sent: UNIX_EPOCH + Duration::new(sent, nanoseconds.1),
                    apps,
                }
            },
        )
    }

    /// Whether the app has this token.
    pub(crate) fn has_token(&self, token: &[u8]) -> bool {
        self.apps[&self.app].iter().any(|other| other == token)
    }

    pub(crate) fn verifier(&self) -> Verifier {
        let apps = self.apps.iter().map(|(app, tokens)| {
            let signed = SdkApp::signed(*app, tokens[0].clone());
            tokens[1..].iter().cloned().fold(signed, SdkApp::or_token)
        });
        let builder = Verifier::builder().replay_window(self.window);
        apps.fold(builder, |builder, app| builder.app(app)).build().unwrap()
    }

    /// A signed request for a callback.
    pub(crate) fn request(&self, callback: Callback) -> Request {
        Request::new(self.app, callback).signed(&Token::new(&self.token), self.sent)
    }

    /// What the receiver says to a query.
    pub(crate) fn check(&self, query: &str) -> Result<Head, Error> {
        self.verifier().check(RequestHead::new("POST", query).received_at(self.now))
    }

    /// The delivery of a request that is taken.
    pub(crate) fn deliver<E: Event>(&self, request: &Request) -> Delivery<E> {
        self.deliver_as(&request.query(), request.body())
    }

    /// The delivery of a query and a body that are taken.
    pub(crate) fn deliver_as<E: Event>(&self, query: &str, body: impl AsRef<[u8]>) -> Delivery<E> {
        match self.check(query).unwrap().receive(body).unwrap() {
            Receipt::Deliver(delivery) => delivery,
            Receipt::Acknowledge(_) => panic!("not taken"),
        }
    }
}

/// The bytes of a token that can be meant: any, but no white space or control character at an end.
pub(crate) fn token() -> impl Strategy<Value = Vec<u8>> {
    let end = || b'!'..=b'~';
    (end(), vec(any::<u8>(), 0..68), end()).prop_map(|(first, mut token, last)| {
        token.insert(0, first);
        token.push(last);
        token
    })
}
