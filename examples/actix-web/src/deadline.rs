//! A bound on the time that a whole body may take.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpMessage;
use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use example_support::{BODY_TIME, LateBody};
use futures_core::Stream;
use tokio::time::{Sleep, sleep};

/// A payload that fails once a time is over. The webhook answers such a request with 400.
struct DeadlinePayload {
    payload: Payload,
    sleep: Pin<Box<Sleep>>,
}

impl Stream for DeadlinePayload {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(chunk) = Pin::new(&mut self.payload).poll_next(cx) {
            return Poll::Ready(chunk);
        }
        let late = || PayloadError::Io(io::Error::new(io::ErrorKind::TimedOut, LateBody));
        self.sleep.as_mut().poll(cx).map(|()| Some(Err(late())))
    }
}

/// The middleware that puts it in.
pub(crate) async fn limit_body_time(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let payload = request.take_payload();
    let payload = DeadlinePayload { payload, sleep: Box::pin(sleep(BODY_TIME)) };
    request.set_payload(Payload::Stream { payload: Box::pin(payload) });
    next.call(request).await
}
