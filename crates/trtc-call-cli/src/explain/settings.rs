//! The verifier that a request is judged by.

use std::time::Duration;

use trtc_call_webhook::{SdkAppId, Verifier};

use crate::args::{Takes, VerifierArgs};
use crate::failure::Failure;
use crate::settings;

/// What the verifier is told, and what its handler takes. Not `Debug`, since the tokens are in it.
pub(super) struct Settings {
    /// None if nobody said it: then every app is taken for one's own.
    pub(super) sdk_app_id: Option<SdkAppId>,
    pub(super) tokens: Vec<String>,
    /// Whether what is wrong with a signature is only reported.
    pub(super) report_only: bool,
    pub(super) takes: Takes,
    replay_window: Option<Duration>,
    body_limit: Option<usize>,
}

impl Settings {
    pub(super) fn new(args: VerifierArgs) -> Result<Self, Failure> {
        Ok(Self {
            sdk_app_id: settings::sdk_app_id(args.sdk_app_id)?,
            tokens: settings::tokens(args.token)?,
            report_only: args.report_only,
            takes: args.takes,
            replay_window: args.replay_window.map(Duration::from_secs),
            body_limit: args.body_limit,
        })
    }

    /// The verifier, of this app.
    pub(super) fn verifier(&self, sdk_app_id: SdkAppId) -> Result<Verifier, Failure> {
        let app = settings::app(sdk_app_id, &self.tokens, self.report_only)?;
        let mut builder = Verifier::builder().app(app);
        if let Some(window) = self.replay_window {
            builder = builder.replay_window(window);
        }
        if let Some(limit) = self.body_limit {
            builder = builder.body_limit(limit);
        }
        Ok(builder.build()?)
    }

    /// What is asked of the signature: for machines, and for people.
    pub(super) const fn policy_texts(&self) -> (&'static str, &'static str) {
        match (self.report_only, self.tokens.is_empty()) {
            (true, _) => ("report only", "a wrong signature is only reported"),
            (false, true) => ("none", "the signature is not verified"),
            (false, false) => ("required", "a signature is required"),
        }
    }
}
