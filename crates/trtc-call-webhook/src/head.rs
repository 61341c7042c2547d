//! The head of a request: as it came, and as it passed every check.

use std::sync::Arc;

use crate::config::Config;
use crate::decode::Event;
use crate::delivery::Receipt;
use crate::error::{Error, Reason};
use crate::params::Params;
use crate::signature::Signature;

mod body_buffer;
mod request_head;

pub use body_buffer::BodyBuffer;
pub(crate) use request_head::Framing;
pub use request_head::RequestHead;

/// The head of a request that passed every check that needs no body.
///
/// Only [`Verifier::check`](crate::Verifier::check) makes one, and only a head makes a
/// [`Delivery`](crate::Delivery): from a body that is there already with [`receive`](Self::receive), or
/// chunk by chunk through [`read_body`](Self::read_body).
#[must_use = "the request is answered only after its body is received"]
pub struct Head {
    config: Arc<Config>,
    params: Params,
    signature: Signature,
    framing: Framing,
}

impl Head {
    pub(crate) const fn new(
        config: Arc<Config>,
        params: Params,
        signature: Signature,
        framing: Framing,
    ) -> Self {
        Self { config, params, signature, framing }
    }

    /// What the URL said.
    #[must_use]
    pub const fn params(&self) -> &Params {
        &self.params
    }

    /// What the signature was found to be.
    #[must_use]
    pub const fn signature(&self) -> Signature {
        self.signature
    }

    /// The number of bytes that `Content-Length` announces, if it is there.
    #[must_use]
    pub const fn content_length(&self) -> Option<u64> {
        self.framing.content_length
    }

    /// Takes a body that has been read already: of one that is longer than announced, as much as was
    /// announced.
    ///
    /// # Errors
    ///
    /// [`BodyTooLarge`] above the verifier's limit, [`UnreadableBody`] if it is shorter than announced,
    /// and unless `E` is [`Undecoded`](crate::Undecoded): [`MalformedBody`], [`CommandMismatch`],
    /// [`NoCallId`].
    ///
    /// [`BodyTooLarge`]: crate::ErrorKind::BodyTooLarge
    /// [`UnreadableBody`]: crate::ErrorKind::UnreadableBody
    /// [`MalformedBody`]: crate::ErrorKind::MalformedBody
    /// [`CommandMismatch`]: crate::ErrorKind::CommandMismatch
    /// [`NoCallId`]: crate::ErrorKind::NoCallId
    pub fn receive<E: Event>(self, body: impl AsRef<[u8]>) -> Result<Receipt<E>, Error> {
        let mut buffer = self.read_body();
        buffer.push(body.as_ref())?;
        buffer.receive()
    }

    /// Refuses a body that is announced to be longer than a limit of the framework's own, in bytes. Logs
    /// it, as every refusal is.
    #[must_use]
    pub fn refuse_too_large(self, limit: u64) -> Error {
        self.read_body().refuse(Error::new(Reason::AnnouncedTooLarge), Some(limit))
    }

    /// Starts to take the body as it arrives.
    pub const fn read_body(self) -> BodyBuffer {
        BodyBuffer::new(self)
    }
}

impl std::fmt::Debug for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Head")
            .field("params", &self.params)
            .field("signature", &self.signature)
            .field("content_length", &self.framing.content_length)
            .finish_non_exhaustive()
    }
}
