//! Why the handler does not run.

use std::fmt;

use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use trtc_call_webhook::{Ack, Answer, Error, ErrorKind};

use crate::answer;

/// Why a handler that takes a [`Webhook`](crate::Webhook) does not run.
///
/// Either the request is refused, and there is an [`error`](Self::error), or the callback is
/// authentic but the handler does not take its command: then the answer is the acknowledgement.
///
/// As a response it leaves the error in the response's extensions, for a layer around the route
/// to count. To answer in other words, convert it in an extractor of one's own, and keep the
/// answer as it is where there is no error.
#[derive(Clone, Debug)]
pub struct WebhookRejection(Reason);

#[derive(Clone, Debug)]
enum Reason {
    Refused(Error),
    NotTaken(Ack),
}

impl WebhookRejection {
    pub(crate) const fn not_taken(ack: Ack) -> Self {
        Self(Reason::NotTaken(ack))
    }

    /// Which check failed; `None` if the callback is acknowledged without the handler.
    #[must_use]
    pub fn kind(&self) -> Option<ErrorKind> {
        self.error().map(Error::kind)
    }

    /// What was wrong, told to the operator; `None` if the callback is acknowledged without the
    /// handler.
    #[must_use]
    pub const fn error(&self) -> Option<&Error> {
        match &self.0 {
            Reason::Refused(error) => Some(error),
            Reason::NotTaken(_) => None,
        }
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        answer::status(&self.answer())
    }

    /// The body of the answer.
    #[must_use]
    pub fn body_text(&self) -> String {
        String::from_utf8_lossy(self.answer().body()).into_owned()
    }

    fn answer(&self) -> Answer {
        match &self.0 {
            Reason::Refused(error) => error.answer(),
            Reason::NotTaken(ack) => ack.clone().answer(),
        }
    }
}

impl From<Error> for WebhookRejection {
    fn from(error: Error) -> Self {
        Self(Reason::Refused(error))
    }
}

impl IntoResponse for WebhookRejection {
    fn into_response(self) -> Response {
        let mut response = answer::response(self.answer());
        if let Reason::Refused(error) = self.0 {
            response.extensions_mut().insert(error);
        }
        response
    }
}

impl fmt::Display for WebhookRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Reason::Refused(error) => error.fmt(f),
            Reason::NotTaken(_) => f.write_str("the handler does not take this command"),
        }
    }
}

impl std::error::Error for WebhookRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error()?.source()
    }
}
