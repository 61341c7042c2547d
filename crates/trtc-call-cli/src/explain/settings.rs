//! The receiver that a request is judged by.

use std::time::Duration;

use trtc_call_webhook::{App, Token, Verifier};

use crate::args::{ReceiverArgs, Takes};
use crate::failure::Failure;
use crate::settings;

/// What the receiver is told. Not `Debug`, since the tokens are in it.
pub(super) struct Settings {
    /// None if nobody said it: then every app is taken for one's own.
    pub(super) sdk_app_id: Option<u64>,
    pub(super) tokens: Vec<String>,
    pub(super) policy: Policy,
    pub(super) takes: Takes,
    replay_window: Option<Duration>,
    body_limit: Option<usize>,
}

/// What is asked of the signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    /// What the library does by itself: a signature is required if there is a token.
    Default,
    AcceptUnsigned,
    Ignore,
}

impl Settings {
    pub(super) fn new(args: ReceiverArgs) -> Result<Self, Failure> {
        Ok(Self {
            sdk_app_id: settings::sdk_app_id(args.sdk_app_id)?,
            tokens: settings::tokens(args.token)?,
            policy: if args.accept_unsigned {
                Policy::AcceptUnsigned
            } else if args.ignore_signature {
                Policy::Ignore
            } else {
                Policy::Default
            },
            takes: args.takes,
            replay_window: args.replay_window.map(Duration::from_secs),
            body_limit: args.body_limit,
        })
    }

    /// The receiver, of this app.
    pub(super) fn verifier(&self, sdk_app_id: u64) -> Result<Verifier, Failure> {
        let app = self.tokens.iter().fold(App::new(sdk_app_id), App::token);
        let app = match self.policy {
            Policy::Default => app,
            Policy::AcceptUnsigned => app.insecure_accept_unsigned(),
            Policy::Ignore => app.insecure_ignore_signature(),
        };
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
        match (self.policy, self.tokens.is_empty()) {
            (Policy::Default, true) => ("none", "the signature is not checked"),
            (Policy::Default, false) => ("required", "a signature is required"),
            (Policy::AcceptUnsigned, _) => ("accept unsigned", "unsigned requests are accepted"),
            (Policy::Ignore, _) => ("ignore", "the signature is ignored"),
        }
    }
}

/// Whether this token alone made the signature of a query, whenever that was.
pub(super) fn made_by(token: &str, query: &str, sdk_app_id: u64, request_time: i64) -> bool {
    let app = App::new(sdk_app_id).token(Token::from(token));
    let verifier = Verifier::builder().app(app).build();
    let at = super::clock::from_unix(request_time);
    matches!((verifier, at), (Ok(verifier), Some(at))
        if verifier.check_at("POST", query, None, at).is_ok())
}
