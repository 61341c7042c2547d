//! One request and its answer, as bytes.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{StatusCode, Url};

use crate::redact::Secrets;
use crate::{Error, tls};

/// The most of an answer that is read: a page of a hundred calls of hundreds of members has room.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// How long a connection is waited for, if a request may take that long.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a connection that is not used is kept.
const IDLE: Duration = Duration::from_secs(30);

/// The most of a cause that is told, in bytes.
const MAX_CAUSE: usize = 256;

/// `None` if it cannot be set up.
///
/// For `https` a proxy is taken from the environment, as in companies that have no other way out: it sees
/// the host, no more. Without TLS it would see the UserSig, and what is asked is near: there is none.
pub(crate) fn connect(base: &Url, timeout: Duration) -> Option<reqwest::Client> {
    let is_https = base.scheme() == "https";
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("trtc-call-api/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(tls::config(is_https)?)
        .http1_only()
        // It would carry the UserSig elsewhere.
        .redirect(Policy::none())
        .connect_timeout(CONNECT.min(timeout))
        .pool_idle_timeout(IDLE)
        .timeout(timeout);
    if !is_https {
        builder = builder.no_proxy();
    }
    builder.build().ok()
}

/// Posts JSON and returns the body of an answer whose status is 200.
pub(crate) async fn post(
    http: &reqwest::Client,
    url: Url,
    body: String,
    secrets: Secrets<'_>,
) -> Result<Bytes, Error> {
    let failure = |error| failure(error, secrets);
    let request = http.post(url).header(CONTENT_TYPE, "application/json").body(body);
    let mut response = request.send().await.map_err(failure)?;
    if response.status() != StatusCode::OK {
        return Err(Error::http_status(response.status().as_u16()));
    }
    let mut answer = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if answer.len().saturating_add(chunk.len()) > MAX_ANSWER {
            return Err(Error::answer("it is longer than 8 MiB"));
        }
        answer.extend_from_slice(&chunk);
    }
    Ok(answer.freeze())
}

/// Whose text names the URL, and so the UserSig: nothing is kept of it but its innermost cause.
#[expect(clippy::needless_pass_by_value, reason = "nobody is to use it after")]
fn failure(error: reqwest::Error, secrets: Secrets<'_>) -> Error {
    if error.is_timeout() && !error.is_connect() {
        return Error::timed_out();
    }
    let cause = chain(&error).last().map_or_else(String::new, ToString::to_string);
    let cause = secrets.redact(&cause, MAX_CAUSE);
    if error.is_connect() {
        let mut causes = chain(&error).filter_map(|cause| cause.downcast_ref());
        let is_untrusted =
            causes.any(|cause| matches!(cause, rustls::Error::InvalidCertificate(_)));
        return Error::no_connection(cause, is_untrusted);
    }
    Error::broken(cause)
}

/// What an error comes from, from the outside to the inside.
fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |&error| {
        match error.downcast_ref().and_then(io::Error::get_ref) {
            // One that wraps another does not name it as its source.
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}
