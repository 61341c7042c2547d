//! Core's answer as a response.

use axum_core::body::Body;
use axum_core::response::Response;
use http::StatusCode;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use trtc_call_webhook::Answer;

pub(crate) fn status(answer: &Answer) -> StatusCode {
    // Core answers with statuses that exist.
    StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

pub(crate) fn response(answer: Answer) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status(&answer);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type()));
    if let Some(allow) = answer.allow() {
        headers.insert(ALLOW, HeaderValue::from_static(allow));
    }
    response.map(|_| Body::from(answer.into_body()))
}
