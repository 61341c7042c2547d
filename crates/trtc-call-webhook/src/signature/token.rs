//! The secret that signatures are made with.

use std::fmt;

use sha2::{Digest, Sha256};

use super::Sign;

/// An app's callback authentication token, the secret that signatures are made with.
///
/// Kept as the state of a hash that has taken it in: nothing gives the token back, and `Debug`
/// shows nothing of it. It is not wiped from memory. Two apps must not share a token, since the
/// signature does not cover the SDKAppID: whoever sees a signed URL of one could call in the name
/// of the other.
#[derive(Clone)]
pub struct Token {
    hash: Sha256,
    /// Why it can never be meant.
    problem: Option<&'static str>,
}

impl Token {
    /// Takes the token as it is set at the vendor: every byte counts, nothing is trimmed.
    ///
    /// A verifier is not built with one that is empty, or that begins or ends with white space, a
    /// control character or a byte order mark: that comes from a file, and would refuse every callback.
    #[must_use]
    pub fn new(token: impl AsRef<[u8]>) -> Self {
        let token = token.as_ref();
        let problem = if token.is_empty() {
            Some("it is empty")
        } else if has_odd_end(token) {
            Some("it begins or ends with white space, a control character or a byte order mark")
        } else {
            None
        };
        Self { hash: Sha256::new_with_prefix(token), problem }
    }

    /// The signature of this token for a `RequestTime` of so many unix seconds.
    ///
    /// ```
    /// use trtc_call_webhook::Token;
    ///
    /// assert_eq!(
    ///     Token::new("xxxxyyyy").sign(1_669_872_112).to_hex(),
    ///     "17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061",
    /// );
    /// ```
    #[must_use]
    pub fn sign(&self, request_time: u64) -> Sign {
        self.sign_text(&request_time.to_string())
    }

    /// Signs the text as it was received: `0060` and `60` are different texts.
    pub(super) fn sign_text(&self, request_time: &str) -> Sign {
        Sign(self.hash.clone().chain_update(request_time).finalize().into())
    }

    pub(crate) const fn problem(&self) -> Option<&'static str> {
        self.problem
    }
}

/// What comes from the end of a file's line, or its start, and would make every signature wrong.
fn has_odd_end(token: &[u8]) -> bool {
    let text = String::from_utf8_lossy(token);
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}';
    text.starts_with(is_odd) || text.ends_with(is_odd)
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl From<&str> for Token {
    fn from(token: &str) -> Self {
        Self::new(token)
    }
}

impl From<String> for Token {
    fn from(token: String) -> Self {
        Self::new(token)
    }
}

impl From<&String> for Token {
    fn from(token: &String) -> Self {
        Self::new(token)
    }
}

impl From<Vec<u8>> for Token {
    fn from(token: Vec<u8>) -> Self {
        Self::new(token)
    }
}

impl From<&[u8]> for Token {
    fn from(token: &[u8]) -> Self {
        Self::new(token)
    }
}
