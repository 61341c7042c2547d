//! Strings and numbers, either of which may stand for the other.

use std::borrow::Cow;

use serde::de::Error;

use super::Shape;

/// A number of fewer digits than this, without an exponent, never exceeds an `f64`.
const SAFE_NUMBER_LENGTH: usize = 300;

/// A number.
pub(crate) enum Number<'a> {
    Unsigned(u64),
    /// A negative one.
    Signed(i64),
    /// Any number, as it is written.
    Digits(&'a str),
}

impl<'a> Number<'a> {
    pub(super) fn into_text(self) -> Cow<'a, str> {
        match self {
            Self::Unsigned(number) => Cow::Owned(number.to_string()),
            Self::Signed(number) => Cow::Owned(number.to_string()),
            Self::Digits(digits) => Cow::Borrowed(digits),
        }
    }

    /// A whole number that fits.
    fn integer(self) -> Option<i64> {
        match self {
            Self::Unsigned(number) => number.try_into().ok(),
            Self::Signed(number) => Some(number),
            Self::Digits(digits) => digits.parse().ok(),
        }
    }
}

/// Reads the text of one valid JSON value, but no object or array that the shape is for; fails for a
/// string that is no text and for a number beyond an `f64`.
pub(super) fn exact<'a>(raw: &'a str, shape: &mut impl Shape<'a>) -> Result<(), serde_json::Error> {
    match raw.as_bytes().first() {
        Some(b'"') => shape.text(string(raw)?),
        Some(b'-' | b'0'..=b'9') => {
            let has_exponent = raw.bytes().any(|b| matches!(b, b'e' | b'E'));
            if has_exponent || raw.len() >= SAFE_NUMBER_LENGTH {
                let number: f64 = raw.parse().map_err(serde_json::Error::custom)?;
                if number.is_infinite() {
                    return Err(serde_json::Error::custom("a number out of range"));
                }
            }
            shape.number(Number::Digits(raw));
        }
        Some(b'n') => {}
        _ => shape.other(),
    }
    Ok(())
}

/// A value that is kept as it is, for those who must tell a string from a number.
#[derive(Default)]
pub(crate) enum Scalar<'a> {
    /// `null`, or not there.
    #[default]
    Null,
    Text(Cow<'a, str>),
    Number(Number<'a>),
    /// A value of another type.
    Other,
}

impl<'a> Scalar<'a> {
    /// The text of a string or a number.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(number) => Some(number.into_text()),
            Self::Null | Self::Other => None,
        }
    }

    pub(crate) const fn is_number(&self) -> bool {
        matches!(self, Self::Number(_))
    }
}

impl<'de> Shape<'de> for Scalar<'de> {
    fn text(&mut self, text: Cow<'de, str>) {
        *self = Self::Text(text);
    }

    fn number(&mut self, number: Number<'de>) {
        *self = Self::Number(number);
    }

    fn other(&mut self) {
        *self = Self::Other;
    }
}

/// An id: a string as it is, or the digits of a number.
#[derive(Default)]
pub(crate) struct Id(pub(super) Option<String>);

impl<'de> Shape<'de> for Id {
    fn text(&mut self, text: Cow<'de, str>) {
        self.0 = Some(text.into_owned());
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
    fn text(&mut self, text: Cow<'de, str>) {
        self.0 = Some(T::from(text));
    }
}

/// A whole number that fits, as a number or as a string.
#[derive(Default)]
pub(crate) struct Integer(pub(super) Option<i64>);

impl<'de> Shape<'de> for Integer {
    fn text(&mut self, text: Cow<'de, str>) {
        self.0 = text.parse().ok();
    }

    fn number(&mut self, number: Number<'de>) {
        self.0 = number.integer();
    }
}

/// A string with its quotes, which is valid JSON already; fails for an escaped lone surrogate.
pub(super) fn string(raw: &str) -> Result<Cow<'_, str>, serde_json::Error> {
    match raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) {
        Some(text) if !text.contains('\\') => Ok(Cow::Borrowed(text)),
        _ => serde_json::from_str(raw).map(Cow::Owned),
    }
}
