//! Core's checks plugged into actix-web's request, for the extractor and for the middleware.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::Version;
use futures_core::Stream;
use trtc_call_webhook::adapter::{BodyBuffer, Head, Misconfiguration, RequestHead, misconfigured};
use trtc_call_webhook::{Error, Verifier};

use crate::connection;

/// Checks the head: nothing of the payload is touched.
pub(crate) fn check(
    verifier: &Verifier,
    request: &HttpRequest,
    payload: &Payload,
) -> Result<Head, Error> {
    let headers = request.headers();
    let mut head = RequestHead::new(request.method().as_str(), request.query_string())
        .headers(|name| headers.get(name).map(|value| value.as_bytes()));
    // A peer cannot bring this about: what it announces has a payload in HTTP/1, however little of it
    // comes, and each request has one in HTTP/2.
    let had_payload = head.announces_body() || request.version() == Version::HTTP_2;
    if connection::is_tunnel(request) {
        // A tunnel never ends, so nothing but the announced length can end its body, whatever an outer
        // layer made of it. Without a length it has no body, as in any other server.
        head = head.body_is_raw();
        if !head.announces_body() {
            head = head.content_length(0);
        }
    }
    let head = verifier.check(head)?;
    if had_payload && matches!(payload, Payload::None) {
        return Err(misconfigured(Misconfiguration::BodyTaken));
    }
    Ok(head)
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

    /// Reads on, to the whole body. Pending for ever after it has completed.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<BodyBuffer, Error>> {
        let Some(buffer) = &mut self.buffer else { return Poll::Pending };
        while !buffer.is_complete() {
            match ready!(Pin::new(&mut self.payload).poll_next(cx)) {
                Some(Ok(chunk)) => buffer.push(&chunk)?,
                Some(Err(PayloadError::Overflow)) => {
                    return Poll::Ready(Err(buffer.refuse_too_large(None)));
                }
                Some(Err(error)) => return Poll::Ready(Err(buffer.refuse_broken(error))),
                None => break,
            }
        }
        match self.buffer.take() {
            Some(buffer) => Poll::Ready(Ok(buffer)),
            None => Poll::Pending,
        }
    }
}
