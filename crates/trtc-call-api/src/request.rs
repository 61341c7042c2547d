//! One call: its requests, until one is answered or there is no point in another.

use std::borrow::Cow;
use std::time::Instant;

use reqwest::Url;

use crate::redact::Secrets;
use crate::reply::Reply;
use crate::retry::Backoff;
use crate::{Client, Code, Error, UserSig, log, transport};

/// What is asked of the vendor (647/68926).
pub(crate) struct Request<'a> {
    path: &'static str,
    /// Never empty.
    body: Cow<'static, str>,
    /// Whether it changes something.
    is_write: bool,
    /// A parameter of `GetIPList`.
    pub(crate) nettype: Option<&'static str>,
    /// What of the body no error may repeat.
    pub(crate) secret: &'a str,
}

impl Request<'_> {
    pub(crate) fn read(path: &'static str, body: impl Into<Cow<'static, str>>) -> Self {
        Self { path, body: body.into(), is_write: false, nettype: None, secret: "" }
    }

    pub(crate) fn write(path: &'static str, body: impl Into<Cow<'static, str>>) -> Self {
        Self { is_write: true, ..Self::read(path, body) }
    }

    fn url(&self, client: &Client, user_sig: &UserSig) -> Url {
        let mut url = client.0.base.clone();
        // Only a URL that no path can be appended to has none, and such a base is refused.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(self.path.split('/'));
        }
        let mut query = url.query_pairs_mut();
        query
            .append_pair("sdkappid", &client.sdk_app_id().to_string())
            .append_pair("identifier", client.0.admin.identifier())
            .append_pair("usersig", user_sig.as_str())
            .append_pair("random", &fastrand::u32(..).to_string())
            .append_pair("contenttype", "json");
        if let Some(nettype) = self.nettype {
            query.append_pair("nettype", nettype);
        }
        drop(query);
        url
    }

    /// Whether to send it again after this. A write is not sent again where it may have been carried out:
    /// the second one could undo what somebody else has done in between.
    fn may_pass(&self, error: &Error) -> bool {
        error.is_transient() && (!self.is_write || error.is_not_done())
    }
}

impl Client {
    /// Sends a request, again where that may help.
    pub(crate) async fn call(&self, request: &Request<'_>) -> Result<Reply, Error> {
        let mut backoff = Backoff::new(self.0.retry_for);
        let mut is_renewed = false;
        loop {
            self.0.rate_limit.acquire().await;
            let (user_sig, is_new) = self.0.admin.user_sig(self.now());
            let error = match self.send(request, &user_sig).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            if error.code().is_some_and(Code::is_about_user_sig) {
                self.0.admin.forget(&user_sig);
                // The clock may have been wrong when it was made. One that is new is not mended by another.
                if !is_new && !is_renewed {
                    is_renewed = true;
                    continue;
                }
            }
            let Some(wait) = backoff.next().filter(|_| request.may_pass(&error)) else {
                return Err(error);
            };
            log::tried_again(request.path, &error, wait);
            tokio::time::sleep(wait).await;
        }
    }

    async fn send(&self, request: &Request<'_>, user_sig: &UserSig) -> Result<Reply, Error> {
        let (url, started) = (request.url(self, user_sig), Instant::now());
        let secrets = [user_sig.as_str(), request.secret];
        let secrets = Secrets(&secrets);
        let body = transport::post(&self.0.http, url, request.body.clone().into_owned(), secrets);
        let reply = body.await.and_then(|body| Reply::read(&body, secrets));
        let request_id = reply.as_ref().ok().and_then(|reply| reply.request_id.as_deref());
        log::requested(request.path, started, request_id, reply.as_ref().err());
        reply
    }
}
