//! How a receiver is configured, and what can never work.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Config, Verifier};
use crate::app::App;
use crate::log::Log;
use crate::signature::{SignaturePolicy, Token};

/// The longest body that is taken unless the builder says otherwise, in bytes.
const DEFAULT_BODY_LIMIT: usize = 262_144;

/// The replay window unless the builder says otherwise: what 64412 documents for Live.
const DEFAULT_REPLAY_WINDOW: Duration = Duration::from_secs(60);

/// Configures a [`Verifier`].
#[derive(Clone, Debug)]
#[must_use = "nothing is configured until `build` is called"]
pub struct VerifierBuilder {
    apps: Vec<App>,
    replay_window: Duration,
    body_limit: usize,
}

impl VerifierBuilder {
    pub(super) const fn new() -> Self {
        Self {
            apps: Vec::new(),
            replay_window: DEFAULT_REPLAY_WINDOW,
            body_limit: DEFAULT_BODY_LIMIT,
        }
    }

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

    /// Makes the verifier.
    ///
    /// # Errors
    ///
    /// What can never work, with the field's name: no app, an app of 0, the same app twice, an
    /// empty token, a signature policy that needs a token without one, a replay window of less
    /// than a second, a body limit of 0.
    pub fn build(self) -> Result<Verifier, BuildError> {
        let error = |field, app, problem| Err(BuildError::new(field, app, problem));
        if self.apps.is_empty() {
            return error("app", None, "there is none");
        }
        for (earlier, app) in self.apps.iter().enumerate() {
            let id = Some(app.sdk_app_id());
            if app.sdk_app_id() == 0 {
                return error("app", id, "an SDKAppID is not 0");
            }
            if self.apps.iter().take(earlier).any(|other| other.sdk_app_id() == app.sdk_app_id()) {
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
        Ok(Verifier(Arc::new(Config { apps, replay_window, body_limit, log: Log::default() })))
    }
}

/// A [`Verifier`] that can never work was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BuildError {
    field: &'static str,
    app: Option<u64>,
    problem: &'static str,
}

impl BuildError {
    pub(crate) const fn new(field: &'static str, app: Option<u64>, problem: &'static str) -> Self {
        Self { field, app, problem }
    }

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
        let builder = Verifier::builder;
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
}
