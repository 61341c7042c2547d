//! What a query holds, for the words of an explanation. Whether row 2 or row 3 fails, core does not
//! tell: what is found here is compared with every case of the table.

use percent_encoding::percent_decode_str;
use trtc_call_webhook::Verifier;

/// The parameters that are checked, by their keys in the documents.
const CHECKED: [&str; 4] = ["SdkAppid", "CallbackCommand", "Sign", "RequestTime"];

/// A query, split.
pub(super) struct Query<'a> {
    pub(super) raw: &'a str,
    /// Keys decoded, values as received.
    pairs: Vec<(String, &'a str)>,
}

/// What keeps a query from being read: row 2.
pub(super) enum Trouble {
    TooLong,
    /// The value of this parameter does not decode.
    Undecodable(&'static str),
    /// This parameter has two values.
    Twice(&'static str),
}

impl<'a> Query<'a> {
    pub(super) fn new(raw: &'a str) -> Self {
        let pairs = raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), value)
        });
        Self { raw, pairs: pairs.collect() }
    }

    /// How many parameters there are.
    pub(super) const fn parameter_count(&self) -> usize {
        self.pairs.len()
    }

    /// The keys, decoded.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|(key, _)| key.as_str())
    }

    /// The first value of a parameter, decoded.
    pub(super) fn value(&self, key: &str) -> Option<String> {
        self.values(key).next().map(decode)
    }

    /// The values of a parameter as received. The case of its key does not count.
    fn values(&self, key: &str) -> impl Iterator<Item = &'a str> {
        let pairs = self.pairs.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(key));
        pairs.map(|(_, value)| *value)
    }

    /// What is wrong with it by row 2.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        if !is_taken(&padded(self.raw.len())) {
            return Some(Trouble::TooLong);
        }
        CHECKED.into_iter().find_map(|key| {
            let values: Option<Vec<String>> = self.values(key).map(try_decode).collect();
            match values {
                None => Some(Trouble::Undecodable(key)),
                Some(values) => values
                    .windows(2)
                    .any(|pair| pair.first() != pair.last())
                    .then_some(Trouble::Twice(key)),
            }
        })
    }
}

/// Whether a receiver of the app 1 has nothing against a query.
fn is_taken(query: &str) -> bool {
    let verifier = Verifier::builder().app(1).build();
    verifier.is_ok_and(|verifier| verifier.check("POST", query, None).is_ok())
}

/// A query without fault of about this length, exactly where that matters.
fn padded(length: usize) -> String {
    let start = "SdkAppid=1&x=";
    format!("{start}{}", "x".repeat(length.saturating_sub(start.len())))
}

/// Decodes as `application/x-www-form-urlencoded`.
fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// The same, unless what comes of it is not UTF-8.
fn try_decode(text: &str) -> Option<String> {
    let decoded = percent_decode_str(&text.replace('+', " ")).decode_utf8().ok()?.into_owned();
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_that_is_wrong_is_named() {
        let trouble = |query: &str| match Query::new(query).trouble() {
            None => "none".to_owned(),
            Some(Trouble::TooLong) => "too long".to_owned(),
            Some(Trouble::Undecodable(key)) => format!("undecodable {key}"),
            Some(Trouble::Twice(key)) => format!("twice {key}"),
        };
        for key in CHECKED {
            assert_eq!(
                trouble(&format!("SdkAppid=7&x=%ff&{key}=%ff")),
                format!("undecodable {key}")
            );
            let lower = key.to_lowercase();
            assert_eq!(trouble(&format!("{key}=7&{lower}=8")), format!("twice {key}"));
            assert_eq!(trouble(&format!("{key}=7&{lower}=%37")), "none");
        }
        // Row 3 is another matter.
        for query in ["", "x", "SdkAppid=x", "ClientIP=1&ClientIP=2"] {
            assert_eq!(trouble(query), "none", "{query}");
        }
        assert_eq!(trouble(&"x".repeat(8192)), "none");
        for length in [8193, 100_000, 1_000_000] {
            assert_eq!(trouble(&"x".repeat(length)), "too long");
        }
        // What is near the longest has nothing else against it.
        assert_eq!(trouble(&format!("Sign={}", "a".repeat(8180))), "none");
        assert_eq!(trouble(&"Sign=1&".repeat(1100)), "none");
    }
}
