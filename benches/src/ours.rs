//! Our own crates.

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Duration;

use trtc_call_webhook::adapter::{Receipt, RequestHead};
use trtc_call_webhook::{
    CallEnded, Error, Event, MemberChanged, SdkApp, Sign, Token, Undecoded, Verifier,
};

use crate::cases::{APP, Case, Kind, TOKEN, WINDOW};
use crate::op::Op;

/// A verifier as every adapter and server of the benches has it.
pub(crate) fn verifier() -> Verifier {
    let app = SdkApp::signed(APP, TOKEN);
    Verifier::builder().app(app).replay_window(Duration::from_secs(WINDOW)).build().unwrap()
}

/// Everything before the body is read, with the signature.
pub(crate) fn head(case: Case) -> Op {
    head_of(verifier(), case)
}

/// The tokens of an app in a rotation that nobody finishes.
pub(crate) const TOKENS: [&str; 4] = ["first", "second", "third", "fourth"];

/// A head that is signed with one of several tokens.
pub(crate) fn rotation(case: &Case, which: usize) -> Option<Op> {
    let (first, more) = TOKENS.split_first()?;
    let app = more.iter().fold(SdkApp::signed(APP, *first), |app, token| app.or_token(*token));
    let verifier = Verifier::builder().app(app).build().ok()?;
    let sign = Token::from(*TOKENS.get(which)?).sign(case.request_time);
    Some(head_of(verifier, case.signed(sign.to_hex())))
}

fn head_of(verifier: Verifier, case: Case) -> Op {
    Op::new(case, move |case| verifier.check(request_head(case)))
}

/// A head as an adapter makes it of a request at the case's time.
fn request_head(case: &Case) -> RequestHead<'_> {
    announced(&case.query, case.body.as_bytes()).received_at(case.now())
}

fn announced<'a>(query: &'a str, body: &[u8]) -> RequestHead<'a> {
    RequestHead::new("POST", query).content_length(body.len() as u64)
}

/// The signature alone: its hex digits, the hash and the comparison.
pub(crate) fn signature(case: Case) -> Op {
    let token = Token::from(TOKEN);
    Op::new(case, move |case| Sign::from_hex(&case.sign) == Some(token.sign(case.request_time)))
}

/// The body alone: from bytes to an event.
pub(crate) fn decode(case: Case) -> Op {
    match case.kind {
        Kind::MemberChanged => decode_as::<MemberChanged>(case),
        _ => decode_as::<CallEnded>(case),
    }
}

fn decode_as<E: Event>(case: Case) -> Op {
    let head = verifier().check(request_head(&case)).unwrap();
    let Receipt::Deliver(delivery) = head.receive::<Undecoded>(&case.body).unwrap() else {
        unreachable!("the undecoded form takes every command")
    };
    Op::new(case, move |_| delivery.decode::<E>())
}

/// All of it: from a query and a body to a delivery.
pub(crate) fn all(case: Case) -> Op {
    match case.kind {
        Kind::MemberChanged => all_as::<MemberChanged>(case),
        _ => all_as::<CallEnded>(case),
    }
}

fn all_as<E: Event>(case: Case) -> Op {
    let verifier = verifier();
    Op::new(case, move |case| receive::<E>(&verifier, case))
}

fn receive<E: Event>(verifier: &Verifier, case: &Case) -> Result<Receipt<E>, Error> {
    verifier.check(request_head(case))?.receive(&case.body)
}

/// Whether a call that ended is accepted now, by one verifier for all.
pub(crate) fn accepts_now(query: &str, body: &[u8]) -> bool {
    static VERIFIER: LazyLock<Verifier> = LazyLock::new(verifier);
    let head = VERIFIER.check(announced(query, body));
    head.and_then(|head| head.receive::<CallEnded>(body)).map(black_box).is_ok()
}

/// Whether a call that ended is accepted.
#[cfg(test)]
pub(crate) fn accepts(case: &Case) -> bool {
    receive::<CallEnded>(&verifier(), case).is_ok()
}
