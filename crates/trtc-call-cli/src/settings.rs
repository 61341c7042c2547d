//! What may stand on the command line or in the environment, read by the same rules.
//!
//! The flag wins. A variable that is set must be meant: clap's own `env` takes an empty one for
//! none and shows values in its messages, and a token is a secret.

use std::env::{self, VarError};
use std::error::Error as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use trtc_call_api::SecretKey;
use trtc_call_inbox::Confirm;
use trtc_call_webhook::{Command, SdkApp, SdkAppId, Verifier};

use crate::failure::Failure;
use crate::store::Place;

/// An app whose number has the form of those in the vendor's samples.
pub(crate) const SAMPLE_SDK_APP_ID: SdkAppId = SdkAppId::new(1_400_000_001);

/// The address to listen on, from `--addr` or `ADDR`; else this port of the machine itself.
pub(crate) fn addr(flag: Option<String>, default_port: u16) -> Result<SocketAddr, Failure> {
    match Given::read("--addr", flag, "ADDR")? {
        Some(given) => given.text.parse().map_err(|_| given.must_be("IP:PORT")),
        None => Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), default_port)),
    }
}

/// The app's secret key, from `--secret-key-file` or `TRTC_SECRET_KEY`.
pub(crate) fn secret_key(file: Option<&Path>) -> Result<SecretKey, Failure> {
    let (name, key) = match file {
        Some(file) => ("--secret-key-file", SecretKey::read(file)),
        None => {
            let given =
                Given::read("TRTC_SECRET_KEY", None, "TRTC_SECRET_KEY")?.ok_or_else(|| {
                    Failure::new(
                        "there is no secret key: TRTC_SECRET_KEY in the environment holds it, or \
                     --secret-key-file names its file",
                    )
                })?;
            (given.name, SecretKey::new(given.text))
        }
    };
    key.map_err(|error| {
        let cause = error.source().map_or_else(String::new, |cause| format!(": {cause}"));
        Failure::new(format!("{name} cannot be used: {error}{cause}"))
    })
}

/// Whether a secret key is given, be it a good one or not.
pub(crate) fn has_secret_key(file: Option<&Path>) -> bool {
    file.is_some() || env::var_os("TRTC_SECRET_KEY").is_some()
}

/// The URL of the vendor's API, from `--api-url` or `TRTC_API_URL`.
pub(crate) fn api_url(flag: Option<String>) -> Result<Option<Given>, Failure> {
    Given::read("--api-url", flag, "TRTC_API_URL")
}

/// Which callbacks are confirmed, from `--confirm` or `CONFIRM`.
pub(crate) fn confirm(flag: Option<String>) -> Result<Confirm, Failure> {
    let Some(given) = Given::read("--confirm", flag, "CONFIRM")? else { return Ok(Confirm::Never) };
    given.text.parse().map_err(|error| Failure::new(format!("{}: {error}", given.name)))
}

/// The inbox, from `--inbox` or `INBOX`.
pub(crate) fn inbox(flag: Option<String>) -> Result<Option<Place>, Failure> {
    let Some(given) = Given::read("--inbox", flag, "INBOX")? else { return Ok(None) };
    let place = Place::read(&given.text);
    place.map(Some).ok_or_else(|| given.must_be("the path of a file, or postgres://URL"))
}

/// The app, from `--sdk-app-id` or `SDK_APP_ID`.
pub(crate) fn sdk_app_id(flag: Option<String>) -> Result<Option<SdkAppId>, Failure> {
    let Some(given) = Given::read("--sdk-app-id", flag, "SDK_APP_ID")? else { return Ok(None) };
    match given.text.parse() {
        Ok(id) => Ok(Some(id)),
        Err(error) => Err(Failure::new(format!("{} is not allowed: {error}", given.name))),
    }
}

/// The app's tokens, from `--token` or `CALLBACK_TOKEN`: none, or at least one.
pub(crate) fn tokens(flag: Option<String>) -> Result<Vec<String>, Failure> {
    let Some(given) = Given::read("--token", flag, "CALLBACK_TOKEN")? else {
        return Ok(Vec::new());
    };
    // Nothing is trimmed: every byte of a token counts.
    let tokens: Vec<String> = given.text.split(',').map(str::to_owned).collect();
    // What no verifier takes is of no use to a sender either.
    let is_taken = |token: &String| {
        let app = SdkApp::signed(SdkAppId::new(1), token);
        Verifier::builder().app(app).build().is_ok()
    };
    if !tokens.iter().all(is_taken) {
        return Err(given.must_be(
            "one token or several with a comma between them, each without white space, a control \
             character or a byte order mark at its ends, and none of them empty",
        ));
    }
    Ok(tokens)
}

/// The names of this tool for the commands, or the vendor's own.
pub(crate) fn command(name: String) -> Command {
    match name.as_str() {
        "CallEnded" => Command::CallEnded,
        "CallStarted" => Command::CallStarted,
        "MemberChanged" => Command::MemberChanged,
        _ => Command::from(name),
    }
}

/// The app by its id and its tokens, unsigned if there are none.
pub(crate) fn app(id: SdkAppId, tokens: &[String], report_only: bool) -> Result<SdkApp, Failure> {
    let app = match tokens {
        [] if report_only => return Err(Failure::new("--report-only needs a --token")),
        [] => SdkApp::unsigned(id),
        [first, others @ ..] => others.iter().fold(SdkApp::signed(id, first), SdkApp::or_token),
    };
    Ok(if report_only { app.insecure_report_only() } else { app })
}

/// A text that is given, and by what.
pub(crate) struct Given {
    pub(crate) name: &'static str,
    pub(crate) text: String,
}

impl Given {
    fn read(
        flag: &'static str,
        given: Option<String>,
        variable: &'static str,
    ) -> Result<Option<Self>, Failure> {
        let given = match given {
            Some(text) => Self { name: flag, text },
            None => match env::var(variable) {
                Ok(text) => Self { name: variable, text },
                Err(VarError::NotPresent) => return Ok(None),
                Err(VarError::NotUnicode(_)) => {
                    return Err(Failure::new(format!("{variable} must be UTF-8")));
                }
            },
        };
        if given.text.is_empty() {
            return Err(given.must_be("a value, or not be given"));
        }
        Ok(Some(given))
    }

    /// Does not repeat the text, which may be a token, or have a password in it.
    pub(crate) fn must_be(&self, expected: &str) -> Failure {
        Failure::new(format!("{} must be {expected}", self.name))
    }
}
