//! One verified request, ready for a handler.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;

use crate::answer::Ack;
use crate::dedup::IdempotencyKey;
use crate::error::Error;
use crate::event::Event;
use crate::params::Params;

/// What is to be done with a verified request.
#[derive(Debug)]
#[must_use = "a verified request is answered by the handler, or acknowledged"]
pub enum Receipt<E> {
    /// The handler runs, and its [`Ack`] is the answer.
    Deliver(Delivery<E>),
    /// The callback is authentic, but `E` does not take its command: this is the answer, and no
    /// handler runs.
    Acknowledge(Ack),
}

impl<E> Receipt<E> {
    /// The delivery, if there is one for a handler.
    #[must_use]
    pub fn into_delivery(self) -> Option<Delivery<E>> {
        match self {
            Self::Deliver(delivery) => Some(delivery),
            Self::Acknowledge(_) => None,
        }
    }
}

/// One verified request: its parameters, its exact body, and the event decoded from it.
///
/// Only a [`Head`](crate::Head) makes one, so whoever holds one knows that the app is ours and
/// that the signature satisfies the app's policy. One allocation shared by all clones.
///
/// It dereferences to the event: `delivery.call_id`.
pub struct Delivery<E>(Arc<Inner<E>>);

struct Inner<E> {
    params: Params,
    is_signed: bool,
    body: Bytes,
    event: E,
}

impl<E> Delivery<E> {
    pub(crate) fn new(params: Params, is_signed: bool, body: Bytes, event: E) -> Self {
        Self(Arc::new(Inner { params, is_signed, body, event }))
    }

    /// What the URL said.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.0.params
    }

    /// Whether a signature was checked and was right. `false` for an app without tokens.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.0.is_signed
    }

    /// The body, byte for byte as it was received. The signature does not cover it.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.0.body
    }

    /// The event decoded from the body.
    #[must_use]
    pub fn event(&self) -> &E {
        &self.0.event
    }

    /// The event by value; cloned if there are other clones of the delivery.
    #[must_use]
    pub fn into_event(self) -> E
    where
        E: Clone,
    {
        Arc::try_unwrap(self.0).map_or_else(|shared| shared.event.clone(), |inner| inner.event)
    }

    /// Decodes the body, again or for the first time, as often as one likes.
    ///
    /// `None` means that the callback is authentic but that `D` does not take its command.
    ///
    /// # Errors
    ///
    /// [`MalformedBody`](crate::ErrorKind::MalformedBody),
    /// [`CommandMismatch`](crate::ErrorKind::CommandMismatch),
    /// [`NoCallId`](crate::ErrorKind::NoCallId).
    ///
    /// ```
    /// use trtc_call_webhook::{App, CallEnded, Receipt, Verifier, Undecoded};
    ///
    /// let verifier = Verifier::builder().app(App::new(1400000001)).build()?;
    /// let query = "SdkAppid=1400000001&CallbackCommand=Call.CallbackAfterEndCall";
    /// let receive = |body: &str| verifier.check("POST", query, None)?.receive::<Undecoded>(body);
    ///
    /// let Receipt::Deliver(whole) = receive(r#"{"CallRecord":{"CallId":"a-1"}}"#)? else { panic!() };
    /// let event = whole.decode::<CallEnded>()?;
    /// assert_eq!(event.unwrap().call_id, "a-1");
    ///
    /// let Receipt::Deliver(broken) = receive("not JSON at all")? else { panic!() };
    /// assert_eq!(broken.body(), "not JSON at all");
    /// assert!(broken.decode::<CallEnded>().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn decode<D: Event>(&self) -> Result<Option<D>, Error> {
        crate::decode::decode(self.0.params.command(), &self.0.body)
    }
}

impl<E: Event> Delivery<E> {
    /// The key by which this delivery is known again if it is delivered again, whatever form it
    /// was taken in.
    ///
    /// The [`Undecoded`](crate::Undecoded) form decodes the body for it, at every call. A body that
    /// does not decode, or of an unknown command, gets a key of its SHA-256; a later version of this
    /// crate may be able to decode it, and then gives it the key of its event.
    #[must_use]
    pub fn idempotency_key(&self) -> IdempotencyKey {
        self.0.event.idempotency_key(&self.0.params, &self.0.body)
    }
}

impl<E> Clone for Delivery<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<E> Deref for Delivery<E> {
    type Target = E;

    fn deref(&self) -> &E {
        self.event()
    }
}

impl<E: fmt::Debug> fmt::Debug for Delivery<E> {
    /// Leaves the body out, but for its length in bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("params", self.params())
            .field("is_signed", &self.is_signed())
            .field("body_length", &self.body().len())
            .field("event", self.event())
            .finish()
    }
}
