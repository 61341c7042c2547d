//! The receivers of `tests/cases.json`, and what they were built from.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use serde::Deserialize;
use trtc_call_webhook::{App, Verifier};

/// A receiver, and its configuration for the oracle.
pub struct Configured {
    /// What the contract is read with.
    pub config: Config,
    /// What is tested.
    pub verifier: Verifier,
}

/// How a receiver is set up.
#[derive(Clone, Debug, Deserialize)]
pub struct Config {
    /// The apps that it serves.
    pub apps: Vec<AppConfig>,
    /// The longest body, in bytes.
    #[serde(default = "default_body_limit")]
    pub body_limit: usize,
    /// How far `RequestTime` may be from the clock, in seconds.
    #[serde(rename = "replay_window_seconds", default = "default_window")]
    pub window: u64,
}

/// How one of its apps is set up.
#[derive(Clone, Debug, Deserialize)]
pub struct AppConfig {
    /// The SDKAppID.
    pub id: u64,
    /// The tokens that signatures are made with.
    #[serde(default)]
    pub tokens: Vec<String>,
    /// What is asked of the signature.
    #[serde(default)]
    pub policy: Policy,
}

/// What an app asks of the signature.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Nothing without tokens; with them, as the next.
    #[default]
    ByTokens,
    /// A valid signature.
    RequireSignature,
    /// A valid one, or none at all.
    InsecureAcceptUnsigned,
    /// Nothing.
    InsecureIgnoreSignature,
}

const fn default_body_limit() -> usize {
    262_144
}

const fn default_window() -> u64 {
    60
}

/// All of them, by name.
pub static RECEIVERS: LazyLock<BTreeMap<String, Configured>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    struct Table {
        verifiers: BTreeMap<String, Config>,
    }
    let table: Table = serde_json::from_str(include_str!("../../tests/cases.json")).unwrap();
    let configured = |config: Config| Configured { verifier: config.build(), config };
    table.verifiers.into_iter().map(|(name, config)| (name, configured(config))).collect()
});

/// The receiver of that name; the simplest one if there is none.
#[must_use]
pub fn verifier(name: &str) -> &'static Configured {
    RECEIVERS.get(name).unwrap_or_else(|| &RECEIVERS["open"])
}

impl Config {
    /// The receiver that it describes.
    #[must_use]
    pub fn build(&self) -> Verifier {
        let mut builder = Verifier::builder()
            .body_limit(self.body_limit)
            .replay_window(Duration::from_secs(self.window));
        for config in &self.apps {
            let app = config.tokens.iter().fold(App::new(config.id), |app, token| app.token(token));
            builder = builder.app(match config.policy {
                Policy::ByTokens => app,
                Policy::RequireSignature => app.require_signature(),
                Policy::InsecureAcceptUnsigned => app.insecure_accept_unsigned(),
                Policy::InsecureIgnoreSignature => app.insecure_ignore_signature(),
            });
        }
        builder.build().unwrap()
    }
}
