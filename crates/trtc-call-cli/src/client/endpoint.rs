//! The URL that callbacks are posted to.

use std::fmt;

use ureq::http::Uri;

use crate::failure::Failure;

/// An endpoint as it is configured at the vendor.
pub(crate) struct Endpoint {
    url: String,
    is_https: bool,
    shown: String,
}

impl Endpoint {
    /// Reads `--url`.
    pub(crate) fn parse(url: String) -> Result<Self, Failure> {
        let uri: Option<Uri> = url.parse().ok();
        let (Some(scheme), Some(authority)) =
            (uri.as_ref().and_then(Uri::scheme_str), uri.as_ref().and_then(Uri::authority))
        else {
            return Err(must_be("an http:// or https:// URL"));
        };
        let is_https = match scheme {
            "http" => false,
            "https" => true,
            _ => return Err(must_be("an http:// or https:// URL")),
        };
        if authority.as_str().contains('@') {
            return Err(must_be("a URL without a user name"));
        }
        // A port that is no number, or too large, would silently be the scheme's own.
        if authority.as_str() != authority.host() && authority.port_u16().is_none() {
            return Err(must_be("a URL with a port between 1 and 65535, or without one"));
        }
        // The query would become part of it and never be sent.
        if url.contains('#') {
            return Err(must_be("a URL without a fragment"));
        }
        let path = uri.as_ref().map_or("", Uri::path);
        let shown = format!("{scheme}://{authority}{path}");
        Ok(Self { url, is_https, shown })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.url
    }

    pub(crate) const fn is_https(&self) -> bool {
        self.is_https
    }
}

/// Without the query, which may hold a secret.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

fn must_be(expected: &str) -> Failure {
    Failure::new(format!("--url must be {expected}, such as http://127.0.0.1:8080/callback"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_url_that_can_be_posted_to_is_taken() {
        for url in [
            "http://127.0.0.1:8080/callback",
            "https://example.com",
            "http://[::1]:8080/callback?a=b",
            "http://[::1]",
        ] {
            assert!(Endpoint::parse(url.to_owned()).is_ok(), "{url}");
        }
        for url in [
            "",
            "127.0.0.1:8080/callback",
            "/callback",
            "ftp://example.com/callback",
            "http://",
            "http://a b/callback",
            "http://example.com:99999/callback",
            "http://example.com:port/callback",
            "http://user:secret@example.com/callback",
            "http://example.com/callback#here",
        ] {
            assert!(Endpoint::parse(url.to_owned()).is_err(), "{url}");
        }
    }

    #[test]
    fn a_query_is_not_shown() {
        let endpoint = Endpoint::parse("http://h:1/callback?token=secret".to_owned());
        assert_eq!(endpoint.unwrap().to_string(), "http://h:1/callback");
    }
}
