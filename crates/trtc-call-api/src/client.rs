//! The client: the vendor's calls, each a method.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::Url;
use serde::Serialize;
use trtc_call_webhook::SdkAppId;

use crate::admin::Admin;
use crate::rate_limit::RateLimit;
use crate::request::Request;
use crate::{CallbackSettings, Code, Error, Record, Records, SecretKey, UserSig, settings};

mod builder;

pub use builder::{BuildError, ClientBuilder};

/// A client for one app. Clones share connections, the UserSig and the rate limit.
///
/// Each call sends one request, and may send it again for [`retry_for`](ClientBuilder::retry_for). A call
/// that is dropped may have been carried out.
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) admin: Admin,
    pub(crate) base: Url,
    pub(crate) clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    pub(crate) http: reqwest::Client,
    pub(crate) rate_limit: RateLimit,
    pub(crate) retry_for: Duration,
}

/// Where callbacks come from, by where they are received (1047/36742).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Egress {
    /// Received in China, Hong Kong included (`nettype` 5).
    China,
    /// Received anywhere else (`nettype` 6).
    Overseas,
}

impl Client {
    /// A client for the app, with the secret key that the console shows for it.
    pub fn builder(sdk_app_id: impl Into<SdkAppId>, key: SecretKey) -> ClientBuilder {
        ClientBuilder::new(sdk_app_id.into(), key)
    }

    /// The app.
    #[must_use]
    pub fn sdk_app_id(&self) -> SdkAppId {
        self.0.admin.app()
    }

    /// The URL that the paths of the calls are appended to. There is no secret in it.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.0.base.as_str()
    }

    /// The time by the client's clock.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        (self.0.clock)()
    }

    /// A UserSig for a user, valid from now on for so many whole seconds: for an app's own users, and for
    /// clients of other languages. No request is sent.
    #[must_use]
    pub fn user_sig(&self, identifier: &str, valid_for: Duration) -> UserSig {
        self.0.admin.sign(identifier, self.now(), valid_for)
    }

    /// Where callbacks are posted to; `None` if nothing is set (647/68937).
    ///
    /// # Errors
    ///
    /// Of any [kind](crate::ErrorKind).
    pub async fn callback(&self) -> Result<Option<CallbackSettings>, Error> {
        match self.call(&Request::read("v4/call_config/get_callback", "{}")).await {
            Ok(reply) => CallbackSettings::from_reply(&reply),
            Err(error) if settings::is_none(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sets where callbacks are posted to, and overwrites what is set (647/68938).
    ///
    /// It is sent again only where the vendor cannot have taken it: one that was taken late would overwrite
    /// what somebody else has set meanwhile.
    ///
    /// # Errors
    ///
    /// Of any [kind](crate::ErrorKind). After [`Transport`](crate::ErrorKind::Transport) and
    /// [`TimedOut`](crate::ErrorKind::TimedOut) it may be set nevertheless: ask [`callback`](Self::callback).
    pub async fn set_callback(&self, settings: &CallbackSettings) -> Result<(), Error> {
        let mut request = Request::write("v4/call_config/set_callback", settings.to_json());
        request.secret = settings.secret();
        self.call(&request).await.map(drop)
    }

    /// Switches callbacks off (647/68939). It is sent again as [`set_callback`](Self::set_callback) is.
    ///
    /// # Errors
    ///
    /// As for [`set_callback`](Self::set_callback), and where nothing is set what the vendor makes of that.
    pub async fn delete_callback(&self) -> Result<(), Error> {
        self.call(&Request::write("v4/call_config/delete_callback", "{}")).await.map(drop)
    }

    /// The record of a call, which is there from 5 seconds after its end, for 7 days; `None` if the vendor
    /// knows none (647/68930).
    ///
    /// # Errors
    ///
    /// Of any [kind](crate::ErrorKind); [`Answer`](crate::ErrorKind::Answer) too where the record cannot be
    /// read or is another call's.
    pub async fn record(&self, call_id: &str) -> Result<Option<Record>, Error> {
        let body = serde_json::to_string(&ById { call_id }).unwrap_or_default();
        match self.call(&Request::read("v4/call_record_http_srv/get_record_by_callid", body)).await
        {
            Ok(reply) => Record::from_reply(&reply, call_id).map(Some),
            Err(error) if error.code() == Some(Code::NO_RECORD) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The records of a span of time, to the second (647/68931). Nothing is sent yet.
    ///
    /// Whether the vendor goes by a call's start or its end is not documented: for calls that may be long
    /// take a wide span. It moves a start of more than 7 days ago to 7 days ago, without a word. An empty
    /// span has no records.
    #[must_use]
    pub fn records(&self, span: Range<SystemTime>) -> Records {
        Records::new(self.clone(), &span)
    }

    /// The addresses and networks that callbacks come from (1047/36742). The page is Chat's; that Call's
    /// callbacks come from the same is likely, and not documented. They change: ask again now and then.
    ///
    /// # Errors
    ///
    /// Of any [kind](crate::ErrorKind).
    pub async fn callback_ips(&self, egress: Egress) -> Result<Vec<String>, Error> {
        let mut request = Request::read("v4/ConfigSvc/GetIPList", "{}");
        request.nettype = Some(match egress {
            Egress::China => "5",
            Egress::Overseas => "6",
        });
        self.call(&request).await?.ip_list()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("sdk_app_id", &self.sdk_app_id())
            .field("base_url", &self.base_url())
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ById<'a> {
    call_id: &'a str,
}
