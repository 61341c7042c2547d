//! Rows 1 to 6 of the contract, "The query" and "The signature".

use sha2::{Digest, Sha256};
use trtc_call_webhook::{ClientIp, Command, ContentType, ErrorKind, OptPlatform, Params};

use crate::verifiers::{AppConfig, Config, Policy};

/// A request that passes all of them.
#[derive(Debug)]
pub struct Head {
    /// `SdkAppid`.
    pub app: u64,
    /// `CallbackCommand`, unless it is empty.
    pub command: Option<String>,
    /// Whether a signature was checked.
    pub is_signed: bool,
    query: Vec<(Vec<u8>, Vec<u8>)>,
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
    content_length: Option<u64>,
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
    let is_signed = signature(config, verifier.window, sign.as_deref(), time.as_deref(), now)?;
    let fits = |length| usize::try_from(length).is_ok_and(|length| length <= verifier.body_limit);
    if !content_length.is_none_or(fits) {
        return Err(ErrorKind::BodyTooLarge);
    }
    Ok(Head { app, command: command.filter(|command| !command.is_empty()), is_signed, query })
}

/// What has to come of a signature: whether it was checked.
///
/// # Errors
///
/// [`ErrorKind::Unsigned`], [`ErrorKind::BadSignature`], [`ErrorKind::StaleSignature`].
pub fn signature(
    app: &AppConfig,
    window: u64,
    sign: Option<&str>,
    time: Option<&str>,
    now: u64,
) -> Result<bool, ErrorKind> {
    let is_unsigned = sign.is_none() && time.is_none();
    match app.policy {
        Policy::InsecureIgnoreSignature => return Ok(false),
        Policy::InsecureAcceptUnsigned if is_unsigned => return Ok(false),
        Policy::ByTokens if app.tokens.is_empty() => return Ok(false),
        _ if is_unsigned => return Err(ErrorKind::Unsigned),
        _ => {}
    }
    let (Some(sign), Some(time)) = (sign, time) else { return Err(ErrorKind::BadSignature) };
    let Some(seconds) = request_time(time) else { return Err(ErrorKind::BadSignature) };
    if !app.tokens.iter().any(|token| digest(token, time) == sign.to_ascii_lowercase()) {
        return Err(ErrorKind::BadSignature);
    }
    if now.abs_diff(seconds) > window {
        return Err(ErrorKind::StaleSignature);
    }
    Ok(true)
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
        assert_eq!(params.sdk_app_id(), self.app);
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
