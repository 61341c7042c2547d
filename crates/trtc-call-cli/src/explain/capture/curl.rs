//! A `curl` command that was pasted.

use super::raw;
use super::shell;
use super::url::Target;
use super::{Body, Request, source};
use crate::failure::Failure;

/// Every option that has a value, by its long and its short name.
#[rustfmt::skip]
const WITH_VALUE: [(&str, &str); 118] = [
    ("abstract-unix-socket", ""), ("alt-svc", ""), ("aws-sigv4", ""), ("cacert", ""),
    ("capath", ""), ("cert", "E"), ("cert-type", ""), ("ciphers", ""), ("config", "K"),
    ("connect-timeout", ""), ("connect-to", ""), ("continue-at", "C"), ("cookie", "b"),
    ("cookie-jar", "c"), ("create-file-mode", ""), ("crlfile", ""), ("curves", ""), ("data", "d"),
    ("data-ascii", ""), ("data-binary", ""), ("data-raw", ""), ("data-urlencode", ""),
    ("delegation", ""), ("dns-interface", ""), ("dns-ipv4-addr", ""), ("dns-ipv6-addr", ""),
    ("dns-servers", ""), ("doh-url", ""), ("dump-header", "D"), ("ech", ""), ("egd-file", ""),
    ("engine", ""), ("etag-compare", ""), ("etag-save", ""), ("expect100-timeout", ""),
    ("form", "F"), ("form-string", ""), ("ftp-account", ""), ("ftp-method", ""),
    ("ftp-port", "P"), ("happy-eyeballs-timeout-ms", ""), ("haproxy-clientip", ""),
    ("header", "H"), ("hostpubmd5", ""), ("hostpubsha256", ""), ("hsts", ""), ("interface", ""),
    ("ipfs-gateway", ""), ("json", ""), ("keepalive-cnt", ""), ("keepalive-time", ""),
    ("key", ""), ("key-type", ""), ("libcurl", ""), ("limit-rate", ""), ("local-port", ""),
    ("login-options", ""), ("mail-auth", ""), ("mail-from", ""), ("mail-rcpt", ""),
    ("max-filesize", ""), ("max-redirs", ""), ("max-time", "m"), ("netrc-file", ""),
    ("noproxy", ""), ("oauth2-bearer", ""), ("output", "o"), ("output-dir", ""),
    ("parallel-max", ""), ("pass", ""), ("pinnedpubkey", ""), ("preproxy", ""), ("proto", ""),
    ("proto-default", ""), ("proto-redir", ""), ("proxy", "x"), ("proxy-cacert", ""),
    ("proxy-capath", ""), ("proxy-cert", ""), ("proxy-cert-type", ""), ("proxy-ciphers", ""),
    ("proxy-header", ""), ("proxy-key", ""), ("proxy-key-type", ""), ("proxy-pass", ""),
    ("proxy-user", "U"), ("pubkey", ""), ("quote", "Q"), ("random-file", ""), ("range", "r"),
    ("rate", ""), ("referer", "e"), ("request", "X"), ("request-target", ""), ("resolve", ""),
    ("retry", ""), ("retry-delay", ""), ("retry-max-time", ""), ("socks4", ""), ("socks5", ""),
    ("socks5-hostname", ""), ("speed-limit", "Y"), ("speed-time", "y"), ("stderr", ""),
    ("telnet-option", "t"), ("time-cond", "z"), ("tls-max", ""), ("tls13-ciphers", ""),
    ("trace", ""), ("trace-ascii", ""), ("unix-socket", ""), ("upload-file", "T"), ("url", ""),
    ("url-query", ""), ("user", "u"), ("user-agent", "A"), ("variable", ""), ("write-out", "w"),
];

/// Those that send what no callback is.
const OTHER_THAN_CALLBACKS: [&str; 4] = ["data-urlencode", "form", "form-string", "upload-file"];

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
    let plain = shell::without_carets(command);
    let (words, has_bare_ampersand) = shell::words(plain.as_deref().unwrap_or(command));
    let mut request = from_words(words)?;
    if plain.is_some() {
        request.notes.push("it has the carets of Windows' prompt: undone".to_owned());
    }
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
            "content-length" => request.announced = raw::content_length(value.trim()),
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
        let mut bare = Vec::new();
        while let Some(word) = words.next() {
            if let Some(long) = word.strip_prefix("--") {
                let has_value = WITH_VALUE.iter().any(|(name, _)| *name == long);
                let value = if has_value { words.next() } else { None };
                curl.set(long, value.unwrap_or_default())?;
            } else if let Some(cluster) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
                curl.cluster(cluster, &mut words)?;
            } else {
                bare.push(word);
            }
        }
        // Behind a switch that is not known, a bare word may be its value.
        let looks_right = |word: &&String| word.contains("://") || word.contains('?');
        let url = bare.iter().find(looks_right).or(bare.last()).cloned();
        curl.url = curl.url.or(url);
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
            let with_value = WITH_VALUE.iter().find(|(_, short)| short.chars().eq([option]));
            let mut value = String::new();
            let long = match (with_value, option) {
                (Some((long, _)), _) => {
                    value = chars.by_ref().collect();
                    if value.is_empty() {
                        value = words.next().unwrap_or_default();
                    }
                    long
                }
                (None, 'G') => "get",
                (None, 'I') => "head",
                (None, _) => continue,
            };
            self.set(long, value)?;
        }
        Ok(())
    }

    fn set(&mut self, option: &str, value: String) -> Result<(), Failure> {
        match option {
            option if OTHER_THAN_CALLBACKS.contains(&option) => {
                return Err(Failure::new(format!(
                    "curl's --{option} sends a form or a file, which no callback is: use --data"
                )));
            }
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
