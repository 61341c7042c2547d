//! UserSigs: `TLSSigAPIv2`, as the vendor's own ports make them.

use std::fmt;
use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::bufread::{ZlibDecoder, ZlibEncoder};
use hmac::Mac;
use serde::{Deserialize, Serialize};
use trtc_call_webhook::SdkAppId;

use crate::SecretKey;

/// The version of what a UserSig holds.
const VERSION: &str = "2.0";

/// How long a UserSig and what it inflates to may be: a hundred times what the ports make.
const MAX_LEN: usize = 16 * 1024;

/// What a UserSig says: who may act, in which app, and until when.
///
/// ```
/// use trtc_call_api::{Claims, SecretKey, UserSig};
///
/// let key = SecretKey::new("5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e")?;
/// let claims = Claims::new(1_400_000_000, "xiaojun", 1_569_910_200, 86_400);
/// let user_sig = claims.sign(&key);
/// assert_eq!(UserSig::verify(user_sig.as_str(), &key)?, claims);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// The app.
    pub sdk_app_id: SdkAppId,
    /// The user, or the administrator: the vendor takes up to 32 bytes of letters, digits, `_` and `-`.
    pub identifier: String,
    /// When it was made, in unix seconds.
    pub issued_at: u64,
    /// For how many seconds it is valid.
    pub valid_for: u64,
    /// What the ports call `userbuf`: which rooms may be entered.
    pub userbuf: Option<Vec<u8>>,
}

impl Claims {
    /// Claims without a `userbuf`; `issued_at` in unix seconds, `valid_for` in seconds.
    #[must_use]
    pub fn new(
        sdk_app_id: impl Into<SdkAppId>,
        identifier: impl Into<String>,
        issued_at: u64,
        valid_for: u64,
    ) -> Self {
        let (sdk_app_id, identifier) = (sdk_app_id.into(), identifier.into());
        Self { sdk_app_id, identifier, issued_at, valid_for, userbuf: None }
    }

    /// Sets the `userbuf`.
    #[must_use]
    pub fn with_userbuf(mut self, userbuf: impl Into<Vec<u8>>) -> Self {
        self.userbuf = Some(userbuf.into());
        self
    }

    /// Makes the UserSig.
    #[must_use]
    pub fn sign(&self, key: &SecretKey) -> UserSig {
        let wire = Wire {
            version: VERSION.into(),
            identifier: self.identifier.clone(),
            sdk_app_id: self.sdk_app_id,
            expire: self.valid_for,
            time: self.issued_at,
            userbuf: self.userbuf.as_ref().map(|userbuf| STANDARD.encode(userbuf)),
            sig: STANDARD.encode(key.mac(&self.signed_text()).finalize().into_bytes()),
        };
        // Neither to write it nor to read from memory can fail.
        let json = serde_json::to_vec(&wire).unwrap_or_default();
        let mut deflated = Vec::new();
        let _ = ZlibEncoder::new(&*json, Compression::default()).read_to_end(&mut deflated);
        UserSig(STANDARD.encode(deflated).chars().map(to_user_sig).collect())
    }

    /// What the signature covers. The last lines hold no line end, so that whatever the identifier holds,
    /// no two claims have the same text.
    fn signed_text(&self) -> String {
        let Self { sdk_app_id, identifier, issued_at, valid_for, userbuf } = self;
        let mut text = format!(
            "TLS.identifier:{identifier}\nTLS.sdkappid:{sdk_app_id}\nTLS.time:{issued_at}\n\
             TLS.expire:{valid_for}\n"
        );
        if let Some(userbuf) = userbuf {
            text = format!("{text}TLS.userbuf:{}\n", STANDARD.encode(userbuf));
        }
        text
    }
}

/// A UserSig: the password with which a user, or an administrator, speaks to the vendor. `Debug` shows
/// nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct UserSig(String);

impl UserSig {
    /// The text, which is a secret until it expires. It may stand in a query as it is.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a UserSig of any port and verifies its signature. Whether it has expired is to be asked of the
    /// claims.
    ///
    /// # Errors
    ///
    /// [`Malformed`](InvalidUserSig::Malformed), [`WrongSignature`](InvalidUserSig::WrongSignature).
    pub fn verify(text: &str, key: &SecretKey) -> Result<Claims, InvalidUserSig> {
        let (claims, sig) = read(text).ok_or(InvalidUserSig::Malformed)?;
        // Compared in constant time.
        let verified = key.mac(&claims.signed_text()).verify_slice(&sig);
        verified.map(|()| claims).map_err(|_| InvalidUserSig::WrongSignature)
    }
}

impl fmt::Debug for UserSig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserSig(…)")
    }
}

/// The claims of a UserSig and its signature.
fn read(text: &str) -> Option<(Claims, Vec<u8>)> {
    if text.len() > MAX_LEN {
        return None;
    }
    let deflated = STANDARD.decode(text.chars().map(from_user_sig).collect::<String>()).ok()?;
    let mut json = Vec::new();
    let mut inflated = ZlibDecoder::new(&*deflated).take(u64::try_from(MAX_LEN).ok()?);
    inflated.read_to_end(&mut json).ok()?;
    if inflated.limit() == 0 {
        return None;
    }
    let wire: Wire = serde_json::from_slice(&json).ok()?;
    let userbuf = wire.userbuf.map(|userbuf| STANDARD.decode(userbuf)).transpose().ok()?;
    let claims =
        Claims { userbuf, ..Claims::new(wire.sdk_app_id, wire.identifier, wire.time, wire.expire) };
    let sig = STANDARD.decode(wire.sig).ok()?;
    (wire.version == VERSION).then_some((claims, sig))
}

/// The JSON within. The ports write its fields in orders of their own.
#[derive(Serialize, Deserialize)]
struct Wire {
    #[serde(rename = "TLS.ver")]
    version: String,
    #[serde(rename = "TLS.identifier")]
    identifier: String,
    #[serde(rename = "TLS.sdkappid")]
    sdk_app_id: SdkAppId,
    #[serde(rename = "TLS.expire")]
    expire: u64,
    #[serde(rename = "TLS.time")]
    time: u64,
    #[serde(rename = "TLS.userbuf", default, skip_serializing_if = "Option::is_none")]
    userbuf: Option<String>,
    #[serde(rename = "TLS.sig")]
    sig: String,
}

/// From base64 to the vendor's own alphabet, which is not base64url: `-` stands for `/`.
const fn to_user_sig(base64: char) -> char {
    match base64 {
        '+' => '*',
        '/' => '-',
        '=' => '_',
        other => other,
    }
}

const fn from_user_sig(char: char) -> char {
    match char {
        '*' => '+',
        '-' => '/',
        '_' => '=',
        other => other,
    }
}

/// A text is no UserSig of this key's. It is not repeated here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidUserSig {
    /// It does not hold what a UserSig holds, or far too much.
    Malformed,
    /// It was made with another key, or changed.
    WrongSignature,
}

impl fmt::Display for InvalidUserSig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it is not a UserSig",
            Self::WrongSignature => "the UserSig was made with another secret key, or changed",
        })
    }
}

impl std::error::Error for InvalidUserSig {}
