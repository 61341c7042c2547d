//! Why the handler does not run.

use std::fmt;
use std::ops::Deref;

use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use trtc_call_webhook::{Ack, Error, Rejection};

use crate::answer;

/// Why a handler that takes a [`Webhook`](crate::Webhook) does not run.
///
/// It dereferences to core's [`Rejection`], which has the kind, the error and the body. As a
/// response it leaves the error, if there is one, in the response's extensions, for a layer around
/// the route to count. To answer in other words, convert it in an extractor of one's own, and keep
/// the answer as it is where there is no error.
#[derive(Clone, Debug)]
pub struct WebhookRejection(Rejection);

impl WebhookRejection {
    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        answer::status(&self.answer())
    }
}

impl Deref for WebhookRejection {
    type Target = Rejection;

    fn deref(&self) -> &Rejection {
        &self.0
    }
}

impl From<Error> for WebhookRejection {
    fn from(error: Error) -> Self {
        Self(error.into())
    }
}

impl From<Ack> for WebhookRejection {
    fn from(ack: Ack) -> Self {
        Self(ack.into())
    }
}

impl IntoResponse for WebhookRejection {
    fn into_response(self) -> Response {
        let mut response = answer::response(self.answer());
        if let Some(error) = self.error() {
            response.extensions_mut().insert(error.clone());
        }
        response
    }
}

impl fmt::Display for WebhookRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for WebhookRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
