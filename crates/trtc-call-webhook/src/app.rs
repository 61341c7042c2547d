//! One application, and what is asked of its requests.

use std::str::FromStr;

use crate::query::parse_sdk_app_id;
use crate::signature::{SignaturePolicy, Token};
use crate::verifier::BuildError;

/// One Tencent application: its SDKAppID, its tokens, and what is asked of the signature.
///
/// Without a token only the SDKAppID is checked, which is all that the vendor's page asks for;
/// with a token or several, a valid signature is required.
///
/// Two apps must not share a token: the signature does not cover the SDKAppID.
#[derive(Clone, Debug)]
pub struct App {
    sdk_app_id: u64,
    pub(crate) tokens: Vec<Token>,
    policy: Option<SignaturePolicy>,
}

impl App {
    /// An app by its SDKAppID, without a token.
    #[must_use]
    pub const fn new(sdk_app_id: u64) -> Self {
        Self { sdk_app_id, tokens: Vec::new(), policy: None }
    }

    /// Adds a callback authentication token. During a rotation several are valid at once.
    #[must_use]
    pub fn token(mut self, token: impl Into<Token>) -> Self {
        self.tokens.push(token.into());
        self
    }

    /// Adds several tokens. Whoever gives a list means to have one: if it turns out to be empty,
    /// [`build`](crate::VerifierBuilder::build) fails unless the policy is set otherwise.
    #[must_use]
    pub fn tokens<T: Into<Token>>(mut self, tokens: impl IntoIterator<Item = T>) -> Self {
        self.tokens.extend(tokens.into_iter().map(Into::into));
        self.policy.get_or_insert(SignaturePolicy::Required);
        self
    }

    /// Requires a valid signature. With a token that is so anyway; saying it makes
    /// [`build`](crate::VerifierBuilder::build) fail if there is none.
    #[must_use]
    pub const fn require_signature(mut self) -> Self {
        self.policy = Some(SignaturePolicy::Required);
        self
    }

    /// Lets requests without a signature pass although there are tokens, while the signature is
    /// being rolled out. A `Sign` or a `RequestTime` that is there must still be valid.
    ///
    /// Anybody who knows the SDKAppID can send such requests.
    #[must_use]
    pub const fn insecure_accept_unsigned(mut self) -> Self {
        self.policy = Some(SignaturePolicy::IfPresent);
        self
    }

    /// Does not look at the signature although there may be tokens.
    ///
    /// Anybody who knows the SDKAppID can send requests.
    #[must_use]
    pub const fn insecure_ignore_signature(mut self) -> Self {
        self.policy = Some(SignaturePolicy::Off);
        self
    }

    /// The SDKAppID.
    #[must_use]
    pub const fn sdk_app_id(&self) -> u64 {
        self.sdk_app_id
    }

    /// What is asked of the signature.
    pub(crate) fn policy(&self) -> SignaturePolicy {
        self.policy.unwrap_or(if self.tokens.is_empty() {
            SignaturePolicy::Off
        } else {
            SignaturePolicy::Required
        })
    }
}

impl FromStr for App {
    type Err = BuildError;

    /// An app by the text of its SDKAppID, by the rule that holds for the URL too: plain decimal,
    /// without sign, space or leading zero, not 0, at most 64 bits.
    fn from_str(text: &str) -> Result<Self, BuildError> {
        let problem = "an SDKAppID is a number from 1 to 18446744073709551615, without sign, space \
                       or leading zero";
        let id = parse_sdk_app_id(text).ok_or(BuildError::new("app", None, problem))?;
        Ok(Self::new(id))
    }
}

impl From<u64> for App {
    fn from(sdk_app_id: u64) -> Self {
        Self::new(sdk_app_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_ask_for_signatures_unless_the_insecure_is_named() {
        assert_eq!(App::new(7).policy(), SignaturePolicy::Off);
        assert_eq!(App::new(7).token("t").policy(), SignaturePolicy::Required);
        let lenient = App::new(7).token("t").insecure_accept_unsigned();
        assert_eq!(lenient.policy(), SignaturePolicy::IfPresent);
        assert_eq!(
            App::new(7).token("t").insecure_ignore_signature().policy(),
            SignaturePolicy::Off
        );
    }
}
