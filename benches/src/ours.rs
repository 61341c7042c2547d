//! Our own crates.

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Duration;

use trtc_call_webhook::{
    App, CallEnded, Error, Event, MemberChanged, Receipt, Sign, Token, Undecoded, Verifier,
};

use crate::cases::{APP, Case, Kind, TOKEN, WINDOW};
use crate::op::Op;

/// A receiver as every adapter and server of the benches has it.
pub(crate) fn verifier() -> Verifier {
    let app = App::new(APP).token(TOKEN);
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
    let app = App::new(APP).tokens(TOKENS);
    let verifier = Verifier::builder().app(app).build().ok()?;
    let sign = Token::from(*TOKENS.get(which)?).sign(case.request_time);
    Some(head_of(verifier, case.signed(sign.to_hex())))
}

fn head_of(verifier: Verifier, case: Case) -> Op {
    Op::new(case, move |case| {
        let length = u64::try_from(case.body.len()).ok();
        verifier.check_at("POST", &case.query, length, case.now())
    })
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
    let head = verifier().check_at("POST", &case.query, None, case.now()).unwrap();
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
    let length = u64::try_from(case.body.len()).ok();
    verifier.check_at("POST", &case.query, length, case.now())?.receive(&case.body)
}

/// Whether a call that ended is accepted now, by one receiver for all.
pub(crate) fn accepts_now(query: &str, body: &[u8]) -> bool {
    static RECEIVER: LazyLock<Verifier> = LazyLock::new(verifier);
    let length = u64::try_from(body.len()).ok();
    let head = RECEIVER.check("POST", query, length);
    head.and_then(|head| head.receive::<CallEnded>(body)).map(black_box).is_ok()
}

/// Whether a call that ended is accepted.
#[cfg(test)]
pub(crate) fn accepts(case: &Case) -> bool {
    receive::<CallEnded>(&verifier(), case).is_ok()
}
