//! The number of an application at Tencent.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An SDKAppID: the number that Tencent gives to an application.
///
/// A verifier takes any but 0. As text it is plain decimal: no sign, space or leading zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SdkAppId(u64);

impl SdkAppId {
    /// An SDKAppID by its number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl From<u64> for SdkAppId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl FromStr for SdkAppId {
    type Err = InvalidSdkAppId;

    fn from_str(text: &str) -> Result<Self, InvalidSdkAppId> {
        // What stands behind the first digit can only be digits too.
        let is_plain = matches!(text.as_bytes(), [b'1'..=b'9', ..]);
        let number = if is_plain { text.parse().ok() } else { None };
        number.map(Self).ok_or(InvalidSdkAppId(()))
    }
}

impl fmt::Display for SdkAppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text is no [`SdkAppId`]. It is not repeated here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InvalidSdkAppId(());

impl fmt::Display for InvalidSdkAppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "an SDKAppID is a number from 1 to 18446744073709551615, without sign, space or leading \
             zero",
        )
    }
}

impl std::error::Error for InvalidSdkAppId {}
