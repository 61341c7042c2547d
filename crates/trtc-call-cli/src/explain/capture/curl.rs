//! A `curl` command that was pasted.

use trtc_call_webhook::content_length;

use super::raw;
use super::shell;
use super::url::Target;
use super::{Body, Request, source};
use crate::failure::Failure;

/// Options that say what is sent.
const SENT: [&str; 8] =
    ["request", "url", "header", "json", "data", "data-raw", "data-binary", "data-ascii"];

/// Of the other options with a value those that are often seen: the value is no URL.
const PASSED_OVER: [&str; 18] = [
    "cacert",
    "cert",
    "config",
    "connect-timeout",
    "connect-to",
    "cookie",
    "cookie-jar",
    "form",
    "key",
    "max-time",
    "output",
    "proxy",
    "referer",
    "resolve",
    "retry",
    "user",
    "user-agent",
    "write-out",
];
const SHORT_PASSED_OVER: &str = "AbcCDeEFKmoPQrtTuUwxyYz";

/// The command, if this is one.
pub(super) fn command(text: &str) -> Option<&str> {
    let text = text.trim_start_matches("$ ").trim_start();
    text.strip_prefix("curl").filter(|rest| rest.starts_with(char::is_whitespace))
}

#[derive(Default)]
struct Curl {
    url: Option<String>,
    method: Option<String>,
    data: Option<Vec<u8>>,
    headers: Vec<String>,
    /// `-G`: the data goes into the query.
    is_get: bool,
    is_head: bool,
}

pub(super) fn read(command: &str) -> Result<Request, Failure> {
    let (words, has_bare_ampersand) = shell::words(command);
    let mut request = from_words(words)?;
    if has_bare_ampersand {
        request.notes.push(
            "its URL has an `&` outside quotes, where a shell ends the command: taken as one URL"
                .to_owned(),
        );
    }
    Ok(request)
}

/// Reads a command that a shell has split.
pub(super) fn from_words(words: Vec<String>) -> Result<Request, Failure> {
    let curl = Curl::parse(words)?;
    let mut notes = vec!["a curl command".to_owned()];
    let url = curl.url.ok_or_else(|| Failure::new("the curl command has no URL"))?;
    let mut target = Target::captured(&url, &mut notes);
    let mut data = curl.data;
    if curl.is_get
        && let Some(data) = data.take()
    {
        let separator = if target.query.is_empty() { "" } else { "&" };
        target.query = format!("{}{separator}{}", target.query, String::from_utf8_lossy(&data));
        notes.push("-G puts the data into the query".to_owned());
    }
    let implied = match &data {
        _ if curl.is_head => "HEAD",
        Some(_) => "POST",
        None => "GET",
    };
    let method = curl.method.as_deref().unwrap_or(implied);
    let mut request = Request::new(method, target, notes);
    for (name, value) in curl.headers.iter().filter_map(|header| header.split_once(':')) {
        match name.trim().to_ascii_lowercase().as_str() {
            "content-encoding" => request.encoding = Some(value.trim().to_owned()),
            "content-length" => request.announced = content_length(value.trim().as_bytes()),
            _ => {}
        }
    }
    // Without data it sends an empty body, whatever the method.
    let data = data.unwrap_or_default();
    request.body = match request.announced {
        Some(announced) => raw::framed(&data, announced),
        None => Body::Whole(data),
    };
    Ok(request)
}

impl Curl {
    fn parse(words: Vec<String>) -> Result<Self, Failure> {
        let mut curl = Self::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            if let Some(long) = word.strip_prefix("--") {
                match long {
                    "get" | "head" => curl.set(long, String::new())?,
                    "data-urlencode" => {
                        return Err(Failure::new(
                            "curl's --data-urlencode sends a form, which no callback is: use --data",
                        ));
                    }
                    _ if SENT.contains(&long) => {
                        curl.set(long, words.next().unwrap_or_default())?;
                    }
                    _ if PASSED_OVER.contains(&long) => _ = words.next(),
                    _ => {}
                }
            } else if let Some(cluster) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
                curl.cluster(cluster, &mut words)?;
            } else if curl.url.is_none() {
                curl.url = Some(word);
            }
        }
        Ok(curl)
    }

    /// Short options in one word; the rest of it may be the last one's value.
    fn cluster(
        &mut self,
        cluster: &str,
        words: &mut impl Iterator<Item = String>,
    ) -> Result<(), Failure> {
        let mut chars = cluster.chars();
        while let Some(option) = chars.next() {
            let long = match option {
                'X' => "request",
                'd' => "data",
                'H' => "header",
                'G' => "get",
                'I' => "head",
                option if SHORT_PASSED_OVER.contains(option) => "",
                _ => continue,
            };
            let mut value = String::new();
            if !matches!(option, 'G' | 'I') {
                value = chars.by_ref().collect();
                if value.is_empty() {
                    value = words.next().unwrap_or_default();
                }
            }
            self.set(long, value)?;
        }
        Ok(())
    }

    fn set(&mut self, option: &str, value: String) -> Result<(), Failure> {
        match option {
            "request" => self.method = Some(value),
            "url" => self.url = Some(value),
            "header" => self.headers.push(value),
            "get" => self.is_get = true,
            "head" => self.is_head = true,
            "data-raw" => self.add(b"&", value.as_bytes()),
            "data-binary" => self.add(b"&", &source(&value)?),
            "json" => self.add(b"", &source(&value)?),
            "data" | "data-ascii" => {
                let mut data = source(&value)?;
                if value.starts_with('@') {
                    data.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
                }
                self.add(b"&", &data);
            }
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, separator: &[u8], more: &[u8]) {
        match &mut self.data {
            None => self.data = Some(more.to_vec()),
            Some(data) => data.extend([separator, more].concat()),
        }
    }
}
