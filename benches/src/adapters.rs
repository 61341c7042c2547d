//! The three frameworks, each with the same handlers: `bare` reads the body's bytes and returns the
//! constant answer, `bare+floor` and `bare+core` do the floor's work or core's before, `hand-written`
//! takes the framework's own query and JSON extractors, `ours` takes the adapter. The same services
//! run in process, without a socket, and behind one.

use std::fmt;
use std::future::Future;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use tokio::net::TcpListener;

use crate::cases::Case;
use crate::op::Op;
use crate::{floor, hand_written, ours};

mod actix_web;
mod axum;
mod hyper_server;
mod tower;

/// Where the handlers are.
pub(crate) const PATH: &str = "/callback";

/// A framework.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framework {
    Axum,
    ActixWeb,
    Tower,
}

/// A handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// No handler: the request is made and dropped. What the others have beyond it is theirs.
    Request,
    Bare,
    /// The bare handler, and the floor's work on query and body.
    Floor,
    /// The bare handler, and core's work: the adapter's work without the adapter.
    Core,
    HandWritten,
    Ours,
}

/// What a bare handler does with its query and its body before it answers; `false` is no answer.
type Work = fn(&str, &[u8]) -> bool;

impl Variant {
    /// The work of a variant that is a bare handler and more.
    fn work(self) -> Option<Work> {
        match self {
            Self::Floor => Some(floor::accepts_now),
            Self::Core => Some(ours::accepts_now),
            Self::Request | Self::Bare | Self::HandWritten | Self::Ours => None,
        }
    }
}

/// A request through a framework, without a socket, from the request to the answer's last byte.
pub(crate) fn op(framework: Framework, variant: Variant, case: &Case) -> Op {
    match framework {
        Framework::Axum => axum::op(variant, case),
        Framework::ActixWeb => actix_web::op(variant, case),
        Framework::Tower => tower::op(variant, case),
    }
}

/// Serves a framework's handler for ever, on one thread. Says the address once it listens.
pub(crate) fn serve(framework: Framework, variant: Variant) {
    match framework {
        Framework::Axum => axum::serve(variant),
        Framework::ActixWeb => actix_web::serve(variant),
        Framework::Tower => tower::serve(variant),
    }
}

/// What the hand-written handlers do with what they extracted; `false` is answered with 403.
fn accepts(query: &hand_written::Query, body: &hand_written::CallEnded) -> bool {
    let is_accepted = hand_written::check(query, SystemTime::now());
    std::hint::black_box(&body.call_record.call_id);
    is_accepted && body.callback_command == query.command
}

/// The target of a case's request.
fn target(case: &Case) -> String {
    format!("{PATH}?{}", case.query)
}

/// The bytes of a case's request over HTTP/1.1.
pub(crate) fn http1(case: &Case) -> Vec<u8> {
    let (target, body) = (target(case), &case.body);
    format!(
        "POST {target} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Makes a case's request, for the frameworks that speak `http` 1.
fn requests(case: &Case) -> impl Fn() -> http::Request<Bytes> + 'static {
    let (target, body) =
        (http::Uri::try_from(target(case)).unwrap(), Bytes::from(case.body.clone()));
    move || {
        http::Request::post(target.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_LENGTH, body.len())
            .body(body.clone())
            .unwrap()
    }
}

/// Reads an answer as a server would, and says its status.
async fn answer<B: http_body_util::BodyExt<Error: fmt::Debug>>(response: http::Response<B>) -> u16 {
    let status = response.status().as_u16();
    std::hint::black_box(response.into_body().collect().await.unwrap().to_bytes());
    status
}

/// An operation that is a future, in a runtime that is not part of it.
fn asynchronous<F: Future<Output = u16>>(mut operation: impl FnMut() -> F + 'static) -> Op {
    let runtime = runtime();
    Op::repeated(move |times| {
        runtime.block_on(async {
            for _ in 0..times {
                assert_eq!(operation().await, 200);
            }
        });
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn listen() -> TcpListener {
    TcpListener::bind(("127.0.0.1", 0)).await.unwrap()
}

fn say(address: std::net::SocketAddr) {
    println!("{address}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The operations hold every answer to 200 by themselves.
    #[test]
    fn every_handler_accepts_the_case() {
        for framework in Framework::ALL {
            for variant in Variant::ALL {
                let case = Case::sent_now("members-2").unwrap();
                op(*framework, *variant, &case).run(2);
            }
        }
    }
}
