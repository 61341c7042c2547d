//! Callbacks as Tencent would send them: for tests of one's own handlers, and for trying out an
//! endpoint.
//!
//! A handler is a function, and can be called with what a request holds:
//!
//! ```
//! use std::time::SystemTime;
//! use trtc_call_webhook::sender::Request;
//! use trtc_call_webhook::{Billing, CallEnded, Command, Reason, SdkApp, Token, Verifier};
//!
//! let token = Token::new("xxxxyyyy");
//! let app = SdkApp::signed(1400000001, token.clone());
//! let verifier = Verifier::builder().app(app).build()?;
//! let sample = || Request::sample(1400000001, Command::CallEnded);
//!
//! let signed = sample().signed(&token, SystemTime::now());
//! let call = signed.deliver_to::<CallEnded>(&verifier)?.expect("it is taken");
//! assert_eq!(call.billing(), Billing::Unanswered);
//!
//! let refused = sample().deliver_to::<CallEnded>(&verifier).unwrap_err();
//! assert_eq!(refused.reason(), Reason::Unsigned);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Through a framework's own test client, or any HTTP client, a request goes by its
//! [`url`](Request::url) and its [`body`](Request::body): each adapter's front page shows how, in a
//! line for each case. The same for an event of one's own:
//!
//! ```
//! use trtc_call_webhook::sender::Request;
//! use trtc_call_webhook::{CallEnded, SdkApp, Verifier};
//!
//! let event = CallEnded::new("055662e1-bc8a-469c-a334-1126c8c17d58")
//!     .with_caller("10001")
//!     .with_result("NormalEnd");
//! let request = Request::new(1400000001, event.clone());
//!
//! let verifier = Verifier::builder().app(SdkApp::unsigned(1400000001)).build()?;
//! let call = request.deliver_to::<CallEnded>(&verifier)?.expect("it is taken");
//! assert_eq!(*call, event);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt::{self, Write as _};
use std::time::SystemTime;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::config::SdkAppId;
use crate::decode::Event;
use crate::delivery::Delivery;
use crate::error::Error;
use crate::event::{Callback, Command, OtherCallback};
use crate::head::RequestHead;
use crate::parameter::Parameter;
use crate::params::{ContentType, OptPlatform};
use crate::signature::{Token, unix_seconds};
use crate::verifier::Verifier;
use crate::wire;

pub mod samples;

/// What `application/x-www-form-urlencoded` leaves as it is.
const VALUE: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*');

/// One callback to be sent: by `POST`, to [`url`](Self::url), with [`body`](Self::body).
///
/// Starts unsigned, with the parameters that the documents have. Any part may be set to something
/// wrong.
#[derive(Clone)]
#[must_use]
pub struct Request {
    sdk_app_id: SdkAppId,
    command: String,
    client_ip: Option<String>,
    platform: Option<String>,
    sign: Option<String>,
    request_time: Option<String>,
    body: Bytes,
}

impl Request {
    /// The request for an event of an app. `EventTime` is in it if the event has one.
    pub fn new(sdk_app_id: impl Into<SdkAppId>, callback: impl Into<Callback>) -> Self {
        let callback = callback.into();
        Self {
            sdk_app_id: sdk_app_id.into(),
            command: callback.command().as_str().to_owned(),
            client_ip: Some("127.0.0.1".to_owned()),
            platform: Some(OptPlatform::Android.as_str().to_owned()),
            sign: None,
            request_time: None,
            body: Bytes::from(wire::write(&callback)),
        }
    }

    /// The request with the sample that the documents print of a command, corrected to valid JSON:
    /// see [`samples`]. For a command that is not documented, the body holds nothing but it.
    pub fn sample(sdk_app_id: impl Into<SdkAppId>, command: impl Into<Command>) -> Self {
        let command = command.into();
        let json = samples::of(&command);
        Self::new(sdk_app_id, OtherCallback { command, json })
    }

    /// Signs with an app's token at a time, as Tencent does where authentication is switched on.
    pub fn signed(self, token: &Token, now: SystemTime) -> Self {
        let time = unix_seconds(now);
        self.sign(token.sign(time).to_hex()).request_time(time.to_string())
    }

    /// Sets the text of `Sign`, right or wrong.
    pub fn sign(mut self, text: impl Into<String>) -> Self {
        self.sign = Some(text.into());
        self
    }

    /// Sets the text of `RequestTime`, right or wrong.
    pub fn request_time(mut self, text: impl Into<String>) -> Self {
        self.request_time = Some(text.into());
        self
    }

    /// Sets the text of `ClientIP`, the address of the end user's client; `None` leaves it out.
    pub fn client_ip<'a>(mut self, text: impl Into<Option<&'a str>>) -> Self {
        self.client_ip = text.into().map(str::to_owned);
        self
    }

    /// Sets the text of `OptPlatform`, the platform of the end user's client; `None` leaves it out.
    pub fn platform<'a>(mut self, text: impl Into<Option<&'a str>>) -> Self {
        self.platform = text.into().map(str::to_owned);
        self
    }

    /// Sets the command in the URL, whatever the body's is.
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.command = command.into();
        self
    }

    /// Sets the body, whatever it is.
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Hands the request to a verifier, without a server: for a handler that a test calls by itself.
    ///
    /// `None` means that `E` does not take the command.
    ///
    /// # Errors
    ///
    /// What [`Verifier::check`] and [`Delivery::decode`] say.
    pub fn deliver_to<E: Event>(&self, verifier: &Verifier) -> Result<Option<Delivery<E>>, Error> {
        let query = self.query();
        let head = verifier.check(RequestHead::new("POST", &query))?;
        let mut buffer = head.read_body();
        buffer.push(&self.body)?;
        buffer.receive_optional()
    }

    /// What stands behind the `?` in the URL. With a signature in it, it is a secret.
    #[must_use]
    pub fn query(&self) -> String {
        let sdk_app_id = self.sdk_app_id.to_string();
        let mut query = String::new();
        for parameter in Parameter::ALL.iter().copied() {
            let value = match parameter {
                Parameter::SdkAppId => Some(sdk_app_id.as_str()),
                Parameter::Command => Some(self.command.as_str()),
                Parameter::ContentType => Some(ContentType::Json.as_str()),
                Parameter::ClientIp => self.client_ip.as_deref(),
                Parameter::Platform => self.platform.as_deref(),
                Parameter::Sign => self.sign.as_deref(),
                Parameter::RequestTime => self.request_time.as_deref(),
            };
            if let Some(value) = value {
                let and = if query.is_empty() { "" } else { "&" };
                let value = utf8_percent_encode(value, &VALUE);
                // Writing to a string has no way to fail.
                let _ = write!(query, "{and}{}={value}", parameter.key());
            }
        }
        query
    }

    /// The URL to post to, for an endpoint as it is configured at the vendor.
    ///
    /// What Tencent does if `endpoint` has a query of its own is not documented; this appends
    /// with `&` then.
    #[must_use]
    pub fn url(&self, endpoint: &str) -> String {
        let separator = if endpoint.contains('?') { '&' } else { '?' };
        format!("{endpoint}{separator}{}", self.query())
    }

    /// The body to post: JSON, with no `Content-Type` documented for it.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }
}

impl fmt::Debug for Request {
    /// Leaves the signature and the body out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("sdk_app_id", &self.sdk_app_id)
            .field("command", &self.command)
            .field("is_signed", &self.sign.is_some())
            .field("body_length", &self.body.len())
            .finish_non_exhaustive()
    }
}
