//! The actix-web adapter: its extractor and its middleware, in process and behind `HttpServer`.

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc;
use std::thread;

use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use actix_web::test::{TestRequest, init_service, read_body};
use actix_web::web::{self, ReqData};
use actix_web::{App, HttpMessage, HttpServer};
use trtc_call_webhook_actix_web::{Ack, Delivery, Error, Verifier, Webhook, WebhookMiddleware};

use crate::{Answer, Driver, Endpoint, Kind, Notebook, PATH, Request, Serve, Server, Taken};

/// The two ways of use.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// The handler takes a `Webhook`.
    Extractor,
    /// The handler's resource is wrapped, and it takes the delivery from the request's extensions.
    Middleware,
}

impl Way {
    /// A resource as a program would have it. It takes every method, so that the check of the
    /// method is the adapter's.
    pub fn configure<E: Taken>(
        self,
        verifier: &Verifier,
        notebook: &Notebook,
        config: &mut web::ServiceConfig,
    ) {
        let notebook = notebook.clone();
        match self {
            Self::Extractor => {
                let handler = move |Webhook(delivery): Webhook<E>| {
                    let notebook = notebook.clone();
                    async move { Ack::from(notebook.handle(&delivery).await) }
                };
                config.app_data(verifier.clone()).service(web::resource(PATH).to(handler));
            }
            Self::Middleware => {
                let handler = move |delivery: ReqData<Delivery<E>>, payload: web::Payload| {
                    let notebook = notebook.clone();
                    async move {
                        // The raw payload: `Bytes` would inflate it where the feature is on.
                        let body = payload.to_bytes().await.expect("a body");
                        assert_eq!(&body, delivery.body(), "the same bytes are put back");
                        Ack::from(notebook.handle(&delivery).await)
                    }
                };
                let middleware = WebhookMiddleware::<E>::new(verifier.clone());
                config.service(web::resource(PATH).wrap(middleware).to(handler));
            }
        }
    }
}

/// Calls the app without a socket.
pub struct InProcess(pub Way);

/// An app to call.
pub struct Called(Box<Call>);

type Call = dyn Fn(TestRequest) -> Pin<Box<dyn Future<Output = Answer>>>;

impl Driver for InProcess {
    type Endpoint = Called;

    fn name(&self) -> String {
        format!("actix-web's {:?} in process", self.0)
    }

    async fn open<E: Taken>(&self, verifier: Verifier, notebook: Notebook) -> Called {
        let app =
            App::new().configure(|config| self.0.configure::<E>(&verifier, &notebook, config));
        let app = std::rc::Rc::new(init_service(app).await);
        Called(Box::new(move |request| {
            let app = app.clone();
            Box::pin(async move {
                answer(app.call(request.to_request()).await.expect("errors are answered")).await
            })
        }))
    }
}

impl Endpoint for Called {
    async fn answer(&mut self, request: &Request) -> Result<Answer, String> {
        let method = request.method.parse().map_err(|_| "no method")?;
        let mut test = TestRequest::with_uri(&request.target()).method(method);
        for (name, value) in &request.headers {
            test = test.append_header((name.as_str(), value.as_str()));
        }
        test = match request.announce {
            Some(length) => test.append_header((CONTENT_LENGTH, length)),
            None => test.set_payload(request.body.clone()),
        };
        Ok((self.0)(test).await)
    }
}

async fn answer(response: ServiceResponse) -> Answer {
    let all = |name: HeaderName| {
        let values = response.headers().get_all(name);
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    };
    let (content_type, allow) = (all(CONTENT_TYPE), all(ALLOW));
    let kind = Kind::of(response.response().extensions().get::<Error>());
    let status = response.status().as_u16();
    Answer { status, content_type, allow, body: read_body(response).await.to_vec(), kind }
}

/// `HttpServer` on a loopback port, in a thread of its own.
pub struct ActixWeb(pub Way);

impl Serve for ActixWeb {
    fn name(&self) -> &'static str {
        match self.0 {
            Way::Extractor => "actix-web",
            Way::Middleware => "actix-web's middleware",
        }
    }

    async fn serve<E: Taken>(&self, verifier: Verifier, notebook: Notebook) -> Server {
        let way = self.0;
        serve(move |config| way.configure::<E>(&verifier, &notebook, config))
    }
}

/// What a middleware in front does that bounds a body's time, say: the webhook sees no more what the
/// server's own payload is.
fn wrap_payload<S: Service<ServiceRequest>>(mut request: ServiceRequest, inner: &S) -> S::Future {
    let payload = Box::pin(request.take_payload());
    request.set_payload(Payload::Stream { payload });
    inner.call(request)
}

/// Serves whatever is configured, behind a middleware that wraps the payload.
pub fn serve(configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static) -> Server {
    let (started, start) = mpsc::channel();
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let app = move || App::new().wrap_fn(wrap_payload).configure(&configure);
            let server = HttpServer::new(app).workers(1).disable_signals();
            let server = server.bind("127.0.0.1:0").expect("a loopback port");
            let address = server.addrs()[0];
            let server = server.run();
            started.send((address, server.handle())).expect("somebody waits");
            server.await
        })
    });
    let (address, handle) = start.recv().expect("a server");
    // It stops once it is told to, whether or not anybody waits for it.
    Server::new(address, move || drop(handle.stop(false)))
}
