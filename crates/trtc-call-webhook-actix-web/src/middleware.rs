//! The middleware, for the resource or the scope of the callback.

use std::fmt;
use std::future::{Future, Ready, ready};
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::body::EitherBody;
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::{HttpMessage, HttpResponse, Responder};
use pin_project_lite::pin_project;
use trtc_call_webhook::adapter::{BodyBuffer, Receipt};
use trtc_call_webhook::{CallEnded, Event, Verifier};

use crate::ack::Ack;
use crate::config::WebhookConfig;
use crate::connection::Connection;
use crate::read::{self, Reading};

/// Wraps a resource or a scope so that its handlers see nothing but verified callbacks.
///
/// Every request that comes to it is answered as a callback or refused. So do not wrap the whole app: its
/// other pages would be refused, and a callback to a path that does not exist could be acknowledged.
///
/// The [`Delivery<E>`](trtc_call_webhook::Delivery) is in the request's extensions, where
/// `web::ReqData<Delivery<E>>` extracts it, and its bytes are the request's payload again. A
/// request that fails a check, and a callback for a command that `E` does not take, is answered by
/// the middleware, and no handler runs.
///
/// ```
/// use actix_web::{App, web};
/// use trtc_call_webhook_actix_web::{Ack, CallEnded, Delivery, SdkApp, Verifier, WebhookMiddleware};
///
/// async fn on_call_end(call: web::ReqData<Delivery<CallEnded>>) -> Ack {
///     println!("{} ended", call.call_id);
///     Ack::ok()
/// }
///
/// let verifier = Verifier::builder().app(SdkApp::unsigned(1400000001)).build()?;
/// let app = App::new().service(
///     web::resource("/callback")
///         .wrap(WebhookMiddleware::<CallEnded>::new(verifier))
///         .to(on_call_end),
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct WebhookMiddleware<E = CallEnded> {
    verifier: Verifier,
    event: PhantomData<fn() -> E>,
}

impl<E: Event> WebhookMiddleware<E> {
    /// A middleware that checks with `verifier`, whatever the app data says.
    #[must_use]
    pub const fn new(verifier: Verifier) -> Self {
        Self { verifier, event: PhantomData }
    }
}

impl<S, E, B> Transform<S, ServiceRequest> for WebhookMiddleware<E>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error>,
    E: Event,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = actix_web::Error;
    type Transform = WebhookService<S, E>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        let verifier = self.verifier.clone();
        ready(Ok(WebhookService { inner: Rc::new(inner), verifier, event: PhantomData }))
    }
}

/// The service that a [`WebhookMiddleware`] makes of another.
pub struct WebhookService<S, E> {
    inner: Rc<S>,
    verifier: Verifier,
    event: PhantomData<fn() -> E>,
}

impl<S, E, B> Service<ServiceRequest> for WebhookService<S, E>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error>,
    E: Event,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = actix_web::Error;
    type Future = MiddlewareFuture<S, E>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), actix_web::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let (parts, payload) = request.parts_mut();
        let connection = Connection::of(parts);
        let state = match read::check(&self.verifier, parts, payload) {
            Ok(head) => State::Reading {
                reading: Reading::new(head, payload.take()),
                waiting: Some((request, Rc::clone(&self.inner))),
            },
            Err(error) => {
                let response = HttpResponse::from(WebhookConfig::respond(error, request.request()));
                State::Answered { response: Some(request.into_response(response)) }
            }
        };
        MiddlewareFuture { state, connection, event: PhantomData }
    }
}

pin_project! {
    /// The future of a [`WebhookService`].
    #[must_use = "futures do nothing unless polled"]
    pub struct MiddlewareFuture<S, E>
    where
        S: Service<ServiceRequest>,
    {
        #[pin]
        state: State<S, S::Future>,
        connection: Connection,
        event: PhantomData<fn() -> E>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F> {
        Reading {
            reading: Reading,
            waiting: Option<(ServiceRequest, Rc<S>)>,
        },
        Calling {
            #[pin]
            future: F,
        },
        Answered {
            response: Option<ServiceResponse>,
        },
    }
}

impl<S, E, B> Future for MiddlewareFuture<S, E>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error>,
    E: Event,
{
    type Output = Result<ServiceResponse<EitherBody<B>>, actix_web::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (mut state, connection) = (this.state, *this.connection);
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Reading { reading, waiting } => {
                    let buffer = ready!(reading.poll(cx));
                    let Some((mut request, inner)) = waiting.take() else { return Poll::Pending };
                    match buffer.and_then(BodyBuffer::receive::<E>) {
                        Ok(Receipt::Deliver(delivery)) => {
                            request.set_payload(Payload::from(delivery.body().clone()));
                            request.extensions_mut().insert(delivery);
                            State::Calling { future: inner.call(request) }
                        }
                        Ok(Receipt::Acknowledge(ack)) => {
                            let response = Ack::from(ack).respond_to(request.request());
                            State::Answered { response: Some(request.into_response(response)) }
                        }
                        Err(error) => {
                            let response = HttpResponse::from(WebhookConfig::respond(
                                error,
                                request.request(),
                            ));
                            State::Answered { response: Some(request.into_response(response)) }
                        }
                    }
                }
                StateProjection::Calling { future } => {
                    let mut response = ready!(future.poll(cx));
                    match &mut response {
                        Ok(response) => connection.tell(response.response_mut().head_mut()),
                        Err(error) => connection.tell_later(error),
                    }
                    return Poll::Ready(response.map(ServiceResponse::map_into_left_body));
                }
                StateProjection::Answered { response } => {
                    let Some(response) = response.take() else { return Poll::Pending };
                    return Poll::Ready(Ok(response.map_into_right_body()));
                }
            };
            state.set(next);
        }
    }
}

impl<E> Clone for WebhookMiddleware<E> {
    fn clone(&self) -> Self {
        Self { verifier: self.verifier.clone(), event: PhantomData }
    }
}

impl<E> fmt::Debug for WebhookMiddleware<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookMiddleware")
            .field("verifier", &self.verifier)
            .finish_non_exhaustive()
    }
}

impl<S, E> fmt::Debug for WebhookService<S, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookService").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

impl<S: Service<ServiceRequest>, E> fmt::Debug for MiddlewareFuture<S, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.state {
            State::Reading { .. } => "MiddlewareFuture::Reading",
            State::Calling { .. } => "MiddlewareFuture::Calling",
            State::Answered { .. } => "MiddlewareFuture::Answered",
        })
    }
}
