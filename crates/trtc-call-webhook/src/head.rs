//! A request whose head passed every check, and the way of its body into a delivery.

use std::fmt;

use bytes::Bytes;

use crate::answer::Ack;
use crate::delivery::{Delivery, Receipt};
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::event::decode::Decoded;
use crate::params::Params;
use crate::receiver::Receiver;

/// The number of bytes that a `Content-Length` header announces, from the header's value.
///
/// One beyond 64 bits is the largest there is; what is no number announces nothing, and is the
/// server's to refuse.
#[must_use]
pub fn content_length(value: &[u8]) -> Option<u64> {
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| is_number)?;
    Some(text.parse().unwrap_or(u64::MAX))
}

/// The head of a request that passed every check that needs no body.
///
/// Only [`Receiver::check`] makes one, and only a head makes a [`Delivery`]: from a body that is
/// there already with [`receive`](Self::receive), or chunk by chunk through
/// [`read_body`](Self::read_body).
#[derive(Clone, Debug)]
#[must_use = "the request is answered only after its body is received"]
pub struct Head {
    receiver: Receiver,
    params: Params,
    is_signed: bool,
}

impl Head {
    pub(crate) const fn new(receiver: Receiver, params: Params, is_signed: bool) -> Self {
        Self { receiver, params, is_signed }
    }

    /// What the URL said.
    #[must_use]
    pub const fn params(&self) -> &Params {
        &self.params
    }

    /// Whether a signature was checked and was right. `false` for an app without tokens.
    #[must_use]
    pub const fn is_signed(&self) -> bool {
        self.is_signed
    }

    /// Takes a body that has been read already.
    ///
    /// # Errors
    ///
    /// [`BodyTooLarge`](ErrorKind::BodyTooLarge) above the receiver's limit, and unless `E` is
    /// [`Undecoded`](crate::Undecoded): [`MalformedBody`](ErrorKind::MalformedBody),
    /// [`CommandMismatch`](ErrorKind::CommandMismatch), [`NoCallId`](ErrorKind::NoCallId).
    pub fn receive<E: Event>(self, body: impl AsRef<[u8]>) -> Result<Receipt<E>, Error> {
        let mut buffer = self.read_body();
        buffer.push(body.as_ref())?;
        buffer.receive()
    }

    /// Starts to take the body as it arrives.
    pub const fn read_body(self) -> BodyBuffer {
        BodyBuffer { head: self, bytes: Vec::new() }
    }
}

/// The body of a request while it arrives: never longer than the limit, and in memory at most about
/// twice of what has arrived.
#[must_use = "the request is answered only after its body is received"]
pub struct BodyBuffer {
    head: Head,
    bytes: Vec<u8>,
}

impl BodyBuffer {
    /// Takes the next chunk. After an error the request is to be answered, not read on.
    ///
    /// # Errors
    ///
    /// [`BodyTooLarge`](ErrorKind::BodyTooLarge) if the chunk goes beyond the limit.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), Error> {
        let limit = self.head.receiver.body_limit();
        if limit.saturating_sub(self.bytes.len()) < chunk.len() {
            return Err(self.too_large());
        }
        if self.bytes.is_empty() {
            // Most bodies come in one chunk; a copy of it, since the chunk may be a slice of a
            // much larger read buffer that the delivery would keep alive.
            self.bytes.reserve_exact(chunk.len());
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    /// The body is longer than a limit, this receiver's or the framework's own.
    #[must_use]
    pub fn too_large(&self) -> Error {
        self.refuse(Error::new(ErrorKind::BodyTooLarge, "the body is longer than the limit"))
    }

    /// The body did not arrive whole; `source` is what the transport said.
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
                let Self { head: Head { params, is_signed, .. }, bytes } = self;
                // The exact size: what a body that came in pieces left over is given back.
                let body = Bytes::from(bytes.into_boxed_slice());
                Ok(Receipt::Deliver(Delivery::new(params, is_signed, body, event)))
            }
            Ok(Decoded::NotTaken(command)) => {
                self.head.receiver.log().not_taken(&command);
                Ok(Receipt::Acknowledge(Ack::ok()))
            }
            Err(error) => Err(self.refuse(error)),
        }
    }

    fn refuse(&self, error: Error) -> Error {
        let is_lost = self.head.is_signed && error.kind() != ErrorKind::BodyTooLarge;
        self.head.receiver.log().refused(&error, is_lost);
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

#[cfg(test)]
mod tests {
    use super::content_length;

    #[test]
    fn a_content_length_is_digits_however_many() {
        assert_eq!(content_length(b"0"), Some(0));
        assert_eq!(content_length(b"0262144"), Some(262_144));
        assert_eq!(content_length(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(content_length(b"18446744073709551616"), Some(u64::MAX));
        for value in [&b""[..], b"+1", b"-1", b" 1", b"1,1", b"0x1", b"\xff"] {
            assert_eq!(content_length(value), None);
        }
    }
}
