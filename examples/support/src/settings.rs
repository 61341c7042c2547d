//! The switches, all of them environment variables.

use std::env::{self, VarError};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use trtc_call_webhook::{BuildError, SdkApp, SdkAppId, Verifier};

const ADDR: &str = "ADDR";
const SDK_APP_ID: &str = "SDK_APP_ID";
const CALLBACK_TOKEN: &str = "CALLBACK_TOKEN";

/// What the last two must be.
const APP_ID: &str = "a number from 1 to 18446744073709551615, without sign, space or leading zero";
const TOKENS: &str = "one token or several with a comma between them, none of them empty";

/// What the environment asks for.
#[derive(Debug)]
pub struct Settings {
    /// Where to listen (`ADDR`, by default `127.0.0.1:8080`); port 0 takes a free one.
    pub addr: SocketAddr,
    /// Checks the callbacks of `SDK_APP_ID` (by default 1400000001) with the tokens of
    /// `CALLBACK_TOKEN` (none by default; comma-separated while they are rotated).
    pub verifier: Verifier,
}

impl Settings {
    /// Reads the environment. Says on standard error if signatures are not checked.
    ///
    /// # Errors
    ///
    /// One sentence about the first variable that is set to something that cannot be meant.
    pub fn from_env() -> Result<Self, SettingsError> {
        let addr = match read(ADDR)? {
            Some(text) => text.parse().map_err(|_| SettingsError::new(ADDR, "IP:PORT"))?,
            None => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
        };
        let id = match read(SDK_APP_ID)? {
            Some(text) => text.parse().map_err(|_| SettingsError::new(SDK_APP_ID, APP_ID))?,
            None => SdkAppId::new(1_400_000_001),
        };
        let app = match read(CALLBACK_TOKEN)? {
            Some(tokens) if tokens.split(',').any(str::is_empty) => {
                return Err(SettingsError::new(CALLBACK_TOKEN, TOKENS));
            }
            Some(tokens) => {
                let mut tokens = tokens.split(',');
                let first = SdkApp::signed(id, tokens.next().unwrap_or_default());
                tokens.fold(first, SdkApp::or_token)
            }
            None => {
                eprintln!("{CALLBACK_TOKEN} is not set: only the SDKAppID is checked");
                SdkApp::unsigned(id)
            }
        };
        Ok(Self { addr, verifier: Verifier::builder().app(app).build()? })
    }
}

/// A variable's value; one that is set must not be empty.
fn read(name: &'static str) -> Result<Option<String>, SettingsError> {
    match env::var(name) {
        Ok(value) if value.is_empty() => {
            Err(SettingsError::new(name, "set to something, or unset"))
        }
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(SettingsError::new(name, "UTF-8")),
    }
}

/// A variable is set to something that cannot be meant. Does not repeat its value.
#[derive(Debug)]
pub struct SettingsError(String);

impl SettingsError {
    fn new(name: &str, expected: &str) -> Self {
        Self(format!("{name} must be {expected}"))
    }
}

impl From<BuildError> for SettingsError {
    fn from(error: BuildError) -> Self {
        // The other settings of a verifier are not set from outside.
        Self(format!("{CALLBACK_TOKEN} cannot be meant: {error}"))
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for SettingsError {}
