//! The URL that callbacks are to go to.

use ::url::Url;
use uuid::Uuid;

use crate::client::Endpoint;
use crate::failure::Failure;
use crate::out;

/// The shortest segment that counts as one that nobody guesses, in characters.
const MIN_SECRET: usize = 16;

/// Reads a URL as it is to be set, with a random segment at the end of its path if that is wanted. Says
/// on standard error what makes it a bad choice.
pub(super) fn read(text: String, with_segment: bool) -> Result<String, Failure> {
    let endpoint = Endpoint::parse(&text)?;
    let mut url = Url::parse(&text).map_err(|_| Failure::new("--url must be a URL"))?;
    let text = if with_segment {
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(&Uuid::new_v4().simple().to_string());
        }
        url.to_string()
    } else {
        // As it was given, to the byte.
        text
    };
    for (is_bad, warning) in [
        (!endpoint.is_https(), "the URL is not HTTPS: whoever is on the way reads and changes it"),
        (
            url.query().is_some(),
            "the URL has a query: how the vendor appends its own parameters to one is not documented",
        ),
        (
            !has_secret(&url),
            "the URL's path has no long random segment: whoever guesses it can post callbacks, and \
             --random-segment adds one",
        ),
    ] {
        if is_bad {
            out::note(warning);
        }
    }
    Ok(text)
}

/// Whether a segment of the path looks as if nobody could guess it: long, with digits and letters, and
/// not the same ones again and again.
pub(crate) fn has_secret(url: &Url) -> bool {
    url.path_segments().into_iter().flatten().any(|segment| {
        let mut chars: Vec<char> = segment.chars().collect();
        let is_mixed =
            chars.iter().any(char::is_ascii_digit) && chars.iter().any(char::is_ascii_alphabetic);
        let is_long = chars.len() >= MIN_SECRET;
        chars.sort_unstable();
        chars.dedup();
        is_mixed && is_long && chars.len() >= MIN_SECRET / 2
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_segment_is_long_and_random() {
        for (path, expected) in [
            ("/callback/0f8fad5bd9cb469fa16570867728950e", true),
            ("/0f8fad5b-d9cb-469f-a165-70867728950e/callback", true),
            ("/hooks/dGhpcyBpcyBhIHNlY3JldA1", true),
            ("/callback", false),
            ("/", false),
            ("/callbacks-of-our-customers", false),
            ("/1400000001/14000000011400000001", false),
            ("/callback/v1v1v1v1v1v1v1v1v1v1", false),
        ] {
            let url = Url::parse(&format!("https://example.com{path}")).unwrap();
            assert_eq!(has_secret(&url), expected, "{path}");
        }
    }

    #[test]
    fn a_random_segment_ends_the_path() {
        for (url, before, behind) in [
            ("https://example.com", "https://example.com/", ""),
            ("https://example.com/callback", "https://example.com/callback/", ""),
            ("https://example.com/callback/?a=b", "https://example.com/callback/", "?a=b"),
        ] {
            let read = || read(url.to_owned(), true).unwrap();
            let made = read();
            let segment = made.strip_prefix(before).unwrap().strip_suffix(behind).unwrap();
            assert_eq!(segment.len(), 32, "{made}");
            assert_ne!(made, read());
        }
    }
}
