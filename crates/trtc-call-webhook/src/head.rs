//! A request whose head passed every check.

use crate::delivery::Receipt;
use crate::error::Error;
use crate::event::Event;
use crate::params::Params;
use crate::verifier::Verifier;

mod body_buffer;

pub use body_buffer::BodyBuffer;

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
/// Only [`Verifier::check`] makes one, and only a head makes a [`Delivery`](crate::Delivery): from a body that is
/// there already with [`receive`](Self::receive), or chunk by chunk through
/// [`read_body`](Self::read_body).
#[derive(Clone, Debug)]
#[must_use = "the request is answered only after its body is received"]
pub struct Head {
    verifier: Verifier,
    params: Params,
    is_signed: bool,
}

impl Head {
    pub(crate) const fn new(verifier: Verifier, params: Params, is_signed: bool) -> Self {
        Self { verifier, params, is_signed }
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
    /// [`BodyTooLarge`](crate::ErrorKind::BodyTooLarge) above the receiver's limit, and unless `E` is
    /// [`Undecoded`](crate::Undecoded): [`MalformedBody`](crate::ErrorKind::MalformedBody),
    /// [`CommandMismatch`](crate::ErrorKind::CommandMismatch), [`NoCallId`](crate::ErrorKind::NoCallId).
    pub fn receive<E: Event>(self, body: impl AsRef<[u8]>) -> Result<Receipt<E>, Error> {
        let mut buffer = self.read_body();
        buffer.push(body.as_ref())?;
        buffer.receive()
    }

    /// Starts to take the body as it arrives.
    pub const fn read_body(self) -> BodyBuffer {
        BodyBuffer::new(self)
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
