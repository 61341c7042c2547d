//! The way of a body into a delivery.

use std::fmt;

use bytes::Bytes;

use super::Head;
use crate::answer::Ack;
use crate::delivery::{Delivery, Receipt};
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::event::decode::Decoded;

/// The body of a request while it arrives: never longer than the limit, and in memory at most about
/// twice of what has arrived.
#[must_use = "the request is answered only after its body is received"]
pub struct BodyBuffer {
    head: Head,
    bytes: Vec<u8>,
}

impl BodyBuffer {
    pub(super) const fn new(head: Head) -> Self {
        Self { head, bytes: Vec::new() }
    }

    /// Takes the next chunk. After an error the request is to be answered, not read on.
    ///
    /// # Errors
    ///
    /// [`BodyTooLarge`](ErrorKind::BodyTooLarge) if the chunk goes beyond the limit.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), Error> {
        let limit = self.head.verifier.body_limit();
        if limit.saturating_sub(self.bytes.len()) < chunk.len() {
            return Err(self.too_large());
        }
        if self.bytes.is_empty() {
            // Most bodies come in one chunk; a copy of it, since the chunk may be a slice of a
            // much larger read buffer that the delivery would keep alive.
            self.bytes = chunk.to_vec();
        } else {
            self.bytes.extend_from_slice(chunk);
        }
        Ok(())
    }

    /// The refusal of a body that is longer than a limit, this receiver's or the framework's own. It is
    /// logged here, as every refusal is.
    #[must_use]
    pub fn too_large(&self) -> Error {
        self.refuse(Error::new(ErrorKind::BodyTooLarge, "the body is longer than the limit"))
    }

    /// The refusal of a body that did not arrive whole; `source` is what the transport said. It is
    /// logged here, as every refusal is.
    #[must_use]
    pub fn unreadable(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        self.refuse(Error::unreadable_body(source.into()))
    }

    /// Takes the body as complete.
    ///
    /// # Errors
    ///
    /// Unless `E` is [`Undecoded`](crate::Undecoded):
    /// [`MalformedBody`](ErrorKind::MalformedBody),
    /// [`CommandMismatch`](ErrorKind::CommandMismatch), [`NoCallId`](ErrorKind::NoCallId).
    pub fn receive<E: Event>(self) -> Result<Receipt<E>, Error> {
        match E::decode(self.head.params.command(), &self.bytes) {
            Ok(Decoded::Event(event)) => {
                // The exact size: what a body that came in pieces left over is given back.
                let body = Bytes::from(self.bytes.into_boxed_slice());
                let Head { params, is_signed, .. } = self.head;
                Ok(Receipt::Deliver(Delivery::new(params, is_signed, body, event)))
            }
            Ok(Decoded::NotTaken(command)) => {
                self.head.verifier.log().not_taken(&command);
                Ok(Receipt::Acknowledge(Ack::ok()))
            }
            Err(error) => Err(self.refuse(error)),
        }
    }

    fn refuse(&self, error: Error) -> Error {
        let is_lost = self.head.is_signed && error.kind() != ErrorKind::BodyTooLarge;
        self.head.verifier.log().refused(&error, is_lost);
        error
    }
}

impl fmt::Debug for BodyBuffer {
    /// Leaves the body out, but for its length in bytes so far.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyBuffer")
            .field("head", &self.head)
            .field("body_length", &self.bytes.len())
            .finish()
    }
}
