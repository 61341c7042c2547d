//! Skeleton of the public face; to be split into modules.
#![allow(
    missing_docs,
    unused_variables,
    clippy::todo,
    clippy::missing_errors_doc,
    clippy::must_use_candidate
)]

mod region;
mod secret_key;
mod user_sig;

pub use region::{InvalidRegion, Region};
pub use secret_key::{SecretKey, SecretKeyError};
pub use user_sig::{Claims, InvalidUserSig, UserSig};

use std::ops::Range;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
pub use trtc_call_webhook;
use trtc_call_webhook::{CallEnded, Command, SdkAppId};

/// A client for one app; clones share connections, the UserSig and the rate limit.
#[derive(Clone, Debug)]
pub struct Client {}
#[derive(Debug)]
pub struct ClientBuilder {}
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    SdkAppId,
    Admin,
    BaseUrl,
    RateLimit,
    Timeout,
    Tls,
}
impl std::fmt::Display for BuildError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}
impl std::error::Error for BuildError {}

impl Client {
    pub fn builder(sdk_app_id: impl Into<SdkAppId>, key: SecretKey) -> ClientBuilder {
        todo!()
    }
    pub fn sdk_app_id(&self) -> SdkAppId {
        todo!()
    }
    /// The base URL, without a secret.
    pub fn base_url(&self) -> &str {
        todo!()
    }
    /// By the client's clock.
    pub fn now(&self) -> SystemTime {
        todo!()
    }
    /// For clients of other languages: valid for so long.
    pub fn user_sig(&self, identifier: &str, valid_for: Duration) -> UserSig {
        todo!()
    }

    /// `None` if none is set (100301).
    pub async fn callback(&self) -> Result<Option<CallbackSettings>, Error> {
        todo!()
    }
    pub async fn set_callback(&self, settings: &CallbackSettings) -> Result<(), Error> {
        todo!()
    }
    pub async fn delete_callback(&self) -> Result<(), Error> {
        todo!()
    }
    /// `None` if the vendor knows no such record (101050).
    pub async fn record(&self, call_id: &str) -> Result<Option<Record>, Error> {
        todo!()
    }
    pub fn records(&self, span: Range<SystemTime>) -> Records {
        todo!()
    }
    /// Addresses and networks that callbacks come from.
    pub async fn callback_ips(&self, egress: Egress) -> Result<Vec<String>, Error> {
        todo!()
    }
}

impl ClientBuilder {
    pub fn admin(self, admin: impl Into<String>) -> Self {
        todo!()
    }
    pub fn region(self, region: Region) -> Self {
        todo!()
    }
    /// Instead of a region: a proxy or a fake vendor. http:// or https://, without a query.
    pub fn base_url(self, url: impl Into<String>) -> Self {
        todo!()
    }
    /// Of one request, its answer included.
    pub fn timeout(self, time: Duration) -> Self {
        todo!()
    }
    /// How long a call is tried again what may pass by itself; zero for never.
    pub fn retry_for(self, time: Duration) -> Self {
        todo!()
    }
    /// Requests a second, at most.
    pub fn rate_limit(self, per_second: u32) -> Self {
        todo!()
    }
    pub fn clock(self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        todo!()
    }
    pub fn build(self) -> Result<Client, BuildError> {
        todo!()
    }
}

#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallbackSettings {
    pub url: String,
    pub commands: Vec<Command>,
}
impl CallbackSettings {
    pub fn new(url: impl Into<String>, commands: impl IntoIterator<Item = Command>) -> Self {
        todo!()
    }
}
impl std::fmt::Debug for CallbackSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}

/// 5 and 6 of GetIPList.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Egress {
    China,
    Overseas,
}

/// What the vendor says of a call that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    call: CallEnded,
    body: Bytes,
}
impl Record {
    pub fn call(&self) -> &CallEnded {
        &self.call
    }
    /// As the body of a callback: `{"CallbackCommand":"Call.CallbackAfterEndCall","CallRecord":<the vendor's bytes>}`.
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

/// The records of a span of time, read page by page.
#[derive(Debug)]
pub struct Records {}
impl Records {
    /// The next record: each once. After an error it may be called again, and goes on where it was.
    pub async fn next(&mut self) -> Option<Result<Record, Error>> {
        todo!()
    }
    /// How many records could not be read so far, and were left out.
    pub fn unreadable(&self) -> u64 {
        todo!()
    }
}

#[derive(Debug)]
pub struct Error {}
impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}
impl std::error::Error for Error {}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No connection, or it was lost.
    Transport,
    /// No whole answer in time.
    TimedOut,
    /// The answer is not what the vendor documents: not JSON, too long, another HTTP status than 200.
    Answer,
    /// The vendor answered with a code: `Error::code`.
    Refused,
}
impl Error {
    pub fn kind(&self) -> ErrorKind {
        todo!()
    }
    pub fn code(&self) -> Option<Code> {
        todo!()
    }
    pub fn request_id(&self) -> Option<&str> {
        todo!()
    }
    /// Whether it may pass by itself.
    pub fn is_transient(&self) -> bool {
        todo!()
    }
    /// Whether it says that requests come too often: 60007, 60011, 60018, 60019 or HTTP 429.
    pub fn is_rate_limited(&self) -> bool {
        todo!()
    }
}

/// An error code of the vendor's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub i64);
impl Code {
    pub const NO_CALLBACK: Self = Self(100_301);
    pub const NO_RECORD: Self = Self(101_050);
    /// What it means, where that is documented.
    pub const fn meaning(self) -> Option<&'static str> {
        todo!()
    }
    /// What to do about it, where there is something.
    pub const fn advice(self) -> Option<&'static str> {
        todo!()
    }
}
