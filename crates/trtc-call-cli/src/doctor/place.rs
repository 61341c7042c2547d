//! The URL that callbacks are sent to.

use url::{Host, Url};

use super::report::{Check, Report};
use crate::callback::has_secret;
use crate::client::{Endpoint, is_exact};
use crate::near::{address, is_near};

/// An endpoint that can be looked at.
pub(super) struct Place {
    pub(super) url: Url,
    pub(super) endpoint: Endpoint,
    /// The vendor is played on this machine or near it: then a private address will do, and no TLS.
    pub(super) is_at_home: bool,
}

impl Place {
    /// Looks at a URL as it is set; `None` if it cannot be one.
    pub(super) fn check(text: &str, is_at_home: bool, report: &mut Report) -> Option<Self> {
        let findings = report.findings();
        let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let Some(mut url) = url else {
            report.find(
                Check::Url,
                "it is no http:// or https:// URL",
                "`trtc-call callback set --url https://HOST/PATH` sets one",
            );
            return None;
        };
        if !is_exact(text) {
            report.find(
                Check::Url,
                "only a lenient parser makes a URL of it: it has white space, a control character or a \
                 backslash, or does not begin with http:// or https:// to the letter",
                "set it again without",
            );
        }
        for (is_bad, text, advice) in oddities(&url, is_at_home) {
            if is_bad {
                report.find(Check::Url, text, advice);
            }
        }
        if report.findings() == findings {
            report.ok(Check::Url, shown(text));
        }
        // What is odd is left out of what is tried.
        url.set_fragment(None);
        let _ = url.set_username("").and_then(|()| url.set_password(None));
        let endpoint = Endpoint::parse(url.as_str()).ok()?;
        Some(Self { url, endpoint, is_at_home })
    }

    /// Whether nobody guesses it.
    pub(super) fn has_secret(&self) -> bool {
        has_secret(&self.url)
    }

    /// The host's name, or its address.
    pub(super) fn host(&self) -> Host<&str> {
        self.url.host().unwrap_or(Host::Domain(""))
    }
}

fn oddities(url: &Url, is_at_home: bool) -> [(bool, &'static str, &'static str); 6] {
    let is_private = is_near(url);
    [
        (
            !url.username().is_empty() || url.password().is_some(),
            "it has a user name: that the vendor sends it is not documented",
            "put the secret into a segment of the path",
        ),
        (
            url.query().is_some(),
            "it has a query: how the vendor appends its own parameters to one is not documented",
            "put what is in it into the path",
        ),
        (
            url.fragment().is_some(),
            "it has a fragment, behind which the vendor's parameters may be lost",
            "set it again without #",
        ),
        (
            url.scheme() == "http" && !is_at_home,
            "it is not HTTPS: whoever is on the way reads and changes callbacks",
            "serve it by HTTPS, and set the https:// URL",
        ),
        (
            is_private && !is_at_home,
            "its host is private: the vendor cannot reach it",
            "set a public name; for trials at home there is `trtc-call vendor`",
        ),
        (
            address(url).is_some() && !is_private && !is_at_home,
            "its host is a bare address: few authorities certify one, and it may change",
            "set a name",
        ),
    ]
}

/// Of a URL what is no secret.
pub(super) fn shown(url: &str) -> String {
    match Url::parse(url) {
        Ok(url) => format!("{}/…", url.origin().ascii_serialization()),
        Err(_) => "…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_odd_about_a_url_is_told() {
        let number = |url: &str, is_at_home| {
            let oddities = oddities(&Url::parse(url).unwrap(), is_at_home);
            let places = oddities.iter().enumerate().filter(|(_, odd)| odd.0);
            places.map(|(place, _)| place).collect::<Vec<_>>()
        };
        for (url, expected) in [
            ("https://example.com/callback/0f8fad5bd9cb469fa16570867728950e", &[][..]),
            ("https://user@example.com/", &[0]),
            ("https://:secret@example.com/", &[0]),
            ("https://example.com/?", &[1]),
            ("https://example.com/callback#here", &[2]),
            ("http://example.com/", &[3]),
            ("https://192.168.1.1/", &[4]),
            ("https://[fd00::1]/", &[4]),
            ("https://server.internal/", &[4]),
            ("https://8.8.8.8/", &[5]),
        ] {
            assert_eq!(number(url, false), expected, "{url}");
        }
        assert_eq!(number("http://127.0.0.1:8080/callback", true), [0; 0]);
    }
}
