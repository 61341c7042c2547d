//! The layer: what a service is wrapped with.

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use http::Response;
use tower_layer::Layer;
use trtc_call_webhook::{Error, Event, Verifier};

use crate::answer::Rejection;
use crate::body::WebhookBody;
use crate::service::WebhookService;

/// Wraps a service so that it sees nothing but verified callbacks, decoded as `E`.
///
/// The [`Delivery`](crate::Delivery) is in the request's extensions, and its bytes are the
/// request's body again. A request that fails a check, and a callback for a command that `E` does
/// not take, is answered by the layer, and the inner service is not called. The inner service's
/// answer goes through untouched.
///
/// It looks at no path. In axum put it on routes with `route_layer`: under `Router::layer` of a router that
/// is merged into another, it would also answer for the fallback of the whole app.
///
/// `B` is the body that the inner service takes, [`WebhookBody`] unless
/// [`inner_body`](Self::inner_body) says otherwise.
pub struct WebhookLayer<E, B = WebhookBody> {
    verifier: Verifier,
    rejection: Rejection,
    types: PhantomData<fn(E) -> B>,
}

impl<E> WebhookLayer<E> {
    /// A layer that checks with `verifier`.
    #[must_use]
    pub fn new(verifier: Verifier) -> Self
    where
        // Here and not on the impl: so the compiler says what an event is.
        E: Event,
    {
        Self { verifier, rejection: Rejection::default(), types: PhantomData }
    }
}

impl<E, B> WebhookLayer<E, B> {
    /// Gives the inner service its body as another type, for one that does not take every body:
    /// `axum::body::Body` around what `axum::middleware::from_fn` makes, say.
    #[must_use]
    pub fn inner_body<C: From<Bytes>>(self) -> WebhookLayer<E, C> {
        WebhookLayer { verifier: self.verifier, rejection: self.rejection, types: PhantomData }
    }

    /// Replaces the answer to a refused request. The error is put into its extensions all the
    /// same. Acknowledgements are not refusals.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::{Response, StatusCode};
    /// use trtc_call_webhook_tower::{CallEnded, SdkApp, Verifier, WebhookLayer};
    ///
    /// let verifier = Verifier::builder().app(SdkApp::unsigned(1400000001)).build()?;
    /// let layer = WebhookLayer::<CallEnded>::new(verifier).with_rejection_response(|error| {
    ///     // Nothing that a scanner could learn from.
    ///     let mut response = Response::new(Bytes::new());
    ///     *response.status_mut() = StatusCode::NOT_FOUND;
    ///     response
    /// });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_rejection_response(
        self,
        respond: impl Fn(&Error) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        Self { rejection: Rejection::new(respond), ..self }
    }
}

impl<S, E, B> Layer<S> for WebhookLayer<E, B> {
    type Service = WebhookService<S, E, B>;

    fn layer(&self, inner: S) -> Self::Service {
        WebhookService::new(inner, self.verifier.clone(), self.rejection.clone())
    }
}

impl<E, B> Clone for WebhookLayer<E, B> {
    fn clone(&self) -> Self {
        Self {
            verifier: self.verifier.clone(),
            rejection: self.rejection.clone(),
            types: PhantomData,
        }
    }
}

impl<E, B> fmt::Debug for WebhookLayer<E, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookLayer")
            .field("verifier", &self.verifier)
            .field("rejection", &self.rejection)
            .finish_non_exhaustive()
    }
}
