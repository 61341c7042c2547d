//! The secret that UserSigs are made with.

use std::path::Path;
use std::{fmt, fs, io};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The app's secret key, which the console shows beside the SDKAppID. Whoever has it can act as any user
/// of the app.
///
/// Kept as the state of a hash that has taken it in: nothing gives the key back, and `Debug` shows
/// nothing of it. It is not wiped from memory.
#[derive(Clone)]
pub struct SecretKey(Hmac<Sha256>);

impl SecretKey {
    /// Takes the key as the console shows it: every byte counts, nothing is trimmed.
    ///
    /// # Errors
    ///
    /// [`Empty`](SecretKeyError::Empty), [`OddEnd`](SecretKeyError::OddEnd),
    /// [`Control`](SecretKeyError::Control).
    pub fn new(key: impl Into<String>) -> Result<Self, SecretKeyError> {
        Self::from_text(&key.into())
    }

    /// Reads the key from a file. One line end at the end of the file, `\n` or `\r\n`, is not part of it.
    ///
    /// # Errors
    ///
    /// [`File`](SecretKeyError::File) where the file cannot be read or is not UTF-8, and what
    /// [`new`](Self::new) fails for.
    pub fn read(file: impl AsRef<Path>) -> Result<Self, SecretKeyError> {
        let text = fs::read_to_string(file).map_err(SecretKeyError::File)?;
        let line = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        Self::from_text(line.unwrap_or(&text))
    }

    fn from_text(key: &str) -> Result<Self, SecretKeyError> {
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}';
        if key.starts_with(is_odd) || key.ends_with(is_odd) {
            return Err(SecretKeyError::OddEnd);
        }
        if key.contains(char::is_control) {
            return Err(SecretKeyError::Control);
        }
        match Hmac::new_from_slice(key.as_bytes()) {
            Ok(mac) if !key.is_empty() => Ok(Self(mac)),
            // HMAC takes a key of any other length.
            _ => Err(SecretKeyError::Empty),
        }
    }

    /// A hash that has taken in the key and this text.
    pub(crate) fn mac(&self, text: &str) -> Hmac<Sha256> {
        self.0.clone().chain_update(text)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// A secret key cannot be used. It is not repeated here.
#[derive(Debug)]
#[non_exhaustive]
pub enum SecretKeyError {
    /// It is empty.
    Empty,
    /// It begins or ends with white space, a control character or a byte order mark: that comes from a
    /// file or a shell, and the vendor would refuse every request.
    OddEnd,
    /// There is a control character in it: a file with more than the key, it may be.
    Control,
    /// Its file cannot be read.
    File(io::Error),
}

impl fmt::Display for SecretKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the secret key is empty",
            Self::Control => "there is a line end or another control character in the secret key",
            Self::OddEnd => {
                "the secret key begins or ends with white space, a control character or a byte order \
                 mark"
            }
            Self::File(_) => "the secret key's file cannot be read",
        })
    }
}

impl std::error::Error for SecretKeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::File(error) = self { Some(error) } else { None }
    }
}
