//! Why the handler does not run.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use trtc_call_webhook::{Ack, Answer, Error, ErrorKind};

use crate::answer;

/// Why a handler that takes a [`Webhook`](crate::Webhook) does not run.
///
/// Either the request is refused, and there is an [`error`](Self::error), or the callback is
/// authentic but the handler does not take its command: then the answer is the acknowledgement.
///
/// As a response it leaves the error in the response's extensions, for a middleware around the
/// route to count.
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

impl ResponseError for WebhookRejection {
    fn status_code(&self) -> StatusCode {
        answer::status(&self.answer())
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = answer::response(self.answer());
        if let Some(error) = self.error() {
            response.extensions_mut().insert(error.clone());
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
