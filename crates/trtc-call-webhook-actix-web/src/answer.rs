//! Core's answer as a response.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE};
use trtc_call_webhook::adapter::Answer;

pub(crate) fn status(answer: &Answer) -> StatusCode {
    // Core answers with statuses that exist.
    StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

pub(crate) fn response(answer: Answer) -> HttpResponse {
    let mut response = HttpResponse::build(status(&answer));
    response.insert_header((CONTENT_TYPE, answer.content_type()));
    if let Some(allow) = answer.allow() {
        response.insert_header((ALLOW, allow));
    }
    response.body(answer.into_body())
}
