//! One verified request, ready for a handler.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::answer::Ack;
use crate::decode::Event;
use crate::error::Error;
use crate::idempotency_key::IdempotencyKey;
use crate::params::Params;
use crate::signature::Signature;

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

/// One verified request: its parameters, its exact body, and the event decoded from it.
///
/// Only a [`Head`](crate::adapter::Head) makes one, so whoever holds one knows that the app is ours and
/// that the signature is as the app asks. One allocation shared by all clones.
///
/// It dereferences to the event: `delivery.call_id`.
pub struct Delivery<E>(Arc<Inner<E>>);

struct Inner<E> {
    params: Params,
    signature: Signature,
    body: Bytes,
    event: E,
    key: OnceLock<IdempotencyKey>,
}

impl<E> Delivery<E> {
    pub(crate) fn new(params: Params, signature: Signature, body: Bytes, event: E) -> Self {
        Self(Arc::new(Inner { params, signature, body, event, key: OnceLock::new() }))
    }

    /// What the URL said.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.0.params
    }

    /// What the signature was found to be.
    #[must_use]
    pub fn signature(&self) -> Signature {
        self.0.signature
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
    /// use trtc_call_webhook::sender::Request;
    /// use trtc_call_webhook::{CallEnded, Command, SdkApp, Undecoded, Verifier};
    ///
    /// let verifier = Verifier::builder().app(SdkApp::unsigned(1400000001)).build()?;
    /// let ended = Request::sample(1400000001, Command::CallEnded);
    ///
    /// let delivery = ended.deliver_to::<Undecoded>(&verifier)?.expect("it takes everything");
    /// let event = delivery.decode::<CallEnded>()?;
    /// assert_eq!(event.unwrap().caller.as_deref(), Some("10001"));
    ///
    /// let broken = ended.with_body("not JSON at all");
    /// let delivery = broken.deliver_to::<Undecoded>(&verifier)?.expect("it takes everything");
    /// assert_eq!(delivery.body(), "not JSON at all");
    /// assert!(delivery.decode::<CallEnded>().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn decode<D: Event>(&self) -> Result<Option<D>, Error> {
        crate::decode::decode(self.0.params.command(), &self.0.body)
    }

    /// The same delivery in another form: with the event that [`decode`](Self::decode) finds.
    ///
    /// # Errors
    ///
    /// Those of [`decode`](Self::decode).
    pub fn decode_as<D: Event>(&self) -> Result<Option<Delivery<D>>, Error> {
        let Inner { params, signature, body, .. } = &*self.0;
        let event = self.decode::<D>()?;
        Ok(event.map(|event| Delivery::new(params.clone(), *signature, body.clone(), event)))
    }
}

impl<E: Event> Delivery<E> {
    /// The key by which this delivery is known again if it is delivered again, whatever form it
    /// was taken in. It is made once for each delivery, when it is first asked for.
    ///
    /// The [`Undecoded`](crate::Undecoded) form decodes the body for it. A body that does not decode, or
    /// of a command that this version does not know, is no event yet and gets a key of its SHA-256.
    #[must_use]
    pub fn idempotency_key(&self) -> &IdempotencyKey {
        let Inner { params, body, event, key, .. } = &*self.0;
        key.get_or_init(|| event.key(params.sdk_app_id(), params.command(), body))
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
            .field("signature", &self.signature())
            .field("body_length", &self.body().len())
            .field("event", self.event())
            .finish()
    }
}
