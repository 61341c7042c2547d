//! Core's answers as responses.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderValue};
use http::{Method, Response};
use trtc_call_webhook::adapter::http::{refusal, response};
use trtc_call_webhook::{Ack, Error};

/// The response for an [`Ack`], or for whatever becomes one, in the body that the service around it has.
///
/// ```
/// use trtc_call_webhook_tower::{Ack, WebhookBody, ack};
///
/// let response: http::Response<WebhookBody> = ack(Ack::ok());
/// assert_eq!(response.status(), 200);
/// ```
pub fn ack<B: From<Bytes>>(ack: impl Into<Ack>) -> Response<B> {
    response(ack.into().answer()).map(B::from)
}

/// An answer to HEAD says how long its body would be and has none. hyper sees to that for HTTP/1
/// but not for HTTP/2, where a body is a protocol error.
pub(crate) fn without_body_for_head(
    method: &Method,
    mut response: Response<Bytes>,
) -> Response<Bytes> {
    if method == Method::HEAD && !response.body().is_empty() {
        let length = HeaderValue::from(response.body().len());
        response.headers_mut().insert(CONTENT_LENGTH, length);
        response.body_mut().clear();
    }
    response
}

/// Makes the response to a refused request: core's answer, unless the user replaces it.
#[derive(Clone, Default)]
pub(crate) struct Rejection(Option<Arc<Respond>>);

type Respond = dyn Fn(&Error) -> Response<Bytes> + Send + Sync;

impl Rejection {
    pub(crate) fn new(respond: impl Fn(&Error) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(respond)))
    }

    /// The response, with the error in its extensions.
    pub(crate) fn response(&self, error: Error) -> Response<Bytes> {
        let Some(respond) = &self.0 else { return refusal(error) };
        let mut response = respond(&error);
        response.extensions_mut().insert(error);
        response
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "replaced" } else { "default" })
    }
}
