//! Where the vendor posts callbacks to.

use std::fmt;

use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use trtc_call_webhook::Command;

use crate::reply::{Reply, text, texts};
use crate::{Code, Error};

/// Where the vendor posts an app's callbacks to, and which (647/68938).
///
/// `Debug` shows the URL's origin only: its path is a secret, since anyone who knows it can post.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallbackSettings {
    /// The URL, which begins with `http://` or `https://`.
    pub url: String,
    /// The commands that are sent.
    pub commands: Vec<Command>,
}

impl CallbackSettings {
    /// The settings for a URL and the commands that it wants.
    #[must_use]
    pub fn new(url: impl Into<String>, commands: impl IntoIterator<Item = Command>) -> Self {
        Self { url: url.into(), commands: commands.into_iter().collect() }
    }

    /// As the vendor takes them.
    pub(crate) fn to_json(&self) -> String {
        let callback_command_list = self.commands.iter().map(Command::as_str).collect();
        let wire = Set { url: &self.url, callback_command_list };
        // Texts, written to memory, have no way to fail.
        serde_json::to_string(&wire).unwrap_or_default()
    }

    /// What the vendor has; `None` for a URL that is empty.
    pub(crate) fn from_reply(reply: &Reply) -> Result<Option<Self>, Error> {
        let wire: Get<'_> = reply.response()?;
        let Some(url) = wire.url.and_then(text) else {
            return Err(reply.not_as_documented("it has no Url"));
        };
        let commands = wire.callback_command_list.map(texts).unwrap_or_default();
        let settings = Self::new(url, commands.into_iter().map(Command::from));
        Ok(Some(settings).filter(|settings| !settings.url.is_empty()))
    }

    /// What of the URL is a secret: the path and what is behind it, and all if there is a password.
    pub(crate) fn secret(&self) -> &str {
        let behind_scheme = self.url.split_once("://").map_or(&*self.url, |(_, rest)| rest);
        let (host, path) = match behind_scheme.find(['/', '?', '#']) {
            Some(at) => behind_scheme.split_at(at),
            None => (behind_scheme, ""),
        };
        if host.contains('@') { behind_scheme } else { path }
    }
}

impl fmt::Debug for CallbackSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = Url::parse(&self.url).map(|url| url.origin().ascii_serialization());
        f.debug_struct("CallbackSettings")
            .field("url", &format_args!("{}/…", origin.as_deref().unwrap_or_default()))
            .field("commands", &self.commands)
            .finish()
    }
}

/// Whether an error says that nothing is set.
pub(crate) fn is_none(error: &Error) -> bool {
    error.code() == Some(Code::NO_CALLBACK)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Set<'a> {
    url: &'a str,
    callback_command_list: Vec<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", bound(deserialize = "'de: 'a"))]
struct Get<'a> {
    #[serde(borrow)]
    url: Option<&'a RawValue>,
    callback_command_list: Option<&'a RawValue>,
}
