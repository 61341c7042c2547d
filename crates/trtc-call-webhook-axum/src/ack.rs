//! What a handler answers.

use std::borrow::Cow;

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use trtc_call_webhook::adapter::Answer;
use trtc_call_webhook::adapter::http::response;

/// What a handler answers: the event is kept, or it is not.
///
/// A handler may also return `Result<Ack, E>` with an error of its own that axum takes as a
/// response. An `Err` is answered as that error says, untouched: give it a status other than 200,
/// or Tencent counts the callback as delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "an acknowledgement does nothing until it is answered"]
pub struct Ack(trtc_call_webhook::Ack);

impl Ack {
    /// The event is kept: HTTP 200, `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}`.
    pub const fn ok() -> Self {
        Self(trtc_call_webhook::Ack::ok())
    }

    /// The event could not be kept: HTTP 500 and `ActionStatus` `FAIL`, as
    /// [`trtc_call_webhook::Ack::fail`] says in full.
    pub fn fail(error_code: i32, error_info: impl Into<Cow<'static, str>>) -> Self {
        Self(trtc_call_webhook::Ack::fail(error_code, error_info))
    }

    pub(crate) fn answer(&self) -> Answer {
        self.0.clone().answer()
    }
}

/// From core's [`Ack`](trtc_call_webhook::Ack), and from whatever becomes one, as what an inbox accepted
/// does.
impl<T: Into<trtc_call_webhook::Ack>> From<T> for Ack {
    fn from(ack: T) -> Self {
        Self(ack.into())
    }
}

impl IntoResponse for Ack {
    fn into_response(self) -> Response {
        response(self.0.answer()).map(Body::from)
    }
}
