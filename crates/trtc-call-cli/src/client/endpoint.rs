//! The URL that callbacks are posted to.

use std::fmt;

use url::Url;

use crate::failure::Failure;

/// An endpoint as it is configured at the vendor.
pub(crate) struct Endpoint(Url);

impl Endpoint {
    /// Reads `--url`.
    pub(crate) fn parse(url: &str) -> Result<Self, Failure> {
        let url = Some(url).filter(|url| is_exact(url)).and_then(|url| Url::parse(url).ok());
        let url = url.ok_or_else(|| {
            must_be(
                "an http:// or https:// URL without white space, control characters and backslashes",
            )
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(must_be("a URL without a user name"));
        }
        // The query would become part of it and never be sent.
        if url.fragment().is_some() {
            return Err(must_be("a URL without a fragment"));
        }
        Ok(Self(url))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }
}

/// Whether a URL is one as it stands. The parser repairs others, but a setting goes to the vendor as it was
/// given, and what the vendor makes of them is not documented.
pub(crate) fn is_exact(url: &str) -> bool {
    let is_repaired = |char: char| char.is_whitespace() || char.is_control() || char == '\\';
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    rest.is_some_and(|rest| !rest.starts_with('/') && !rest.contains(is_repaired))
}

/// Without the query, which may hold a secret.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0.origin().ascii_serialization(), self.0.path())
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
            assert!(Endpoint::parse(url).is_ok(), "{url}");
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
            "http://example.com/callback ",
            "\nhttp://example.com/callback",
            "http://exam\tple.com/callback",
            "http:example.com/callback",
            "http:///example.com/callback",
            "HTTP://example.com/callback",
            "http://example.com\\callback",
        ] {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_query_is_not_shown() {
        let endpoint = Endpoint::parse("http://h:1/callback?token=secret");
        assert_eq!(endpoint.unwrap().to_string(), "http://h:1/callback");
    }
}
