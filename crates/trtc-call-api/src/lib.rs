//! Skeleton of the public face; to be split into modules.
#![allow(
    missing_docs,
    unused_variables,
    clippy::todo,
    clippy::missing_errors_doc,
    clippy::must_use_candidate
)]

use std::ops::Range;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
pub use trtc_call_webhook;
use trtc_call_webhook::{CallEnded, Command, SdkAppId};

/// The app's secret key. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct SecretKey(String);

#[derive(Debug)]
#[non_exhaustive]
pub enum SecretKeyError {
    Empty,
    OddEnd,
    File(std::io::Error),
}

impl std::fmt::Display for SecretKeyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}
impl std::error::Error for SecretKeyError {}

impl SecretKey {
    /// Every byte counts, nothing is trimmed.
    pub fn new(key: impl Into<String>) -> Result<Self, SecretKeyError> {
        todo!()
    }
    /// From a file; one line end at the end of the file is not part of it.
    pub fn read(file: impl AsRef<Path>) -> Result<Self, SecretKeyError> {
        todo!()
    }
}
impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// A UserSig. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct UserSig(String);
impl std::fmt::Debug for UserSig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UserSig(…)")
    }
}

/// What a UserSig says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    pub sdk_app_id: SdkAppId,
    pub identifier: String,
    /// Unix seconds.
    pub issued_at: u64,
    /// Seconds.
    pub valid_for: u64,
    pub userbuf: Option<Vec<u8>>,
}

impl Claims {
    pub fn new(
        sdk_app_id: impl Into<SdkAppId>,
        identifier: impl Into<String>,
        issued_at: u64,
        valid_for: u64,
    ) -> Self {
        todo!()
    }
    pub fn with_userbuf(self, userbuf: impl Into<Vec<u8>>) -> Self {
        todo!()
    }
    pub fn sign(&self, key: &SecretKey) -> UserSig {
        todo!()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidUserSig {
    Malformed,
    WrongSignature,
}
impl std::fmt::Display for InvalidUserSig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}
impl std::error::Error for InvalidUserSig {}

impl UserSig {
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Reads a UserSig and verifies its signature; whether it has expired is to be asked of the claims.
    pub fn verify(text: &str, key: &SecretKey) -> Result<Claims, InvalidUserSig> {
        todo!()
    }
}

/// Where the app's data are. `host()` is the vendor's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Region {
    China,
    Singapore,
    Seoul,
    Frankfurt,
    SiliconValley,
    Jakarta,
    Tokyo,
    Mumbai,
}
impl Region {
    pub const ALL: &[Self] = &[
        Self::China,
        Self::Singapore,
        Self::Seoul,
        Self::Frankfurt,
        Self::SiliconValley,
        Self::Jakarta,
        Self::Tokyo,
        Self::Mumbai,
    ];
    /// `china`, `singapore`, … `silicon-valley`: what `--region` takes. `FromStr` reads it, `Display` writes it.
    pub const fn as_str(self) -> &'static str {
        todo!()
    }
    pub const fn host(self) -> &'static str {
        todo!()
    }
}
impl std::str::FromStr for Region {
    type Err = InvalidRegion;
    fn from_str(s: &str) -> Result<Self, InvalidRegion> {
        todo!()
    }
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidRegion;
impl std::fmt::Display for InvalidRegion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}
impl std::error::Error for InvalidRegion {}

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
