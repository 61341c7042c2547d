//! What a delivery can be decoded into.

use serde::{Deserialize, Serialize};

use self::decode::Decoded;
use crate::dedup::IdempotencyKey;
use crate::error::Error;
use crate::names::Command;
use crate::params::Params;

mod call_ended;
mod call_started;
mod callback;
mod member;
mod member_changed;

pub use call_ended::CallEnded;
pub use call_started::CallStarted;
pub use callback::{Callback, OtherCallback};
pub use member::Member;
pub use member_changed::{MemberChange, MemberChanged};

/// What a handler asks for: [`CallEnded`], [`CallStarted`], [`MemberChanged`], [`Callback`] for
/// all of them, or [`Undecoded`].
///
/// It decides which commands are taken. An authentic callback for a command that is not taken is
/// acknowledged, and the handler does not run. Only this crate implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no event of Tencent RTC Call",
    label = "not an event",
    note = "take `CallEnded`, `CallStarted`, `MemberChanged`, `Callback` or `Undecoded`"
)]
pub trait Event: decode::Decode + Send + Sync + 'static {}

pub(crate) mod decode {
    use super::{Command, Error, IdempotencyKey, Params};

    /// The half of [`Event`](super::Event) that nobody else can implement or call.
    #[expect(unnameable_types, reason = "`Event` is sealed by it")]
    pub trait Decode: Sized {
        /// Decodes a body by the command in the URL, if that had one.
        fn decode(in_url: Option<&Command>, body: &[u8]) -> Result<Decoded<Self>, Error>;

        /// The key of the delivery that holds this event.
        fn idempotency_key(&self, params: &Params, body: &[u8]) -> IdempotencyKey;
    }

    /// What a body turned out to be.
    #[expect(unnameable_types, reason = "only `Decode` speaks of it")]
    #[derive(Debug)]
    pub enum Decoded<E> {
        /// The event that was asked for.
        Event(E),
        /// A well-formed callback for a command that was not asked for.
        NotTaken(Command),
    }
}

/// The undecoded form: every authentic callback, whatever its body holds.
///
/// Whoever bills takes this form, stores [`Delivery::body`](crate::Delivery::body) first, and
/// calls [`Delivery::decode`](crate::Delivery::decode) after: nothing authentic can be lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Undecoded;

impl Event for Undecoded {}

impl decode::Decode for Undecoded {
    fn decode(_: Option<&Command>, _: &[u8]) -> Result<Decoded<Self>, Error> {
        Ok(Decoded::Event(Self))
    }

    fn idempotency_key(&self, params: &Params, body: &[u8]) -> IdempotencyKey {
        match Callback::decode(params.command(), body) {
            Ok(Decoded::Event(callback)) => callback.idempotency_key(params, body),
            _ => IdempotencyKey::of_body(params, params.command(), body),
        }
    }
}
