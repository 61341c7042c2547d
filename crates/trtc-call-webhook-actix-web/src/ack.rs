//! What a handler answers.

use std::borrow::Cow;

use actix_web::body::BoxBody;
use actix_web::{HttpRequest, HttpResponse, Responder};

use crate::answer;
use crate::connection::Connection;

/// What a handler answers: the event is kept, or it is not.
///
/// A handler may also return `Result<Ack, E>` with an error of its own. An `Err` is answered as
/// that error says, untouched: give it a status other than 200, or Tencent counts the callback as
/// delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "an acknowledgement does nothing until it is answered"]
pub struct Ack {
    ack: trtc_call_webhook::Ack,
    connection: Connection,
}

impl Ack {
    /// The event is kept: HTTP 200, `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}`.
    pub fn ok() -> Self {
        trtc_call_webhook::Ack::ok().into()
    }

    /// The event could not be kept: HTTP 500 and `ActionStatus` `FAIL`, as
    /// [`trtc_call_webhook::Ack::fail`] says in full.
    pub fn fail(error_code: i32, error_info: impl Into<Cow<'static, str>>) -> Self {
        trtc_call_webhook::Ack::fail(error_code, error_info).into()
    }

    /// As the answer to this request.
    pub(crate) fn to(self, request: &HttpRequest) -> Self {
        Self { connection: Connection::of(request), ..self }
    }
}

/// From core's [`Ack`](trtc_call_webhook::Ack), and from whatever becomes one, as what an inbox accepted
/// does.
impl<T: Into<trtc_call_webhook::Ack>> From<T> for Ack {
    fn from(ack: T) -> Self {
        Self { ack: ack.into(), connection: Connection::default() }
    }
}

impl From<Ack> for HttpResponse {
    fn from(Ack { ack, connection }: Ack) -> Self {
        let mut response = answer::response(ack.answer());
        connection.tell(response.head_mut());
        response
    }
}

impl Responder for Ack {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        self.to(request).into()
    }
}
