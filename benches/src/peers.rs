//! What published crates do for webhooks of their own: they verify a signature over the body and
//! decode it. Here they get the same body, and decode it into the hand-written structs.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum_github_webhook_extract::{GithubEvent, GithubToken};
use bytes::Bytes;
use hmac_sha256::HMAC;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use standardwebhooks::Webhook;

use crate::bodies::{CallEnded, Envelope, MemberChanged};
use crate::cases::{Case, Kind, TOKEN};
use crate::op::Op;

/// All of a case, by a crate.
pub(crate) fn op(peer: &str, case: Case) -> Op {
    match (peer, case.kind) {
        ("github", Kind::MemberChanged) => github::<MemberChanged<String>>(case),
        ("github", Kind::Unknown) => github::<Envelope<String>>(case),
        ("github", _) => github::<CallEnded<String>>(case),
        (_, Kind::MemberChanged) => standardwebhooks::<MemberChanged<String>>(case),
        (_, Kind::Unknown) => standardwebhooks::<Envelope<String>>(case),
        _ => standardwebhooks::<CallEnded<String>>(case),
    }
}

/// `standardwebhooks`: verifies, by its own clock, and leaves the decoding to the user.
fn standardwebhooks<T: DeserializeOwned + 'static>(case: Case) -> Op {
    let webhook = Webhook::from_bytes(TOKEN.into()).unwrap();
    let id = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let sign = webhook.sign(id, i64::try_from(seconds).unwrap(), case.body.as_bytes()).unwrap();
    let headers = HeaderMap::from_iter([
        (HeaderName::from_static("webhook-id"), HeaderValue::from_static(id)),
        (HeaderName::from_static("webhook-signature"), sign.parse().unwrap()),
        (HeaderName::from_static("webhook-timestamp"), seconds.into()),
    ]);
    Op::new(case, move |case| {
        webhook.verify(case.body.as_bytes(), &headers).unwrap();
        serde_json::from_str::<T>(&case.body).unwrap()
    })
}

/// `axum-github-webhook-extract`: an extractor, so the making of a small request is in it.
fn github<T: DeserializeOwned + 'static>(case: Case) -> Op {
    let token = GithubToken(Arc::new(TOKEN.to_owned()));
    let body = Bytes::from(case.body.clone());
    let sign = format!("sha256={}", hex::encode(HMAC::mac(&body, TOKEN)));
    let sign = HeaderValue::try_from(sign).unwrap();
    Op::new(case, move |_| {
        let request = Request::builder()
            .header("x-hub-signature-256", sign.clone())
            .body(Body::from(body.clone()))
            .unwrap();
        let extracting = pin!(GithubEvent::<T>::from_request(request, &token));
        match extracting.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(event)) => event,
            _ => panic!("all of the body is there, and in order"),
        }
    })
}
