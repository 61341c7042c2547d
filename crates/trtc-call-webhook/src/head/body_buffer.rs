//! The way of a body into a delivery.

use std::fmt;

use bytes::Bytes;

use super::Head;
use crate::answer::Ack;
use crate::decode::{Decoded, Event};
use crate::delivery::{Delivery, Receipt};
use crate::error::{Error, Reason};
use crate::event::{CallResult, Command};
use crate::log::About;

/// The body of a request while it arrives: never longer than the limit, and in memory at most about
/// twice of what has arrived.
///
/// It takes exactly as many bytes as `Content-Length` announced, where that decides: push chunks until
/// the body ends or [`is_complete`](Self::is_complete) says so. Once it has refused, it refuses
/// everything after.
#[must_use = "the request is answered only after its body is received"]
pub struct BodyBuffer {
    head: Head,
    bytes: Vec<u8>,
    refused: Option<Error>,
}

impl BodyBuffer {
    pub(super) const fn new(head: Head) -> Self {
        Self { head, bytes: Vec::new(), refused: None }
    }

    /// Takes the next chunk; of one that goes beyond the announced length, what belongs to the body.
    ///
    /// # Errors
    ///
    /// [`BodyTooLarge`](crate::ErrorKind::BodyTooLarge) if the chunk goes beyond the limit, and whatever was
    /// refused before. The request is to be answered then, and not read on.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), Error> {
        if let Some(error) = &self.refused {
            return Err(error.clone());
        }
        let chunk = match self.missing() {
            Some(missing) => chunk.get(..missing).unwrap_or(chunk),
            None => chunk,
        };
        let limit = self.head.config.body_limit;
        if limit.saturating_sub(self.bytes.len()) < chunk.len() {
            return Err(self.refuse_too_large(limit.try_into().ok()));
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

    /// Whether all that was announced is there: nothing more of the body is to be read then, whatever
    /// else the connection brings. Always `false` where no `Content-Length` decides.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.missing() == Some(0)
    }

    /// How many of the announced bytes are still to come.
    fn missing(&self) -> Option<usize> {
        let end = usize::try_from(self.head.framing.end()?).unwrap_or(usize::MAX);
        Some(end.saturating_sub(self.bytes.len()))
    }

    /// Refuses a body that is longer than a limit of the framework's own, in bytes if that is known. Logs
    /// it, as every refusal is.
    #[must_use]
    pub fn refuse_too_large(&mut self, limit: Option<u64>) -> Error {
        self.refuse(Error::new(Reason::TooLarge), limit)
    }

    /// Refuses a body whose transport broke; `source` is what that said. Logs it.
    #[must_use]
    pub fn refuse_broken(
        &mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        self.refuse(Error::transport(source.into()), None)
    }

    /// Takes the body as complete. That no handler takes it is logged.
    ///
    /// # Errors
    ///
    /// What was refused before; [`UnreadableBody`](crate::ErrorKind::UnreadableBody) if it is shorter than
    /// announced; and unless `E` is [`Undecoded`](crate::Undecoded):
    /// [`MalformedBody`](crate::ErrorKind::MalformedBody),
    /// [`CommandMismatch`](crate::ErrorKind::CommandMismatch), [`NoCallId`](crate::ErrorKind::NoCallId).
    pub fn receive<E: Event>(self) -> Result<Receipt<E>, Error> {
        let delivery = self.finish(true)?;
        Ok(delivery.map_or_else(|| Receipt::Acknowledge(Ack::ok()), Receipt::Deliver))
    }

    /// Takes the body as complete, for a handler that runs also where `E` does not take the command: that
    /// is `None`.
    ///
    /// # Errors
    ///
    /// As [`receive`](Self::receive).
    pub fn receive_optional<E: Event>(self) -> Result<Option<Delivery<E>>, Error> {
        self.finish(false)
    }

    /// The delivery, or none where `E` does not take the command. No handler runs then if it `needs_event`.
    #[inline]
    fn finish<E: Event>(mut self, needs_event: bool) -> Result<Option<Delivery<E>>, Error> {
        if let Some(error) = self.refused {
            return Err(error);
        }
        if self.missing().is_some_and(|missing| missing > 0) {
            return Err(self.refuse(Error::new(Reason::BodyEndsEarly), None));
        }
        let Head { config, params, .. } = &self.head;
        match E::decode(params.command(), &self.bytes) {
            Ok(Decoded::Event(event)) => {
                if let Some(command @ Command::Other(_)) = params.command() {
                    config.log.unknown_command(command);
                }
                if let Some(result @ CallResult::Other(_)) = event.result() {
                    config.log.unknown_result(result);
                }
                // The exact size: what a body that came in pieces left over is given back.
                let body = Bytes::from(self.bytes.into_boxed_slice());
                let Head { params, signature, .. } = self.head;
                Ok(Some(Delivery::new(params, signature, body, event)))
            }
            Ok(Decoded::NotTaken(command)) => {
                if needs_event {
                    config.log.not_taken(&command);
                }
                Ok(None)
            }
            Err(error) => Err(self.refuse(error, None)),
        }
    }

    /// The first refusal stands, and is logged.
    pub(super) fn refuse(&mut self, error: Error, limit: Option<u64>) -> Error {
        let Head { config, params, signature, .. } = &self.head;
        self.refused
            .get_or_insert_with(|| {
                let (app, command) = (Some(params.sdk_app_id()), params.command());
                let is_signed = signature.is_valid();
                config.log.refused(&error, About { app, command, is_signed, limit });
                error
            })
            .clone()
    }
}

impl fmt::Debug for BodyBuffer {
    /// Leaves the body out, but for its length in bytes so far.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyBuffer")
            .field("head", &self.head)
            .field("body_length", &self.bytes.len())
            .field("refused", &self.refused)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use crate::adapter::{BodyBuffer, Receipt, RequestHead};
    use crate::{Error, Reason, SdkApp, Undecoded, Verifier};

    fn buffer(limit: usize, announced: Option<u64>) -> BodyBuffer {
        let app = SdkApp::unsigned(7);
        let verifier = Verifier::builder().app(app).body_limit(limit).build().unwrap();
        let head = RequestHead::new("POST", "SdkAppid=7");
        let head = announced.map_or(head, |length| head.content_length(length));
        verifier.check(head).unwrap().read_body()
    }

    fn received(buffer: BodyBuffer) -> Result<Vec<u8>, Reason> {
        match buffer.receive::<Undecoded>() {
            Ok(Receipt::Deliver(delivery)) => Ok(delivery.body().to_vec()),
            Ok(Receipt::Acknowledge(_)) => unreachable!("the undecoded form takes everything"),
            Err(error) => Err(error.reason()),
        }
    }

    #[test]
    fn it_takes_what_was_announced_and_no_more() {
        let mut buffer = buffer(10, Some(3));
        assert!(!buffer.is_complete());
        buffer.push(b"ab").unwrap();
        assert!(!buffer.is_complete());
        buffer.push(b"cd").unwrap();
        assert!(buffer.is_complete());
        buffer.push(&[b'e'; 100]).unwrap();
        assert_eq!(received(buffer), Ok(b"abc".to_vec()));
    }

    #[test]
    fn it_is_refused_if_less_comes_than_was_announced() {
        for chunk in [&b""[..], b"ab"] {
            let mut buffer = buffer(10, Some(3));
            buffer.push(chunk).unwrap();
            assert_eq!(received(buffer), Err(Reason::BodyEndsEarly));
        }
    }

    #[test]
    fn after_a_refusal_it_refuses_everything() {
        let mut full = buffer(3, None);
        full.push(b"abc").unwrap();
        assert_eq!(full.push(b"d").map_err(|e| e.reason()), Err(Reason::TooLarge));
        assert_eq!(full.push(b"").map_err(|e| e.reason()), Err(Reason::TooLarge));
        assert_eq!(full.refuse_broken("late").reason(), Reason::TooLarge);
        assert_eq!(received(full), Err(Reason::TooLarge));

        for refuse in [
            |b: &mut BodyBuffer| b.refuse_too_large(None),
            |b: &mut BodyBuffer| b.refuse_broken("x"),
        ] {
            let mut buffer = buffer(3, None);
            let error: Error = refuse(&mut buffer);
            assert_eq!(buffer.push(b"a").map_err(|e| e.reason()), Err(error.reason()));
            assert_eq!(received(buffer), Err(error.reason()));
        }
    }
}
