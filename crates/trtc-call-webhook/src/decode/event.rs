//! What a handler asks for, and how each is decoded.

use serde::{Deserialize, Serialize};

use self::sealed::Decode;
pub(crate) use self::sealed::Decoded;
use super::{Opened, decode, single};
use crate::config::SdkAppId;
use crate::error::Error;
use crate::event::{
    CallEnded, CallResult, CallStarted, Callback, Command, MemberChanged, OtherCallback,
};
use crate::idempotency_key::{IdempotencyKey, Keyed};
use crate::wire::{CallEndedBody, CallStartedBody, MemberChangedBody};

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
pub trait Event: Decode + Keyed + Send + Sync + 'static {}

mod sealed {
    use super::{CallResult, Command, Error};

    /// The half of [`Event`](super::Event) that nobody else can implement. Whoever calls it calls what a
    /// later version may change.
    #[expect(unnameable_types, reason = "`Event` is sealed by it")]
    pub trait Decode: Sized {
        /// Decodes a body by the command in the URL, if that had one.
        fn decode(in_url: Option<&Command>, body: &[u8]) -> Result<Decoded<Self>, Error>;

        /// How the call ended, if this is the end of one.
        fn result(&self) -> Option<&CallResult> {
            None
        }
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

impl Event for CallEnded {}

impl Decode for CallEnded {
    fn decode(in_url: Option<&Command>, body: &[u8]) -> Result<Decoded<Self>, Error> {
        single::<CallEndedBody<'_>>(in_url, body)
    }

    fn result(&self) -> Option<&CallResult> {
        self.result.as_ref()
    }
}

impl Event for CallStarted {}

impl Decode for CallStarted {
    fn decode(in_url: Option<&Command>, body: &[u8]) -> Result<Decoded<Self>, Error> {
        single::<CallStartedBody<'_>>(in_url, body)
    }
}

impl Event for MemberChanged {}

impl Decode for MemberChanged {
    fn decode(in_url: Option<&Command>, body: &[u8]) -> Result<Decoded<Self>, Error> {
        single::<MemberChangedBody<'_>>(in_url, body)
    }
}

impl Event for Callback {}

impl Decode for Callback {
    fn decode(in_url: Option<&Command>, body: &[u8]) -> Result<Decoded<Self>, Error> {
        let opened = Opened::new(in_url, body)?;
        let event = match *opened.command {
            Command::CallEnded => opened.event::<CallEndedBody<'_>>()?.map(Self::CallEnded),
            Command::CallStarted => opened.event::<CallStartedBody<'_>>()?.map(Self::CallStarted),
            Command::MemberChanged => {
                opened.event::<MemberChangedBody<'_>>()?.map(Self::MemberChanged)
            }
            Command::Other(_) => opened.envelope().map(|()| None)?,
        };
        let Opened { text, command, .. } = opened;
        let other = || Self::Other(OtherCallback::new(command.into_owned(), text));
        Ok(Decoded::Event(event.unwrap_or_else(other)))
    }

    fn result(&self) -> Option<&CallResult> {
        if let Self::CallEnded(call) = self { call.result.as_ref() } else { None }
    }
}

impl Event for Undecoded {}

impl Decode for Undecoded {
    fn decode(_: Option<&Command>, _: &[u8]) -> Result<Decoded<Self>, Error> {
        Ok(Decoded::Event(Self))
    }
}

impl Keyed for Undecoded {
    fn key(&self, app: SdkAppId, in_url: Option<&Command>, body: &[u8]) -> IdempotencyKey {
        match decode::<Callback>(in_url, body) {
            Ok(Some(callback)) => callback.key(app, in_url, body),
            _ => IdempotencyKey::of_body(app, in_url, body),
        }
    }
}
