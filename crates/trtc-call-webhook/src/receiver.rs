//! The configured checker of requests, and the check of the head: contract rows 1 to 6.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::error::{Error, ErrorKind};
use crate::head::Head;
use crate::log::Log;
use crate::params::Params;
use crate::query::{Query, parse_sdk_app_id};
use crate::signature::{Signature, SignaturePolicy, Token};

/// The longest body that is taken unless the builder says otherwise, in bytes.
const DEFAULT_BODY_LIMIT: usize = 262_144;

/// The replay window unless the builder says otherwise: what 64412 documents for Live.
const DEFAULT_REPLAY_WINDOW: Duration = Duration::from_secs(60);

/// One Tencent application: its SDKAppID, its tokens, and what is asked of the signature.
///
/// Without a token only the SDKAppID is checked, which is all that the vendor's page asks for;
/// with a token or several, a valid signature is required.
///
/// Two apps must not share a token: the signature does not cover the SDKAppID.
#[derive(Clone, Debug)]
pub struct App {
    sdk_app_id: u64,
    tokens: Vec<Token>,
    policy: Option<SignaturePolicy>,
}

impl App {
    /// An app by its SDKAppID, without a token.
    #[must_use]
    pub const fn new(sdk_app_id: u64) -> Self {
        Self { sdk_app_id, tokens: Vec::new(), policy: None }
    }

    /// Adds a callback authentication token. During a rotation several are valid at once.
    #[must_use]
    pub fn token(mut self, token: impl Into<Token>) -> Self {
        self.tokens.push(token.into());
        self
    }

    /// Adds several tokens. Whoever gives a list means to have one: if it turns out to be empty,
    /// [`build`](ReceiverBuilder::build) fails unless the policy is set otherwise.
    #[must_use]
    pub fn tokens<T: Into<Token>>(mut self, tokens: impl IntoIterator<Item = T>) -> Self {
        self.tokens.extend(tokens.into_iter().map(Into::into));
        self.policy.get_or_insert(SignaturePolicy::Required);
        self
    }

    /// Requires a valid signature. With a token that is so anyway; saying it makes
    /// [`build`](ReceiverBuilder::build) fail if there is none.
    #[must_use]
    pub const fn require_signature(mut self) -> Self {
        self.policy = Some(SignaturePolicy::Required);
        self
    }

    /// Lets requests without a signature pass although there are tokens, while the signature is
    /// being rolled out. A `Sign` or a `RequestTime` that is there must still be valid.
    ///
    /// Anybody who knows the SDKAppID can send such requests.
    #[must_use]
    pub const fn insecure_accept_unsigned(mut self) -> Self {
        self.policy = Some(SignaturePolicy::IfPresent);
        self
    }

    /// Does not look at the signature although there may be tokens.
    ///
    /// Anybody who knows the SDKAppID can send requests.
    #[must_use]
    pub const fn insecure_ignore_signature(mut self) -> Self {
        self.policy = Some(SignaturePolicy::Off);
        self
    }

    /// The SDKAppID.
    #[must_use]
    pub const fn sdk_app_id(&self) -> u64 {
        self.sdk_app_id
    }

    fn policy(&self) -> SignaturePolicy {
        self.policy.unwrap_or(if self.tokens.is_empty() {
            SignaturePolicy::Off
        } else {
            SignaturePolicy::Required
        })
    }
}

impl FromStr for App {
    type Err = BuildError;

    /// An app by the text of its SDKAppID, by the rule that holds for the URL too: plain decimal,
    /// without sign, space or leading zero, not 0, at most 64 bits.
    fn from_str(text: &str) -> Result<Self, BuildError> {
        let problem = "an SDKAppID is a number from 1 to 18446744073709551615, without sign, space \
                       or leading zero";
        let id = parse_sdk_app_id(text).ok_or(BuildError { field: "app", app: None, problem })?;
        Ok(Self::new(id))
    }
}

impl From<u64> for App {
    fn from(sdk_app_id: u64) -> Self {
        Self::new(sdk_app_id)
    }
}

/// Checks requests for one or more [apps](App). Cheap to clone; clones share what they logged.
///
/// ```
/// use trtc_call_webhook::{App, CallEnded, Receipt, Receiver};
///
/// let receiver = Receiver::builder().app(App::new(1400000001)).build()?;
///
/// let query = "SdkAppid=1400000001&CallbackCommand=Call.CallbackAfterEndCall&contenttype=json";
/// let head = receiver.check("POST", query, Some(59))?;
///
/// // Only now the body is read.
/// let body = r#"{"CallRecord":{"CallId":"a-1","Caller_Account":"10001"}}"#;
/// let Receipt::Deliver(delivery) = head.receive::<CallEnded>(body)? else { unreachable!() };
/// assert_eq!(delivery.event().call_id, "a-1");
///
/// let error = receiver.check("POST", "SdkAppid=1400000002", None).unwrap_err();
/// assert_eq!(error.answer().status(), 403);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Receiver(Arc<Config>);

struct Config {
    apps: Vec<App>,
    replay_window: Duration,
    body_limit: usize,
    log: Log,
}

impl Receiver {
    /// Starts to configure a receiver.
    pub const fn builder() -> ReceiverBuilder {
        ReceiverBuilder {
            apps: Vec::new(),
            replay_window: DEFAULT_REPLAY_WINDOW,
            body_limit: DEFAULT_BODY_LIMIT,
        }
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
        let query = Query::parse(query)?;
        let sdk_app_id = query.sdk_app_id()?;
        let app = self.0.apps.iter().find(|app| app.sdk_app_id == sdk_app_id).ok_or_else(|| {
            Error::new(ErrorKind::ForeignApp, "the SDKAppID is none of the receiver's")
        })?;
        let signature = Signature::read(query.sign.as_deref(), query.request_time.as_deref());
        let is_signed = signature.verify(app.policy(), &app.tokens, now, self.0.replay_window)?;
        let fits = |length| usize::try_from(length).is_ok_and(|length| length <= self.0.body_limit);
        if !content_length.is_none_or(fits) {
            let reason = "more bytes are announced than the limit";
            return Err(Error::new(ErrorKind::BodyTooLarge, reason));
        }
        Ok(Head::new(self.clone(), Params::new(sdk_app_id, &query, &signature), is_signed))
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

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("apps", &self.0.apps)
            .field("replay_window", &self.0.replay_window)
            .field("body_limit", &self.0.body_limit)
            .finish()
    }
}

/// Configures a [`Receiver`].
#[derive(Clone, Debug)]
#[must_use = "nothing is configured until `build` is called"]
pub struct ReceiverBuilder {
    apps: Vec<App>,
    replay_window: Duration,
    body_limit: usize,
}

impl ReceiverBuilder {
    /// Adds an app whose requests are taken.
    pub fn app(mut self, app: impl Into<App>) -> Self {
        self.apps.push(app.into());
        self
    }

    /// How far `RequestTime` may be from the clock, before or after it, in whole seconds.
    /// 60 seconds by default. A wider one gives whoever saw a signed URL more time to use it.
    pub const fn replay_window(mut self, window: Duration) -> Self {
        self.replay_window = window;
        self
    }

    /// The longest body that is taken, in bytes. 262144 by default.
    pub const fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Makes the receiver.
    ///
    /// # Errors
    ///
    /// What can never work, with the field's name: no app, an app of 0, the same app twice, an
    /// empty token, a signature policy that needs a token without one, a replay window of less
    /// than a second, a body limit of 0.
    pub fn build(self) -> Result<Receiver, BuildError> {
        let error = |field, app, problem| Err(BuildError { field, app, problem });
        if self.apps.is_empty() {
            return error("app", None, "there is none");
        }
        for (earlier, app) in self.apps.iter().enumerate() {
            let id = Some(app.sdk_app_id);
            if app.sdk_app_id == 0 {
                return error("app", id, "an SDKAppID is not 0");
            }
            if self.apps.iter().take(earlier).any(|other| other.sdk_app_id == app.sdk_app_id) {
                return error("app", id, "it is given twice");
            }
            if app.tokens.iter().any(Token::is_empty) {
                return error("token", id, "it is empty");
            }
            if app.tokens.is_empty() && app.policy() != SignaturePolicy::Off {
                return error("token", id, "there is none to check signatures with");
            }
        }
        if self.replay_window.as_secs() == 0 {
            return error("replay_window", None, "it is less than a second");
        }
        if self.body_limit == 0 {
            return error("body_limit", None, "it is 0");
        }
        let Self { apps, replay_window, body_limit } = self;
        Ok(Receiver(Arc::new(Config { apps, replay_window, body_limit, log: Log::default() })))
    }
}

/// A [`Receiver`] that can never work was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BuildError {
    field: &'static str,
    app: Option<u64>,
    problem: &'static str,
}

impl BuildError {
    /// The name of the field that is wrong: the builder's or the app's method that sets it.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.field)?;
        match self.app {
            Some(app) => write!(f, " of app {app}: {}", self.problem),
            None => write!(f, ": {}", self.problem),
        }
    }
}

impl std::error::Error for BuildError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_never_work_is_refused_with_the_fields_name() {
        let app = || App::new(7);
        let builder = Receiver::builder;
        for (builder, message) in [
            (builder(), "`app`: there is none"),
            (builder().app(0), "`app` of app 0: an SDKAppID is not 0"),
            (builder().app(7).app(app().token("t")), "`app` of app 7: it is given twice"),
            (builder().app(app().token("t").token("")), "`token` of app 7: it is empty"),
            (
                builder().app(app().tokens([""; 0])),
                "`token` of app 7: there is none to check signatures with",
            ),
            (
                builder().app(app().require_signature()),
                "`token` of app 7: there is none to check signatures with",
            ),
            (
                builder().app(app().insecure_accept_unsigned()),
                "`token` of app 7: there is none to check signatures with",
            ),
            (
                builder().app(app()).replay_window(Duration::ZERO),
                "`replay_window`: it is less than a second",
            ),
            (builder().app(app()).body_limit(0), "`body_limit`: it is 0"),
        ] {
            let error = builder.build().unwrap_err();
            assert_eq!(error.to_string(), message);
            assert!(message.starts_with(&format!("`{}`", error.field())));
        }
        let whole = builder()
            .app(app())
            .app(App::new(8).tokens(["t", "u"]).require_signature())
            .app(App::new(9).insecure_ignore_signature())
            .body_limit(1)
            .replay_window(Duration::from_secs(1));
        assert!(whole.build().is_ok());
    }

    #[test]
    fn tokens_ask_for_signatures_unless_the_insecure_is_named() {
        assert_eq!(App::new(7).policy(), SignaturePolicy::Off);
        assert_eq!(App::new(7).token("t").policy(), SignaturePolicy::Required);
        let lenient = App::new(7).token("t").insecure_accept_unsigned();
        assert_eq!(lenient.policy(), SignaturePolicy::IfPresent);
        assert_eq!(
            App::new(7).token("t").insecure_ignore_signature().policy(),
            SignaturePolicy::Off
        );
    }
}
