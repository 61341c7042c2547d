//! What a query holds, for the words of an explanation. What of it is right or wrong, core is asked.

use percent_encoding::percent_decode_str;
use trtc_call_webhook::Receiver;

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
    pub(super) const fn len(&self) -> usize {
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
            // Each parameter alone, under the name of one whose value may be anything.
            let alone = |value: &str| format!("&CallbackCommand={value}");
            let fails = |pairs: String| !is_taken(&format!("SdkAppid=1{pairs}"));
            if self.values(key).any(|value| fails(alone(value))) {
                Some(Trouble::Undecodable(key))
            } else if fails(self.values(key).map(alone).collect()) {
                Some(Trouble::Twice(key))
            } else {
                None
            }
        })
    }
}

/// Whether a receiver of the app 1 has nothing against a query.
fn is_taken(query: &str) -> bool {
    let receiver = Receiver::builder().app(1).build();
    receiver.is_ok_and(|receiver| receiver.check("POST", query, None).is_ok())
}

/// A query without fault of about this length, exactly where that matters.
fn padded(length: usize) -> String {
    format!("{:x<length$}", "SdkAppid=1&x=")
}

/// Decodes as `application/x-www-form-urlencoded`.
fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
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
        assert_eq!(trouble(&"x".repeat(8193)), "too long");
    }
}
