//! Rows 1 to 6 of the contract, "The query" and "The signature".

use sha2::{Digest, Sha256};
use trtc_call_webhook::adapter::{self, RequestHead};
use trtc_call_webhook::{
    ClientIp, Command, ContentType, ErrorKind, OptPlatform, Parameter, Params,
};

use crate::verifiers::{AppConfig, Config};

/// A request that passes all of them.
#[derive(Debug)]
pub struct Head {
    /// `SdkAppid`.
    pub app: u64,
    /// `CallbackCommand`, unless it is empty.
    pub command: Option<String>,
    /// What the signature was found to be.
    pub signature: Signature,
    query: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What a signature was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Signature {
    Valid,
    Missing,
    Invalid(ErrorKind),
    Unverified,
}

impl From<trtc_call_webhook::Signature> for Signature {
    fn from(signature: trtc_call_webhook::Signature) -> Self {
        match signature {
            trtc_call_webhook::Signature::Valid => Self::Valid,
            trtc_call_webhook::Signature::Missing => Self::Missing,
            trtc_call_webhook::Signature::Invalid(reason) => Self::Invalid(reason.kind()),
            trtc_call_webhook::Signature::Unverified => Self::Unverified,
            other => panic!("{other:?} is new"),
        }
    }
}

/// What came of a request's head.
///
/// # Errors
///
/// The kind of its refusal.
pub fn got(head: Result<adapter::Head, trtc_call_webhook::Error>) -> Result<Signature, ErrorKind> {
    match head {
        Ok(head) => Ok(head.signature().into()),
        Err(error) => {
            assert_eq!(error.reason().kind(), error.kind());
            Err(error.kind())
        }
    }
}

/// The headers that say where a body ends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Framing<'a> {
    /// The value of `Content-Length`, if it is there.
    pub length: Option<&'a [u8]>,
    /// Whether there is a `Transfer-Encoding`.
    pub is_chunked: bool,
    /// Whether there is a `Content-Encoding`.
    pub is_encoded: bool,
    /// Whether the framework leaves the coding as it is.
    pub is_raw: bool,
}

impl<'a> Framing<'a> {
    /// As an adapter says it.
    pub fn tell<'r>(&self, head: RequestHead<'r>) -> RequestHead<'r> {
        let head = head.headers(|name| match name {
            "content-length" => self.length,
            "transfer-encoding" if self.is_chunked => Some(b"chunked"),
            "content-encoding" if self.is_encoded => Some(b"gzip"),
            _ => None,
        });
        if self.is_raw { head.body_is_raw() } else { head }
    }

    /// The number in `Content-Length`. Anything else than digits says nothing.
    fn announced(&self) -> Option<u128> {
        let digits = self.length?;
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let add = |number: u128, digit: &u8| {
            number.saturating_mul(10).saturating_add(u128::from(digit - b'0'))
        };
        Some(digits.iter().fold(0, add))
    }

    /// After how many bytes the body ends, if the head says so.
    #[must_use]
    pub fn end(&self) -> Option<u128> {
        let may_be_another = self.is_chunked || (self.is_encoded && !self.is_raw);
        self.announced().filter(|_| !may_be_another)
    }
}

/// What has to come of a request's head.
///
/// # Errors
///
/// The first row that fails.
pub fn expect(
    verifier: &Config,
    method: &str,
    query: &str,
    framing: Framing<'_>,
    now: u64,
) -> Result<Head, ErrorKind> {
    if method != "POST" {
        return Err(ErrorKind::MethodNotAllowed);
    }
    if query.len() > 8192 {
        return Err(ErrorKind::MalformedQuery);
    }
    let query = pairs(query);
    let app = checked(&query, "SdkAppid")?;
    let command = checked(&query, "CallbackCommand")?;
    let sign = checked(&query, "Sign")?;
    let time = checked(&query, "RequestTime")?;
    let app = app.and_then(|text| plain_number(&text)).filter(|app| *app != 0);
    let app = app.ok_or(ErrorKind::MalformedQuery)?;
    let config = verifier.apps.iter().find(|config| config.id == app);
    let config = config.ok_or(ErrorKind::ForeignApp)?;
    let signature = signature(config, verifier.window, sign.as_deref(), time.as_deref(), now);
    if !config.tokens.is_empty() && !config.report_only {
        match signature {
            Signature::Missing => return Err(ErrorKind::Unsigned),
            Signature::Invalid(kind) => return Err(kind),
            Signature::Valid | Signature::Unverified => {}
        }
    }
    if framing.announced().is_some_and(|length| length > verifier.body_limit as u128) {
        return Err(ErrorKind::BodyTooLarge);
    }
    Ok(Head { app, command: command.filter(|command| !command.is_empty()), signature, query })
}

/// What a signature has to be found to be.
#[must_use]
pub fn signature(
    app: &AppConfig,
    window: u64,
    sign: Option<&str>,
    time: Option<&str>,
    now: u64,
) -> Signature {
    let bad = Signature::Invalid(ErrorKind::BadSignature);
    if sign.is_none() && time.is_none() {
        return Signature::Missing;
    }
    if app.tokens.is_empty() {
        return Signature::Unverified;
    }
    let (Some(sign), Some(time)) = (sign, time) else { return bad };
    let Some(seconds) = request_time(time) else { return bad };
    if !app.tokens.iter().any(|token| digest(token, time) == sign.to_ascii_lowercase()) {
        return bad;
    }
    if now.abs_diff(seconds) > window {
        return Signature::Invalid(ErrorKind::StaleSignature);
    }
    Signature::Valid
}

/// Whether a verifier can be built with a token.
#[must_use]
pub fn is_token(token: &str) -> bool {
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}';
    let ends = [token.chars().next(), token.chars().next_back()];
    ends.iter().all(|end| end.is_some_and(|end| !is_odd(end)))
}

/// `Sign`, in lower-case hex.
#[must_use]
pub fn digest(token: &str, time: &str) -> String {
    Sha256::digest(format!("{token}{time}")).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn request_time(text: &str) -> Option<u64> {
    let is_plain = (1..=19).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if is_plain { text.parse().ok() } else { None }
}

/// The number that is written just like that in decimal.
fn plain_number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

impl Head {
    /// Holds the parameters that were read against the query.
    ///
    /// # Panics
    ///
    /// If they differ.
    pub fn assert_same(&self, params: &Params) {
        let lax = |key| lax(&self.query, key);
        assert_eq!(params.sdk_app_id().get(), self.app);
        assert_eq!(params.command().map(Command::as_str), self.command.as_deref());
        assert_eq!(params.client_ip().cloned(), lax("ClientIP").as_deref().map(ClientIp::from));
        assert_eq!(params.platform().cloned(), lax("OptPlatform").map(OptPlatform::from));
        assert_eq!(params.content_type().cloned(), lax("contenttype").map(ContentType::from));
        let text = |key| checked(&self.query, key).unwrap();
        let is_sign =
            |sign: &String| sign.len() == 64 && sign.bytes().all(|b| b.is_ascii_hexdigit());
        let sign = text("Sign").filter(is_sign).map(|sign| sign.to_ascii_lowercase());
        assert_eq!(params.sign().map(|sign| sign.to_hex()), sign);
        assert_eq!(params.request_time(), text("RequestTime").as_deref().and_then(request_time));
    }
}

/// Holds what the query's own reader says against row 2.
///
/// # Panics
///
/// If they differ.
pub fn assert_parsed(query: &str) {
    let parsed = adapter::Query::parse(query);
    let pairs = pairs(query);
    let strict = ["SdkAppid", "CallbackCommand", "Sign", "RequestTime"];
    if query.len() > 8192 || strict.iter().any(|key| checked(&pairs, key).is_err()) {
        assert_eq!(parsed.err().map(|reason| reason.kind()), Some(ErrorKind::MalformedQuery));
        return;
    }
    let parsed = parsed.unwrap();
    for parameter in Parameter::ALL {
        let key = parameter.key();
        let expected =
            if strict.contains(&key) { checked(&pairs, key).unwrap() } else { lax(&pairs, key) };
        assert_eq!(parsed.get(*parameter), expected.as_deref(), "{key}");
    }
}

/// Keys and values, decoded to bytes.
fn pairs(query: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pair = |piece: &str| {
        let (key, value) = piece.split_once('=').unwrap_or((piece, ""));
        (decode(key), decode(value))
    };
    query.split('&').map(pair).collect()
}

fn decode(text: &str) -> Vec<u8> {
    let hex = |digit: Option<&u8>| digit.and_then(|digit| char::from(*digit).to_digit(16));
    let bytes = text.as_bytes();
    let mut decoded = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        let escape = match (bytes[i], hex(bytes.get(i + 1)), hex(bytes.get(i + 2))) {
            (b'%', Some(high), Some(low)) => u8::try_from(high * 16 + low).ok(),
            _ => None,
        };
        decoded.push(escape.unwrap_or(if bytes[i] == b'+' { b' ' } else { bytes[i] }));
        i += if escape.is_some() { 3 } else { 1 };
    }
    decoded
}

/// Each value of a key, or `None` where it is not UTF-8.
fn values(query: &[(Vec<u8>, Vec<u8>)], key: &str) -> Vec<Option<String>> {
    let ours = query.iter().filter(|(other, _)| other.eq_ignore_ascii_case(key.as_bytes()));
    ours.map(|(_, value)| String::from_utf8(value.clone()).ok()).collect()
}

/// A value that counts: all of its repetitions have to be readable and the same.
fn checked(query: &[(Vec<u8>, Vec<u8>)], key: &str) -> Result<Option<String>, ErrorKind> {
    let mut values = values(query, key);
    values.dedup();
    match values.as_slice() {
        [] => Ok(None),
        [Some(value)] => Ok(Some(value.clone())),
        _ => Err(ErrorKind::MalformedQuery),
    }
}

/// A value that nothing depends on: an unclear one is absent, and so is an empty one.
fn lax(query: &[(Vec<u8>, Vec<u8>)], key: &str) -> Option<String> {
    checked(query, key).ok().flatten().filter(|value| !value.is_empty())
}
