//! How a verifier is configured, and what can never work.

use std::fmt;
use std::time::Duration;

use super::{Config, Policy, SdkApp, SdkAppId};
use crate::log::Log;

/// The longest body that is taken unless the builder says otherwise, in bytes.
const DEFAULT_BODY_LIMIT: usize = 262_144;

/// The replay window unless the builder says otherwise: what 64412 documents for Live.
const DEFAULT_REPLAY_WINDOW: Duration = Duration::from_secs(60);

/// Configures a [`Verifier`](crate::Verifier).
#[derive(Clone, Debug)]
#[must_use = "nothing is configured until `build` is called"]
pub struct VerifierBuilder {
    apps: Vec<SdkApp>,
    replay_window: Duration,
    body_limit: usize,
}

impl VerifierBuilder {
    pub(crate) const fn new() -> Self {
        Self {
            apps: Vec::new(),
            replay_window: DEFAULT_REPLAY_WINDOW,
            body_limit: DEFAULT_BODY_LIMIT,
        }
    }

    /// Adds an app whose callbacks are taken. Several apps may share one verifier and one URL.
    pub fn app(mut self, app: SdkApp) -> Self {
        self.apps.push(app);
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

    /// What can work, or the first thing that never can.
    pub(crate) fn check(self) -> Result<Config, BuildError> {
        let error = |field, app, problem| Err(BuildError { field, app, problem });
        if self.apps.is_empty() {
            return error("app", None, "there is none");
        }
        for (earlier, app) in self.apps.iter().enumerate() {
            let id = Some(app.id);
            if app.id == SdkAppId::new(0) {
                return error("app", id, "an SDKAppID is not 0");
            }
            if self.apps.iter().take(earlier).any(|other| other.id == app.id) {
                return error("app", id, "it is given twice");
            }
            if let Some(problem) = app.tokens.iter().find_map(|token| token.problem()) {
                return error("token", id, problem);
            }
            match (app.policy, app.tokens.is_empty()) {
                (Policy::Unsigned, false) => {
                    return error("token", id, "the app is `unsigned`: no token is looked at");
                }
                (Policy::Required | Policy::ReportOnly, true) => {
                    return error("token", id, "there is none to verify signatures with");
                }
                _ => {}
            }
        }
        if self.replay_window.as_secs() == 0 {
            return error("replay_window", None, "it is less than a second");
        }
        if self.body_limit == 0 {
            return error("body_limit", None, "it is 0");
        }
        let Self { apps, replay_window, body_limit } = self;
        Ok(Config { apps, replay_window, body_limit, log: Log::default() })
    }
}

/// A [`Verifier`](crate::Verifier) that can never work was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BuildError {
    field: &'static str,
    app: Option<SdkAppId>,
    problem: &'static str,
}

impl BuildError {
    /// What is wrong: `app`, `token`, `replay_window` or `body_limit`.
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
        let builder = VerifierBuilder::new;
        let signed = || SdkApp::signed(7, "t");
        let odd_end = "`token` of app 7: it begins or ends with white space, a control character or a \
                       byte order mark";
        let mut cases = vec![
            (builder(), "`app`: there is none"),
            (builder().app(SdkApp::unsigned(0)), "`app` of app 0: an SDKAppID is not 0"),
            (builder().app(SdkApp::unsigned(7)).app(signed()), "`app` of app 7: it is given twice"),
            (builder().app(signed().or_token("")), "`token` of app 7: it is empty"),
            (
                builder().app(SdkApp::unsigned(7).or_token("t")),
                "`token` of app 7: the app is `unsigned`: no token is looked at",
            ),
            (
                builder().app(SdkApp::unsigned(7).insecure_report_only()),
                "`token` of app 7: there is none to verify signatures with",
            ),
            (
                builder().app(signed()).replay_window(Duration::ZERO),
                "`replay_window`: it is less than a second",
            ),
            (builder().app(signed()).body_limit(0), "`body_limit`: it is 0"),
        ];
        for token in [
            "t\n",
            "t\r\n",
            " t",
            "t ",
            "\tt",
            "t\u{a0}",
            "\u{3000}t",
            "\u{feff}t",
            "t\u{feff}",
            "t\0",
            "\u{7f}t",
            "t\u{85}",
            "\n",
        ] {
            cases.push((builder().app(SdkApp::signed(7, token)), odd_end));
            cases.push((builder().app(signed().or_token(token.as_bytes())), odd_end));
        }
        for (builder, message) in cases {
            let error = builder.check().err().unwrap();
            assert_eq!(error.to_string(), message);
            assert!(message.starts_with(&format!("`{}`", error.field())));
        }
    }

    #[test]
    fn what_can_work_is_taken() {
        for token in ["t t", "令牌", "é"] {
            let app = SdkApp::signed(8, token).or_token(&b"\xff\xfe"[..]).insecure_report_only();
            let builder = VerifierBuilder::new()
                .app(SdkApp::unsigned(u64::MAX))
                .app(app)
                .body_limit(1)
                .replay_window(Duration::from_secs(1));
            assert!(builder.check().is_ok());
        }
    }
}
