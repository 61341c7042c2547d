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
use http::{HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;
use standardwebhooks::Webhook;

use crate::cases::{Case, Kind, TOKEN};
use crate::hand_written::{CallEnded, Envelope, MemberChanged};
use crate::op::Op;

/// `standardwebhooks`: verifies, by its own clock, and leaves the decoding to the user.
pub(crate) fn standardwebhooks(case: Case) -> Op {
    match case.kind {
        Kind::CallEnded | Kind::Escaped => standardwebhooks_as::<CallEnded>(case),
        Kind::MemberChanged => standardwebhooks_as::<MemberChanged>(case),
        Kind::Unknown => standardwebhooks_as::<Envelope>(case),
    }
}

fn standardwebhooks_as<T: DeserializeOwned + 'static>(case: Case) -> Op {
    let webhook = Webhook::from_bytes(TOKEN.into()).unwrap();
    let headers = standard_headers(&webhook, case.body.as_bytes());
    Op::new(case, move |case| {
        webhook.verify(case.body.as_bytes(), &headers).ok()?;
        serde_json::from_str::<T>(&case.body).ok()
    })
}

fn standard_headers(webhook: &Webhook, body: &[u8]) -> HeaderMap {
    let id = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let sign = webhook.sign(id, i64::try_from(seconds).unwrap(), body).unwrap();
    HeaderMap::from_iter([
        (http::HeaderName::from_static("webhook-id"), HeaderValue::from_static(id)),
        (http::HeaderName::from_static("webhook-signature"), sign.parse().unwrap()),
        (http::HeaderName::from_static("webhook-timestamp"), seconds.into()),
    ])
}

/// `axum-github-webhook-extract`: an extractor, so the making of a small request is in it.
pub(crate) fn github(case: Case) -> Op {
    match case.kind {
        Kind::CallEnded | Kind::Escaped => github_as::<CallEnded>(case),
        Kind::MemberChanged => github_as::<MemberChanged>(case),
        Kind::Unknown => github_as::<Envelope>(case),
    }
}

fn github_as<T: DeserializeOwned + 'static>(case: Case) -> Op {
    let token = GithubToken(Arc::new(TOKEN.to_owned()));
    let body = Bytes::from(case.body.clone());
    let sign = github_sign(&body);
    Op::new(case, move |_| {
        let request = Request::builder()
            .header("x-hub-signature-256", sign.clone())
            .body(Body::from(body.clone()))
            .unwrap();
        // All of the body is there, so that the first poll completes.
        let extracting = pin!(GithubEvent::<T>::from_request(request, &token));
        match extracting.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(event) => event.ok(),
            Poll::Pending => None,
        }
    })
}

/// HMAC-SHA256 by its definition, for a key of less than a block.
fn github_sign(body: &[u8]) -> HeaderValue {
    use sha2::{Digest, Sha256};
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        block.iter_mut().zip(TOKEN.bytes()).for_each(|(pad, key)| *pad ^= key);
        block
    };
    let inner = Sha256::new_with_prefix(pad(0x36)).chain_update(body).finalize();
    let outer = Sha256::new_with_prefix(pad(0x5c)).chain_update(inner).finalize();
    format!("sha256={}", hex::encode(outer)).parse().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peers_accept_what_they_are_given() {
        let case = Case::named("members-2").unwrap();
        let webhook = Webhook::from_bytes(TOKEN.into()).unwrap();
        let headers = standard_headers(&webhook, case.body.as_bytes());
        webhook.verify(case.body.as_bytes(), &headers).unwrap();

        let body = Bytes::from(case.body);
        let request = Request::builder()
            .header("x-hub-signature-256", github_sign(&body))
            .body(Body::from(body))
            .unwrap();
        let token = GithubToken(Arc::new(TOKEN.to_owned()));
        let extracting = pin!(GithubEvent::<CallEnded>::from_request(request, &token));
        let polled = extracting.poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Ok(_))));
    }
}
