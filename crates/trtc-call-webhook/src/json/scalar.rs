//! Strings and numbers, either of which may stand for the other.

use std::borrow::Cow;

use serde::de::Error;

use super::Shape;

/// A number of fewer digits than this, without an exponent, never exceeds an `f64`.
const SAFE_NUMBER_LENGTH: usize = 300;

/// A value that should be a string or a number.
#[derive(Default)]
pub(crate) enum Scalar<'a> {
    /// `null`, or not there.
    #[default]
    Null,
    /// A string, unescaped.
    Text(Cow<'a, str>),
    /// A number.
    Unsigned(u64),
    /// A negative number.
    Signed(i64),
    /// Any number, as it is written.
    Digits(&'a str),
    /// A value of another type.
    Other,
}

impl<'a> Scalar<'a> {
    /// Reads the text of one valid JSON value; fails for a string that is no text and for a number
    /// beyond an `f64`.
    pub(super) fn exact(raw: &'a str) -> Result<Self, serde_json::Error> {
        Ok(match raw.as_bytes().first() {
            Some(b'"') => Self::Text(string(raw)?),
            Some(b'-' | b'0'..=b'9') => {
                let has_exponent = raw.bytes().any(|b| matches!(b, b'e' | b'E'));
                if has_exponent || raw.len() >= SAFE_NUMBER_LENGTH {
                    let number: f64 = raw.parse().map_err(serde_json::Error::custom)?;
                    if number.is_infinite() {
                        return Err(serde_json::Error::custom("a number out of range"));
                    }
                }
                Self::Digits(raw)
            }
            Some(b'n') => Self::Null,
            _ => Self::Other,
        })
    }

    /// The text of a string or a number.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Unsigned(number) => Some(Cow::Owned(number.to_string())),
            Self::Signed(number) => Some(Cow::Owned(number.to_string())),
            Self::Digits(digits) => Some(Cow::Borrowed(digits)),
            Self::Null | Self::Other => None,
        }
    }

    /// A whole number that fits, as a number or as a string.
    fn integer(self) -> Option<i64> {
        match self {
            Self::Unsigned(number) => number.try_into().ok(),
            Self::Signed(number) => Some(number),
            Self::Text(text) => text.parse().ok(),
            Self::Digits(digits) => digits.parse().ok(),
            Self::Null | Self::Other => None,
        }
    }

    pub(crate) const fn is_number(&self) -> bool {
        matches!(self, Self::Unsigned(_) | Self::Signed(_) | Self::Digits(_))
    }
}

impl<'de> Shape<'de> for Scalar<'de> {
    fn scalar(&mut self, scalar: Self) {
        *self = scalar;
    }
}

/// An id: a string as it is, or the digits of a number.
#[derive(Default)]
pub(crate) struct Id(pub(super) Option<String>);

impl<'de> Shape<'de> for Id {
    fn scalar(&mut self, scalar: Scalar<'de>) {
        self.0 = scalar.text().map(Cow::into_owned);
    }
}

/// One of the vendor's words, known or not; a number in its place is kept as its text.
pub(crate) struct Word<T>(pub(super) Option<T>);

impl<T> Default for Word<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: From<Cow<'de, str>>> Shape<'de> for Word<T> {
    fn scalar(&mut self, scalar: Scalar<'de>) {
        self.0 = scalar.text().map(T::from);
    }
}

/// A whole number that fits, as a number or as a string.
#[derive(Default)]
pub(crate) struct Integer(pub(super) Option<i64>);

impl<'de> Shape<'de> for Integer {
    fn scalar(&mut self, scalar: Scalar<'de>) {
        self.0 = scalar.integer();
    }
}

/// A string with its quotes, which is valid JSON already; fails for an escaped lone surrogate.
pub(super) fn string(raw: &str) -> Result<Cow<'_, str>, serde_json::Error> {
    match raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) {
        Some(text) if !text.contains('\\') => Ok(Cow::Borrowed(text)),
        _ => serde_json::from_str(raw).map(Cow::Owned),
    }
}
