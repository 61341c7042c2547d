//! What a route is configured with, through actix-web's `app_data`.

use std::fmt;
use std::sync::Arc;

use actix_web::{HttpRequest, web};
use trtc_call_webhook::adapter::{Misconfiguration, misconfigured};
use trtc_call_webhook::{Error, Verifier};

use crate::rejection::{Refusal, WebhookRejection};

type ErrorHandler = dyn Fn(Error, &HttpRequest) -> actix_web::Error + Send + Sync;

/// Configures how a refused request is answered, as `JsonConfig` does for `Json`.
///
/// The verifier is not in here: it is app data of its own.
///
/// ```
/// use actix_web::{App, HttpResponse, error::InternalError};
/// use trtc_call_webhook_actix_web::{SdkApp, Verifier, WebhookConfig};
///
/// let verifier = Verifier::builder().app(SdkApp::unsigned(1400000001)).build()?;
/// let config = WebhookConfig::default().error_handler(|error, _request| {
///     InternalError::from_response(error, HttpResponse::NotFound().finish()).into()
/// });
/// let app = App::new().app_data(verifier).app_data(config);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct WebhookConfig {
    error_handler: Option<Arc<ErrorHandler>>,
}

impl WebhookConfig {
    /// Replaces the answer to a refused request. Acknowledgements are not refusals.
    ///
    /// The refusal is put into the extensions of the answer all the same. To do so the handler's
    /// error is wrapped: a middleware finds the refusal with `response.extensions().get::<Error>()`,
    /// and not the handler's error with `as_error`.
    #[must_use]
    pub fn error_handler(
        mut self,
        handler: impl Fn(Error, &HttpRequest) -> actix_web::Error + Send + Sync + 'static,
    ) -> Self {
        self.error_handler = Some(Arc::new(handler));
        self
    }

    /// What the request is answered with, by the configuration that is in sight of it.
    pub(crate) fn respond(error: Error, request: &HttpRequest) -> actix_web::Error {
        let handler = request
            .app_data::<Self>()
            .or_else(|| request.app_data::<web::Data<Self>>().map(|config| config.get_ref()))
            .and_then(|config| config.error_handler.as_ref());
        let refusal = Refusal::new(error.clone(), request);
        match handler {
            Some(handler) => Replaced { answer: handler(error, request), refusal }.into(),
            None => WebhookRejection::Refused(refusal).into(),
        }
    }
}

impl fmt::Debug for WebhookConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handler = if self.error_handler.is_some() { "replaced" } else { "default" };
        f.debug_struct("WebhookConfig").field("error_handler", &handler).finish()
    }
}

/// The verifier that is in sight of a request, as itself or as `Data` of it.
///
/// Not both: which of them a user means cannot be told, since the inner scope does not win over
/// the outer where they differ in type.
pub(crate) fn verifier(request: &HttpRequest) -> Result<&Verifier, Error> {
    match (request.app_data::<Verifier>(), request.app_data::<web::Data<Verifier>>()) {
        (Some(verifier), None) => Ok(verifier),
        (None, Some(verifier)) => Ok(verifier.get_ref()),
        (None, None) => Err(misconfigured(Misconfiguration::NoVerifier)),
        (Some(_), Some(_)) => Err(misconfigured(Misconfiguration::TwoVerifiers)),
    }
}

/// A user's answer, with our error left in its extensions.
struct Replaced {
    answer: actix_web::Error,
    refusal: Refusal,
}

impl actix_web::ResponseError for Replaced {
    fn status_code(&self) -> actix_web::http::StatusCode {
        self.answer.as_response_error().status_code()
    }

    fn error_response(&self) -> actix_web::HttpResponse {
        self.refusal.mark(self.answer.error_response())
    }
}

impl fmt::Display for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.answer.fmt(f)
    }
}

impl fmt::Debug for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.answer.fmt(f)
    }
}
