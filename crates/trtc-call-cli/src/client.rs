//! Posts callbacks as Tencent does, over HTTP/1.1 connections that are kept open.

mod endpoint;
mod fault;
mod tls;

use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::config::Config;
use ureq::http::header::CONTENT_TYPE;

pub(crate) use self::endpoint::Endpoint;
use self::fault::Fault;
pub(crate) use self::tls::Trust;
use crate::failure::Failure;

/// The longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 1024 * 1024;

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
    pub(crate) body: Vec<u8>,
    /// How long it took until it was whole, with the making of the connection if that is new.
    pub(crate) took: Duration,
}

/// One connection to one endpoint. For several at a time there are several clients.
pub(crate) struct Client {
    agent: Agent,
    timeout: Duration,
    /// Whether there was an answer, and so perhaps a connection that is still open.
    may_be_connected: bool,
}

impl Client {
    pub(crate) fn new(timeout: Duration, trust: &Trust) -> Self {
        let config = Config::builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(1)
            .max_idle_connections_per_host(1)
            .proxy(None)
            // Packets in the documents have no such headers.
            .accept("")
            .accept_encoding("")
            .user_agent(concat!("trtc-call/", env!("CARGO_PKG_VERSION")))
            .tls_config(trust.config())
            .build();
        Self { agent: config.new_agent(), timeout, may_be_connected: false }
    }

    /// Posts a body to a URL of the endpoint.
    ///
    /// # Errors
    ///
    /// When there is nothing that could answer: whoever asked for this must look at the URL.
    pub(crate) fn post(
        &mut self,
        endpoint: &Endpoint,
        url: &str,
        body: &[u8],
    ) -> Result<Reply, Failure> {
        let started = Instant::now();
        let mut answer = self.try_post(url, body);
        // A server may close an idle connection at any time, also while a request is on its way:
        // that says nothing about the endpoint, so a new connection is tried once.
        if self.may_be_connected && answer.as_ref().is_err_and(fault::is_disconnect) {
            answer = self.try_post(url, body);
        }
        self.may_be_connected = answer.is_ok();
        let took = started.elapsed();
        match answer {
            Ok(_) if took > self.timeout => Ok(Reply::Lost(self.too_late())),
            Ok((status, content_type, body)) => {
                Ok(Reply::Answer(Answer { status, content_type, body, took }))
            }
            Err(error) => match fault::of(error) {
                Fault::Late => Ok(Reply::Lost(self.too_late())),
                Fault::Answer(why) => Ok(Reply::Lost(why)),
                Fault::Reach(why) => Err(Failure::new(format!("cannot reach {endpoint}: {why}"))),
            },
        }
    }

    fn try_post(
        &self,
        url: &str,
        body: &[u8],
    ) -> Result<(u16, Option<String>, Vec<u8>), ureq::Error> {
        let mut response = self.agent.post(url).send(body)?;
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type = content_type.map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
        let body = response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec()?;
        Ok((response.status().as_u16(), content_type, body))
    }

    fn too_late(&self) -> String {
        format!("no whole answer within {:?}", self.timeout)
    }
}
