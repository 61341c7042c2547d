//! Why the handler does not run.

use std::fmt;
use std::ops::Deref;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use trtc_call_webhook::Error;

use crate::Ack;
use crate::answer::{response, status};
use crate::connection::Connection;

/// Why a handler that takes a [`Webhook`](crate::Webhook) does not run: of these two only one is an
/// error.
///
/// As a response it is what CONTRACT.md says, with the error of a refusal in the response's extensions,
/// for a middleware around the route to count.
#[derive(Clone, Debug)]
pub enum WebhookRejection {
    /// The request fails a check.
    Refused(Refusal),
    /// The callback is authentic, but the handler does not take its command: the acknowledgement is the
    /// answer. [`MaybeWebhook`](crate::MaybeWebhook) holds `None` then.
    NotTaken(Ack),
}

/// A refused request: its [`Error`], to which it dereferences, and how it is answered.
#[derive(Clone, Debug)]
pub struct Refusal {
    error: Error,
    connection: Connection,
}

impl Refusal {
    pub(crate) fn new(error: Error, request: &HttpRequest) -> Self {
        Self { error, connection: Connection::of(request) }
    }

    /// Leaves the error in a response that answers it.
    pub(crate) fn mark(&self, mut response: HttpResponse) -> HttpResponse {
        response.extensions_mut().insert(self.error.clone());
        self.connection.tell(response.head_mut());
        response
    }
}

impl Deref for Refusal {
    type Target = Error;

    fn deref(&self) -> &Error {
        &self.error
    }
}

impl ResponseError for WebhookRejection {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Refused(refusal) => status(&refusal.answer()),
            Self::NotTaken(_) => StatusCode::OK,
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Refused(refusal) => refusal.mark(response(refusal.answer())),
            Self::NotTaken(ack) => ack.clone().into(),
        }
    }
}

impl fmt::Display for WebhookRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.error.fmt(f),
            Self::NotTaken(_) => f.write_str("the handler does not take this command"),
        }
    }
}

impl std::error::Error for WebhookRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(refusal) => refusal.error.source(),
            Self::NotTaken(_) => None,
        }
    }
}
