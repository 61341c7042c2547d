//! The digest in a URL.

use std::fmt;

use subtle::{Choice, ConstantTimeEq};

/// The value of `Sign`: 32 bytes, which the URL has as 64 hex digits.
///
/// Whoever has it can call for as long as the replay window, so `Debug` shows nothing of it, and
/// it compares in constant time.
#[derive(Clone, Copy)]
pub struct Sign(pub(super) [u8; 32]);

impl Sign {
    /// Reads 64 hex digits of any case; `None` for anything else.
    #[must_use]
    pub fn from_hex(hex: &str) -> Option<Self> {
        let mut digest = [0; 32];
        let decoded = base16ct::mixed::decode(hex, &mut digest).ok()?;
        (decoded.len() == 32).then_some(Self(digest))
    }

    /// The 64 lower-case hex digits that go into a URL. The result is a secret.
    #[must_use]
    pub fn to_hex(&self) -> String {
        crate::hex::lower(&self.0)
    }

    /// Whether both are the same, in a time that does not tell where they differ.
    pub(super) fn ct_eq(&self, other: &Self) -> Choice {
        self.words().ct_eq(&other.words())
    }

    /// The digest in words, which compare with fewer steps than bytes.
    fn words(&self) -> [u64; 4] {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(self.0.as_chunks().0) {
            *word = u64::from_ne_bytes(*bytes);
        }
        words
    }
}

impl PartialEq for Sign {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for Sign {}

impl fmt::Debug for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sign(…)")
    }
}
