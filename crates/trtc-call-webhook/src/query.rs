//! The URL's query, split and decoded: contract rows 2 and 3.

use std::borrow::Cow;
use std::fmt;

use memchr::{memchr, memchr2};
use percent_encoding::percent_decode_str;

use crate::config::SdkAppId;
use crate::error::Reason;
use crate::parameter::Parameter;

/// The longest query that is looked at, in bytes as received.
const MAX_QUERY_BYTES: usize = 8192;

/// The values of the protocol's parameters in a query, decoded and not verified. Every other key is
/// passed over unread.
///
/// For programs that explain a request. Whoever receives one asks a [`Verifier`](crate::Verifier).
#[derive(Default)]
pub struct Query<'a> {
    sdk_app_id: Option<Cow<'a, str>>,
    command: Option<Cow<'a, str>>,
    sign: Option<Cow<'a, str>>,
    request_time: Option<Cow<'a, str>>,
    content_type: Lax<'a>,
    client_ip: Lax<'a>,
    platform: Lax<'a>,
}

impl<'a> Query<'a> {
    /// Reads what stands behind the first `?` of a request's target; empty if there is none.
    ///
    /// # Errors
    ///
    /// What row 2 of the contract refuses: [`QueryTooLong`](Reason::QueryTooLong),
    /// [`NotUtf8`](Reason::NotUtf8), [`GivenTwice`](Reason::GivenTwice).
    pub fn parse(query: &'a str) -> Result<Self, Reason> {
        let mut parsed = Self::default();
        parsed.read(query)?;
        Ok(parsed)
    }

    /// The value of a parameter, if the query has it. Nothing depends on `contenttype`, `ClientIP` and
    /// `OptPlatform`: an odd one, empty, given twice or no UTF-8, counts as not there.
    #[must_use]
    pub fn get(&self, parameter: Parameter) -> Option<&str> {
        match parameter {
            Parameter::SdkAppId => self.sdk_app_id.as_deref(),
            Parameter::Command => self.command.as_deref(),
            Parameter::Sign => self.sign.as_deref(),
            Parameter::RequestTime => self.request_time.as_deref(),
            Parameter::ContentType => self.content_type.get(),
            Parameter::ClientIp => self.client_ip.get(),
            Parameter::Platform => self.platform.get(),
        }
    }

    /// Splits a query into an empty one, which keeps what it has where it fails.
    pub(crate) fn read(&mut self, query: &'a str) -> Result<(), Reason> {
        if query.len() > MAX_QUERY_BYTES {
            return Err(Reason::QueryTooLong);
        }
        for Pair { key, value } in pairs(query) {
            // A key that does not decode is none of ours.
            let Some(key) = key.decode() else { continue };
            let Some(parameter) = Parameter::find(&key) else { continue };
            match parameter {
                Parameter::SdkAppId => set(&mut self.sdk_app_id, parameter, value)?,
                Parameter::Command => set(&mut self.command, parameter, value)?,
                Parameter::Sign => set(&mut self.sign, parameter, value)?,
                Parameter::RequestTime => set(&mut self.request_time, parameter, value)?,
                Parameter::ContentType => self.content_type.set(value),
                Parameter::ClientIp => self.client_ip.set(value),
                Parameter::Platform => self.platform.set(value),
            }
        }
        Ok(())
    }

    /// The SDKAppID: plain decimal without sign, space or leading zero, not 0.
    pub(crate) fn sdk_app_id(&self) -> Result<SdkAppId, Reason> {
        let text = self.sdk_app_id.as_deref().ok_or(Reason::NoSdkAppId)?;
        text.parse().map_err(|_| Reason::BadSdkAppId)
    }
}

/// Keeps the value of a parameter that is checked; twice with two values is refused, since the
/// sender must not choose which of them is.
#[inline]
fn set<'a>(
    slot: &mut Option<Cow<'a, str>>,
    parameter: Parameter,
    value: Text<'a>,
) -> Result<(), Reason> {
    let value = value.decode().ok_or(Reason::NotUtf8(parameter))?;
    match slot {
        Some(first) if *first != value => Err(Reason::GivenTwice(parameter)),
        _ => {
            *slot = Some(value);
            Ok(())
        }
    }
}

/// A value that nothing depends on: odd ones are taken as absent.
#[derive(Default)]
enum Lax<'a> {
    #[default]
    Absent,
    Value(Cow<'a, str>),
    /// It does not decode, or is given twice with two values.
    Unclear,
}

impl<'a> Lax<'a> {
    #[inline]
    fn set(&mut self, value: Text<'a>) {
        *self = match (&*self, value.decode()) {
            (Self::Absent, Some(value)) => Self::Value(value),
            (Self::Value(first), Some(second)) if *first == second => return,
            _ => Self::Unclear,
        };
    }

    /// The value, if there is one and it is not empty.
    fn get(&self) -> Option<&str> {
        match self {
            Self::Value(value) if !value.is_empty() => Some(value),
            _ => None,
        }
    }
}

/// A key or a value as received.
#[derive(Clone, Copy)]
struct Text<'a> {
    raw: &'a str,
    /// There is no escape in the whole query.
    is_plain: bool,
}

impl<'a> Text<'a> {
    /// Decodes as `application/x-www-form-urlencoded`; `None` if that is not UTF-8.
    #[inline]
    fn decode(self) -> Option<Cow<'a, str>> {
        if self.is_plain { Some(Cow::Borrowed(self.raw)) } else { decode_escapes(self.raw) }
    }
}

#[cold]
fn decode_escapes(raw: &str) -> Option<Cow<'_, str>> {
    if is_plain(raw) {
        return Some(Cow::Borrowed(raw));
    }
    let spaced = raw.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(Cow::Owned(decoded.into_owned()))
}

/// Whether there is nothing to decode.
#[inline]
fn is_plain(text: &str) -> bool {
    memchr2(b'%', b'+', text.as_bytes()).is_none()
}

struct Pair<'a> {
    key: Text<'a>,
    value: Text<'a>,
}

/// Splits at `&` and at the first `=` of each piece.
fn pairs(query: &str) -> impl Iterator<Item = Pair<'_>> {
    // Most queries have no escape at all: one look at all of it saves one at each piece.
    let is_plain = is_plain(query);
    let text = move |raw| Text { raw, is_plain };
    let mut rest = Some(query);
    std::iter::from_fn(move || {
        let pair;
        (pair, rest) = split_at_byte(rest?, b'&');
        let (key, value) = split_at_byte(pair, b'=');
        Some(Pair { key: text(key), value: text(value.unwrap_or_default()) })
    })
}

/// What stands before and behind the first such byte of ASCII; all and `None` if there is none.
#[inline]
fn split_at_byte(text: &str, byte: u8) -> (&str, Option<&str>) {
    memchr(byte, text.as_bytes())
        .and_then(|place| text.split_at_checked(place))
        .map_or((text, None), |(before, behind)| (before, behind.strip_prefix(char::from(byte))))
}

impl fmt::Debug for Query<'_> {
    /// Shows nothing of it: a signature may be in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(query: &str) -> String {
        let mut known = Query::default();
        match known.read(query).and_then(|()| known.sdk_app_id()) {
            Ok(app) => app.to_string(),
            Err(reason) => format!("{}: {reason}", reason.kind()),
        }
    }

    #[test]
    fn a_checked_parameter_may_repeat_only_itself() {
        assert_eq!(reason("SdkAppid=7&sdkappid=%37"), "7");
        for (query, name) in [
            ("SdkAppid=7&SdkAppid=8", "SdkAppid"),
            ("SdkAppid=7&Sdk%41ppid=8", "SdkAppid"),
            ("SdkAppid=&SdkAppid=7", "SdkAppid"),
            ("SdkAppid=7&Sign=a&sign=A", "Sign"),
            ("SdkAppid=7&RequestTime=1&RequestTime=01", "RequestTime"),
            ("SdkAppid=7&CallbackCommand=a&CallbackCommand=", "CallbackCommand"),
        ] {
            let expected = format!("malformed query: `{name}` is given twice, with two values");
            assert_eq!(reason(query), expected, "{query}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_matter_only_in_checked_parameters() {
        for name in ["SdkAppid", "CallbackCommand", "Sign", "RequestTime"] {
            let query = format!("SdkAppid=7&{name}=%ff");
            assert_eq!(reason(&query), format!("malformed query: `{name}` is not UTF-8"));
        }
        assert_eq!(
            reason("x=%ff&%ff=1&ClientIP=%ff&OptPlatform=%ff&contenttype=%ff&SdkAppid=7"),
            "7"
        );
    }
}
