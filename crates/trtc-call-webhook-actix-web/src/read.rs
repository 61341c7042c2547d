//! Core's checks plugged into actix-web's request, for the extractor and for the middleware.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::CONTENT_LENGTH;
use futures_core::Stream;
use trtc_call_webhook::{BodyBuffer, Error, Event, Head, Receipt, Verifier, content_length};

/// Checks the head: nothing of the payload is touched.
pub(crate) fn check(verifier: &Verifier, request: &HttpRequest) -> Result<Head, Error> {
    let announced = request.headers().get(CONTENT_LENGTH);
    let announced = announced.and_then(|value| content_length(value.as_bytes()));
    verifier.check(request.method().as_str(), request.query_string(), announced)
}

/// A request whose head passed, while its payload arrives.
///
/// It is the raw payload: `Bytes` and the other extractors would inflate it where the app has
/// actix's compression features on, and apply limits of their own.
pub(crate) struct Reading {
    payload: Payload,
    /// `None` once it is complete.
    buffer: Option<BodyBuffer>,
}

impl Reading {
    pub(crate) fn new(head: Head, payload: Payload) -> Self {
        Self { payload, buffer: Some(head.read_body()) }
    }

    /// Reads on. Pending for ever after it has completed.
    pub(crate) fn poll<E: Event>(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Receipt<E>, Error>> {
        let Some(buffer) = &mut self.buffer else { return Poll::Pending };
        while let Some(chunk) = ready!(Pin::new(&mut self.payload).poll_next(cx)) {
            match chunk {
                Ok(chunk) => buffer.push(&chunk)?,
                Err(PayloadError::Overflow) => return Poll::Ready(Err(buffer.too_large())),
                Err(error) => return Poll::Ready(Err(buffer.unreadable(error))),
            }
        }
        match self.buffer.take() {
            Some(buffer) => Poll::Ready(buffer.receive()),
            None => Poll::Pending,
        }
    }
}
