//! Why the handler does not run.

use std::fmt;

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use trtc_call_webhook::Error;
use trtc_call_webhook::adapter::Answer;
use trtc_call_webhook::adapter::http::{refusal, status};

use crate::Ack;

/// Why a handler that takes a [`Webhook`](crate::Webhook) does not run: of these two only one is an
/// error.
///
/// As a response it is what CONTRACT.md says, with the error of a refusal in the response's extensions,
/// for a layer around the route to count. Whoever converts it, by `WithRejection` or
/// `#[from_request(rejection(…))]`, says what becomes of each, and leaves the error there too:
///
/// ```
/// use axum::Extension;
/// use axum::http::StatusCode;
/// use axum::response::{IntoResponse, Response};
/// use trtc_call_webhook_axum::WebhookRejection;
///
/// struct ApiError(Response);
///
/// impl From<WebhookRejection> for ApiError {
///     fn from(rejection: WebhookRejection) -> Self {
///         Self(match rejection {
///             WebhookRejection::Refused(error) => {
///                 (StatusCode::NOT_FOUND, Extension(error)).into_response()
///             }
///             // An authentic callback for another command: it is acknowledged as it is.
///             WebhookRejection::NotTaken(ack) => ack.into_response(),
///         })
///     }
/// }
///
/// impl IntoResponse for ApiError {
///     fn into_response(self) -> Response {
///         self.0
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub enum WebhookRejection {
    /// The request fails a check.
    Refused(Error),
    /// The callback is authentic, but the handler does not take its command: the acknowledgement is the
    /// answer. [`Option<Webhook<E>>`](crate::Webhook) is `None` then.
    NotTaken(Ack),
}

impl WebhookRejection {
    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        status(&self.answer())
    }

    /// The body of the answer.
    #[must_use]
    pub fn body_text(&self) -> String {
        String::from_utf8_lossy(self.answer().body()).into_owned()
    }

    fn answer(&self) -> Answer {
        match self {
            Self::Refused(error) => error.answer(),
            Self::NotTaken(ack) => ack.answer(),
        }
    }
}

impl From<Error> for WebhookRejection {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl IntoResponse for WebhookRejection {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(error) => refusal(error).map(Body::from),
            Self::NotTaken(ack) => ack.into_response(),
        }
    }
}

impl fmt::Display for WebhookRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::NotTaken(_) => f.write_str("the handler does not take this command"),
        }
    }
}

impl std::error::Error for WebhookRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(error) => error.source(),
            Self::NotTaken(_) => None,
        }
    }
}
