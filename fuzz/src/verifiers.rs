//! The verifiers of `tests/cases.json`, and what they were built from.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use serde::Deserialize;
use trtc_call_webhook::{BuildError, SdkApp, Verifier};

/// A verifier, and its configuration for the oracle.
pub struct Configured {
    /// What the contract is read with.
    pub config: Config,
    /// What is tested.
    pub verifier: Verifier,
}

/// How a verifier is set up.
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

/// How one of its apps is set up: unsigned if it has no tokens.
#[derive(Clone, Debug, Deserialize)]
pub struct AppConfig {
    /// The SDKAppID.
    pub id: u64,
    /// The tokens that signatures are made with.
    #[serde(default)]
    pub tokens: Vec<String>,
    /// Whether nothing is refused for its signature.
    #[serde(default)]
    pub report_only: bool,
}

const fn default_body_limit() -> usize {
    262_144
}

const fn default_window() -> u64 {
    60
}

/// All of them, by name.
pub static VERIFIERS: LazyLock<BTreeMap<String, Configured>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    struct Table {
        verifiers: BTreeMap<String, Config>,
    }
    let table: Table = serde_json::from_str(include_str!("../../tests/cases.json")).unwrap();
    let configured = |config: Config| Configured { verifier: config.build().unwrap(), config };
    table.verifiers.into_iter().map(|(name, config)| (name, configured(config))).collect()
});

/// The verifier of that name; the simplest one if there is none.
#[must_use]
pub fn verifier(name: &str) -> &'static Configured {
    VERIFIERS.get(name).unwrap_or_else(|| &VERIFIERS["open"])
}

impl Config {
    /// The verifier that it describes.
    ///
    /// # Errors
    ///
    /// What can never work.
    pub fn build(&self) -> Result<Verifier, BuildError> {
        let mut builder = Verifier::builder()
            .body_limit(self.body_limit)
            .replay_window(Duration::from_secs(self.window));
        for config in &self.apps {
            let app = match config.tokens.split_first() {
                None => SdkApp::unsigned(config.id),
                Some((first, more)) => {
                    more.iter().fold(SdkApp::signed(config.id, first), SdkApp::or_token)
                }
            };
            builder =
                builder.app(if config.report_only { app.insecure_report_only() } else { app });
        }
        builder.build()
    }
}
