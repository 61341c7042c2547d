//! Posts callbacks as Tencent does, over HTTP/1.1 connections that are kept open.

mod endpoint;
mod fault;
mod trust;

use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderName, LOCATION};
use reqwest::redirect::Policy;

pub(crate) use self::endpoint::{Endpoint, is_exact};
pub(crate) use self::fault::{Fault, cause};
pub(crate) use self::trust::{Trust, authorities};
use crate::failure::Failure;

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// What came back for a callback.
pub(crate) enum Reply {
    /// An answer, whole and in time.
    Answer(Answer),
    /// None that could be read, and why.
    Lost(String),
}

/// An HTTP answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    /// When it was made, by the endpoint's clock.
    pub(crate) date: Option<String>,
    /// Where a redirection leads.
    pub(crate) location: Option<String>,
    pub(crate) body: Vec<u8>,
    /// How long it took until it was whole, with the making of the connection if that is new.
    pub(crate) took: Duration,
}

/// Posts one callback at a time to one endpoint. Its clones share the connections that are idle.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    timeout: Duration,
    /// Whether there was an answer, and so perhaps a connection that is still open.
    may_be_connected: bool,
}

impl Client {
    pub(crate) fn new(timeout: Duration, trust: Trust) -> Result<Self, Failure> {
        let http = trust
            .apply(reqwest::Client::builder())
            .timeout(timeout)
            .redirect(Policy::none())
            .no_proxy()
            .http1_only()
            // The rule for a lost connection is below.
            .retry(reqwest::retry::never())
            .user_agent(concat!("trtc-call/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Failure::new(format!("cannot make a client: {}", cause(&error))))?;
        Ok(Self { http, timeout, may_be_connected: false })
    }

    /// Posts a body to a URL of the endpoint.
    ///
    /// # Errors
    ///
    /// When there is nothing that could answer: whoever asked for this must look at the URL.
    pub(crate) async fn post(
        &mut self,
        endpoint: &Endpoint,
        url: &str,
        body: &[u8],
    ) -> Result<Reply, Failure> {
        match self.ask(Method::POST, url, body).await {
            Ok(answer) => Ok(Reply::Answer(answer)),
            Err(Fault::Reach(why)) => Err(Failure::new(format!("cannot reach {endpoint}: {why}"))),
            Err(fault) => Ok(Reply::Lost(fault.in_words(self.timeout))),
        }
    }

    /// Sends a request to a URL of the endpoint.
    pub(crate) async fn ask(
        &mut self,
        method: Method,
        url: &str,
        body: &[u8],
    ) -> Result<Answer, Fault> {
        let mut answer = self.try_ask(method.clone(), url, body).await;
        // A server may close an idle connection at any time, also while a request is on its way:
        // that says nothing about the endpoint, so a new connection is tried once.
        if self.may_be_connected && matches!(answer, Err(Fault::Closed)) {
            answer = self.try_ask(method, url, body).await;
        }
        self.may_be_connected = answer.is_ok();
        answer
    }

    async fn try_ask(&self, method: Method, url: &str, body: &[u8]) -> Result<Answer, Fault> {
        let started = Instant::now();
        let mut response = self.http.request(method, url).body(body.to_vec()).send().await?;
        let header = |name: HeaderName| {
            let value = response.headers().get(name);
            value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let (content_type, date, location) = (header(CONTENT_TYPE), header(DATE), header(LOCATION));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len().saturating_add(chunk.len()) > MAX_ANSWER {
                return Err(Fault::Answer(format!("the answer has more than {MAX_ANSWER} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        let took = started.elapsed();
        let status = response.status().as_u16();
        Ok(Answer { status, content_type, date, location, body, took })
    }
}
