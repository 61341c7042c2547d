//! The check of the head, in its order: contract rows 1 to 6.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::app::App;
use crate::error::{Error, ErrorKind};
use crate::head::Head;
use crate::log::Log;
use crate::params::Params;
use crate::query::Query;
use crate::signature::Signature;

mod builder;

pub use builder::{BuildError, VerifierBuilder};

/// Checks requests for one or more [apps](App). Cheap to clone; clones share what they logged.
///
/// ```
/// use trtc_call_webhook::{App, CallEnded, Receipt, Verifier};
///
/// let verifier = Verifier::builder().app(App::new(1400000001)).build()?;
///
/// let query = "SdkAppid=1400000001&CallbackCommand=Call.CallbackAfterEndCall&contenttype=json";
/// let head = verifier.check("POST", query, Some(59))?;
///
/// // Only now the body is read.
/// let body = r#"{"CallRecord":{"CallId":"a-1","Caller_Account":"10001"}}"#;
/// let Receipt::Deliver(delivery) = head.receive::<CallEnded>(body)? else { unreachable!() };
/// assert_eq!(delivery.event().call_id, "a-1");
///
/// let error = verifier.check("POST", "SdkAppid=1400000002", None).unwrap_err();
/// assert_eq!(error.answer().status(), 403);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Verifier(Arc<Config>);

struct Config {
    apps: Vec<App>,
    replay_window: Duration,
    body_limit: usize,
    log: Log,
}

impl Verifier {
    /// Starts to configure a verifier.
    pub const fn builder() -> VerifierBuilder {
        VerifierBuilder::new()
    }

    /// Checks what is known before the body is read, by the system's clock.
    ///
    /// `query` is what stands behind the first `?` of the request's target, undecoded; empty if
    /// there is none. `content_length` is the number of bytes that the peer announces, if it
    /// does.
    ///
    /// # Errors
    ///
    /// The first check that fails, in this order: [`MethodNotAllowed`], [`MalformedQuery`],
    /// [`ForeignApp`], [`Unsigned`], [`BadSignature`] or [`StaleSignature`], [`BodyTooLarge`].
    ///
    /// [`MethodNotAllowed`]: ErrorKind::MethodNotAllowed
    /// [`MalformedQuery`]: ErrorKind::MalformedQuery
    /// [`ForeignApp`]: ErrorKind::ForeignApp
    /// [`Unsigned`]: ErrorKind::Unsigned
    /// [`BadSignature`]: ErrorKind::BadSignature
    /// [`StaleSignature`]: ErrorKind::StaleSignature
    /// [`BodyTooLarge`]: ErrorKind::BodyTooLarge
    pub fn check(
        &self,
        method: &str,
        query: &str,
        content_length: Option<u64>,
    ) -> Result<Head, Error> {
        self.check_at(method, query, content_length, SystemTime::now())
    }

    /// [`check`](Self::check) by a clock of one's own.
    ///
    /// # Errors
    ///
    /// The same as [`check`](Self::check).
    pub fn check_at(
        &self,
        method: &str,
        query: &str,
        content_length: Option<u64>,
        now: SystemTime,
    ) -> Result<Head, Error> {
        self.try_check(method, query, content_length, now)
            .inspect_err(|error| self.log().refused(error, false))
    }

    fn try_check(
        &self,
        method: &str,
        query: &str,
        content_length: Option<u64>,
        now: SystemTime,
    ) -> Result<Head, Error> {
        if method != "POST" {
            return Err(Error::new(ErrorKind::MethodNotAllowed, "the method is not POST"));
        }
        let mut known = Query::default();
        known.read(query)?;
        let sdk_app_id = known.sdk_app_id()?;
        let app =
            self.0.apps.iter().find(|app| app.sdk_app_id() == sdk_app_id).ok_or_else(|| {
                Error::new(ErrorKind::ForeignApp, "the SDKAppID is none of the receiver's")
            })?;
        let signature = Signature::read(known.sign.as_deref(), known.request_time.as_deref());
        let is_signed = signature.verify(app.policy(), &app.tokens, now, self.0.replay_window)?;
        let fits = |length| usize::try_from(length).is_ok_and(|length| length <= self.0.body_limit);
        if !content_length.is_none_or(fits) {
            let reason = "more bytes are announced than the limit";
            return Err(Error::new(ErrorKind::BodyTooLarge, reason));
        }
        Ok(Head::new(self.clone(), Params::new(sdk_app_id, &known, &signature), is_signed))
    }

    /// The longest body that is taken, in bytes.
    #[must_use]
    pub fn body_limit(&self) -> usize {
        self.0.body_limit
    }

    /// How far `RequestTime` may be from the clock, before or after it.
    #[must_use]
    pub fn replay_window(&self) -> Duration {
        self.0.replay_window
    }

    pub(crate) fn log(&self) -> &Log {
        &self.0.log
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("apps", &self.0.apps)
            .field("replay_window", &self.0.replay_window)
            .field("body_limit", &self.0.body_limit)
            .finish()
    }
}
