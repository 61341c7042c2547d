//! The switches, all of them environment variables.

use std::env::{self, VarError};
use std::net::SocketAddr;

use trtc_call_webhook::{SdkApp, SdkAppId, Verifier};

/// What the environment asks for.
#[derive(Debug)]
pub struct Settings {
    /// Where to listen (`ADDR`, by default `127.0.0.1:8080`); port 0 takes a free one.
    pub addr: SocketAddr,
    /// The app (`SDK_APP_ID`, by default 1400000001).
    pub sdk_app_id: SdkAppId,
    /// Checks its callbacks with the tokens of `CALLBACK_TOKEN` (none by default; comma-separated while they
    /// are rotated).
    pub verifier: Verifier,
}

impl Settings {
    /// Reads the environment. Says on standard error if signatures are not checked.
    ///
    /// # Errors
    ///
    /// One sentence about the first variable that is set to something that cannot be meant. It does
    /// not repeat its value.
    pub fn from_env() -> Result<Self, String> {
        let addr = variable("ADDR")?.unwrap_or_else(|| "127.0.0.1:8080".to_owned());
        let addr = addr.parse().map_err(|_| "ADDR must be IP:PORT")?;
        let id = variable("SDK_APP_ID")?.unwrap_or_else(|| "1400000001".to_owned());
        let id = id.parse::<SdkAppId>().map_err(|error| format!("SDK_APP_ID: {error}"))?;
        let app = match variable("CALLBACK_TOKEN")? {
            Some(tokens) => {
                let mut tokens = tokens.split(',');
                let first = SdkApp::signed(id, tokens.next().unwrap_or_default());
                tokens.fold(first, SdkApp::or_token)
            }
            None => {
                eprintln!("CALLBACK_TOKEN is not set: only the SDKAppID is checked");
                SdkApp::unsigned(id)
            }
        };
        // Nothing else of a verifier is set from outside.
        let verifier = Verifier::builder().app(app).build();
        let verifier = verifier.map_err(|error| format!("CALLBACK_TOKEN: {error}"))?;
        Ok(Self { addr, sdk_app_id: id, verifier })
    }
}

/// The value of an environment variable.
///
/// # Errors
///
/// One sentence if it is set and empty, or not UTF-8.
pub fn variable(name: &str) -> Result<Option<String>, String> {
    match env::var(name) {
        Ok(value) if value.is_empty() => Err(format!("{name} must be set to something, or unset")),
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(format!("{name} must be UTF-8")),
    }
}
