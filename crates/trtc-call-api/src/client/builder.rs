//! How a client is set up.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::Url;
use trtc_call_webhook::SdkAppId;

use super::{Client, Inner};
use crate::admin::Admin;
use crate::rate_limit::RateLimit;
use crate::{Region, SecretKey, transport};

/// Half of what the vendor allows each of its calls, for there may be other programs.
const RATE_LIMIT: u32 = 100;

/// The vendor gives up after 3 seconds, and asks to wait longer.
const TIMEOUT: Duration = Duration::from_secs(10);

const RETRY_FOR: Duration = Duration::from_secs(15);

/// The longest name of a user, in bytes.
const MAX_IDENTIFIER: usize = 32;

/// Sets up a [`Client`].
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    sdk_app_id: SdkAppId,
    key: SecretKey,
    admin: String,
    base_url: String,
    timeout: Duration,
    retry_for: Duration,
    rate_limit: u32,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
}

impl ClientBuilder {
    pub(super) fn new(sdk_app_id: SdkAppId, key: SecretKey) -> Self {
        let builder = Self {
            sdk_app_id,
            key,
            admin: "administrator".to_owned(),
            base_url: String::new(),
            timeout: TIMEOUT,
            retry_for: RETRY_FOR,
            rate_limit: RATE_LIMIT,
            clock: Box::new(SystemTime::now),
        };
        builder.region(Region::China)
    }

    /// The administrator in whose name requests are sent: `administrator` if not said.
    pub fn admin(mut self, admin: impl Into<String>) -> Self {
        self.admin = admin.into();
        self
    }

    /// The region that the app was made in: China if not said.
    pub fn region(self, region: Region) -> Self {
        self.base_url(format!("https://{}", region.host()))
    }

    /// What to call instead of a region: `https://` or, for a fake vendor, `http://`; the paths of the
    /// calls are appended.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// How long one request may take, its answer included: 10 seconds if not said.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.timeout = time;
        self
    }

    /// For how long a call sends again a request that failed for what may pass by itself: 15 seconds if not
    /// said, zero for never. The last request may begin just before that, and take its time.
    pub fn retry_for(mut self, time: Duration) -> Self {
        self.retry_for = time;
        self
    }

    /// How many requests are sent in a second, at most: 100 if not said. The vendor allows 200 of each call
    /// for all programs of an app.
    pub fn rate_limit(mut self, per_second: u32) -> Self {
        self.rate_limit = per_second;
        self
    }

    /// The clock by which UserSigs are made: the system's if not said.
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Box::new(now);
        self
    }

    /// Builds the client. For `https` the system's certificates are read.
    ///
    /// # Errors
    ///
    /// What could never work: see [`BuildError`].
    pub fn build(self) -> Result<Client, BuildError> {
        if self.sdk_app_id.get() == 0 {
            return Err(BuildError::SdkAppId);
        }
        let is_printable = self.admin.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if !is_printable || !(1..=MAX_IDENTIFIER).contains(&self.admin.len()) {
            return Err(BuildError::Admin);
        }
        if self.timeout.is_zero() {
            return Err(BuildError::Timeout);
        }
        let base = base(&self.base_url).ok_or(BuildError::BaseUrl)?;
        let rate_limit = RateLimit::new(self.rate_limit).ok_or(BuildError::RateLimit)?;
        let http = transport::connect(&base, self.timeout).ok_or(BuildError::Tls)?;
        Ok(Client(Arc::new(Inner {
            admin: Admin::new(self.sdk_app_id, self.key, self.admin),
            base,
            clock: self.clock,
            http,
            rate_limit,
            retry_for: self.retry_for,
        })))
    }
}

/// A URL that paths can be appended to, and that holds no password.
fn base(url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    (is_plain && matches!(url.scheme(), "http" | "https")).then_some(url)
}

impl fmt::Debug for ClientBuilder {
    /// Without the base URL: one that is refused may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("sdk_app_id", &self.sdk_app_id)
            .field("admin", &self.admin)
            .field("timeout", &self.timeout)
            .field("retry_for", &self.retry_for)
            .field("rate_limit", &self.rate_limit)
            .finish_non_exhaustive()
    }
}

/// A client could never work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// The SDKAppID is 0.
    SdkAppId,
    /// The administrator's name is not 1 to 32 bytes of printable ASCII.
    Admin,
    /// The base URL is no `http://` or `https://` URL, or has a user name, a query or a fragment.
    BaseUrl,
    /// No request a second is allowed.
    RateLimit,
    /// A request may take no time.
    Timeout,
    /// TLS cannot be set up: the system has no certificates to trust.
    Tls,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SdkAppId => "sdk_app_id: must not be 0",
            Self::Admin => "admin: must be 1 to 32 bytes of printable ASCII",
            Self::BaseUrl => {
                "base_url: must be an http:// or https:// URL without user name, query and fragment"
            }
            Self::RateLimit => "rate_limit: must not be 0",
            Self::Timeout => "timeout: must not be 0",
            Self::Tls => "TLS cannot be set up: the system has no certificates to trust",
        })
    }
}

impl std::error::Error for BuildError {}
