//! Our own crates.

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Duration;

use trtc_call_webhook::adapter::{Receipt, RequestHead};
use trtc_call_webhook::{
    CallEnded, Event, MemberChanged, SdkApp, Sign, Token, Undecoded, Verifier,
};

use crate::cases::{APP, Case, Kind, TOKEN, WINDOW};
use crate::op::Op;

/// A verifier as every adapter and server of the benches has it.
pub(crate) fn verifier() -> Verifier {
    let app = SdkApp::signed(APP, TOKEN);
    Verifier::builder().app(app).replay_window(Duration::from_secs(WINDOW)).build().unwrap()
}

/// One step of the work.
pub(crate) fn op(step: &str, case: Case) -> Op {
    match (step, case.kind) {
        // Everything before the body is read, with the signature.
        ("head", _) => head_of(verifier(), case),
        // Its hex digits, the hash and the comparison alone.
        ("signature", _) => {
            let token = Token::from(TOKEN);
            Op::new(case, move |case| {
                Sign::from_hex(&case.sign) == Some(token.sign(case.request_time))
            })
        }
        // The body alone: from bytes to an event.
        ("decode", Kind::MemberChanged) => decode_as::<MemberChanged>(case),
        ("decode", _) => decode_as::<CallEnded>(case),
        // From a query and a body to a delivery.
        (_, Kind::MemberChanged) => all_as::<MemberChanged>(case),
        _ => all_as::<CallEnded>(case),
    }
}

/// The tokens of an app in a rotation that nobody finishes.
pub(crate) const TOKENS: [&str; 4] = ["first", "second", "third", "fourth"];

/// A head that is signed with one of several tokens.
pub(crate) fn rotation(case: &Case, which: &str) -> Op {
    let app = SdkApp::signed(APP, TOKENS[0]);
    let app = TOKENS[1..].iter().fold(app, |app, token| app.or_token(*token));
    let verifier = Verifier::builder().app(app).build().unwrap();
    let sign = Token::from(TOKENS[which.parse::<usize>().unwrap()]).sign(case.request_time);
    head_of(verifier, case.signed(sign.to_hex()))
}

fn head_of(verifier: Verifier, case: Case) -> Op {
    Op::new(case, move |case| verifier.check(request_head(case)))
}

/// A head as an adapter makes it of a request at the case's time.
fn request_head(case: &Case) -> RequestHead<'_> {
    let head = RequestHead::new("POST", &case.query).content_length(case.body.len() as u64);
    head.received_at(case.now())
}

fn decode_as<E: Event>(case: Case) -> Op {
    let head = verifier().check(request_head(&case)).unwrap();
    let Receipt::Deliver(delivery) = head.receive::<Undecoded>(&case.body).unwrap() else {
        unreachable!("the undecoded form takes every command")
    };
    Op::new(case, move |_| delivery.decode::<E>().unwrap())
}

fn all_as<E: Event>(case: Case) -> Op {
    let verifier = verifier();
    Op::new(case, move |case| {
        verifier.check(request_head(case)).unwrap().receive::<E>(&case.body).unwrap()
    })
}

/// Whether a call that ended is accepted now, by one verifier for all.
pub(crate) fn accepts_now(query: &str, body: &[u8]) -> bool {
    static VERIFIER: LazyLock<Verifier> = LazyLock::new(verifier);
    let head = RequestHead::new("POST", query).content_length(body.len() as u64);
    VERIFIER.check(head).and_then(|head| head.receive::<CallEnded>(body)).map(black_box).is_ok()
}
