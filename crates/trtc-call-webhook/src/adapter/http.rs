//! The bridge to the `http` crate, for adapters of frameworks that are built on it.

use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::LengthLimitError;

use super::{Answer, BodyBuffer, Head, Misconfiguration, RequestHead, misconfigured};
use crate::error::Error;
use crate::verifier::Verifier;

/// Checks the head of a request, and touches nothing of its body.
///
/// # Errors
///
/// What [`Verifier::check`] says, and [`BodyTaken`](crate::Reason::BodyTaken) if a body was announced
/// and is at its end already.
pub fn check<B: Body>(verifier: &Verifier, request: &Request<B>) -> Result<Head, Error> {
    let query = request.uri().query().unwrap_or_default();
    let head = RequestHead::new(request.method().as_str(), query)
        .headers(|name| request.headers().get(name).map(HeaderValue::as_bytes))
        // A body that knows its size need not have a header that says it.
        .size_hint(request.body().size_hint().lower());
    let is_taken = head.announces_body() && request.body().is_end_stream();
    let head = verifier.check(head)?;
    // No server makes such a body, though a middleware that puts back what it read may make one of an
    // empty chunked body.
    if is_taken { Err(misconfigured(Misconfiguration::BodyTaken)) } else { Ok(head) }
}

/// Reads a body into its buffer, until it ends or is complete.
///
/// # Errors
///
/// [`BodyTooLarge`](crate::ErrorKind::BodyTooLarge) beyond the verifier's limit, and where a
/// [`LengthLimitError`] stands in the body's error, however deep it is wrapped;
/// [`UnreadableBody`](crate::ErrorKind::UnreadableBody) for any other failure.
pub fn poll_read<B>(
    mut body: Pin<&mut B>,
    buffer: &mut BodyBuffer,
    cx: &mut Context<'_>,
) -> Poll<Result<(), Error>>
where
    B: Body<Error: Into<Box<dyn StdError + Send + Sync>>>,
{
    while !buffer.is_complete() {
        let Some(frame) = ready!(body.as_mut().poll_frame(cx)) else { break };
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => return Poll::Ready(Err(refuse(buffer, error.into()))),
        };
        // A frame without data holds trailers.
        let Ok(mut data) = frame.into_data() else { continue };
        while data.has_remaining() {
            let chunk = data.chunk();
            let length = chunk.len();
            buffer.push(chunk)?;
            data.advance(length);
        }
    }
    Poll::Ready(Ok(()))
}

fn refuse(buffer: &mut BodyBuffer, error: Box<dyn StdError + Send + Sync>) -> Error {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error.as_ref());
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return buffer.refuse_too_large(None);
        }
        cause = error.source();
    }
    buffer.refuse_broken(error)
}

/// The status of an answer.
#[must_use]
pub fn status(answer: &Answer) -> StatusCode {
    // Answers have statuses that exist.
    StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// An answer as a response.
#[must_use]
pub fn response(answer: Answer) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status(&answer);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type()));
    if let Some(allow) = answer.allow() {
        headers.insert(ALLOW, HeaderValue::from_static(allow));
    }
    response.map(|_| answer.into_body())
}

/// The answer to a refused request, with the error in its extensions for an outer layer to count.
#[must_use]
pub fn refusal(error: Error) -> Response<Bytes> {
    let mut response = response(error.answer());
    response.extensions_mut().insert(error);
    response
}
