//! The signature in the URL: `Sign` is SHA-256 over a token followed by `RequestTime`.
//!
//! Documented for the sibling products Chat (34354) and Live (64412); no page says whether Call
//! callbacks carry it, so each app chooses. It covers neither the body nor any other parameter.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use subtle::Choice;

use crate::error::{Error, ErrorKind};

mod sign;
mod token;

pub use sign::Sign;
pub use token::Token;

/// The most digits that `RequestTime` may have.
const MAX_REQUEST_TIME_DIGITS: usize = 19;

/// What an app asks of the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignaturePolicy {
    /// It must be there and right.
    Required,
    /// It must be right if any part of it is there.
    IfPresent,
    /// It is not looked at.
    Off,
}

/// The parameters of a signature, percent-decoded, read once.
pub(crate) struct Signature<'a> {
    sign: Given<Sign>,
    request_time: Given<RequestTime<'a>>,
}

/// A parameter that may be missing, and may be malformed.
enum Given<T> {
    Absent,
    Malformed,
    Value(T),
}

impl<T> Given<T> {
    fn read<'a>(text: Option<&'a str>, parse: impl Fn(&'a str) -> Option<T>) -> Self {
        match text {
            None => Self::Absent,
            Some(text) => parse(text).map_or(Self::Malformed, Self::Value),
        }
    }

    const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Malformed => None,
        }
    }
}

/// `RequestTime`: its number, and the text that was signed.
struct RequestTime<'a> {
    seconds: u64,
    text: &'a str,
}

impl<'a> RequestTime<'a> {
    /// Reads 1 to 19 ASCII digits, which always fit.
    fn parse(text: &'a str) -> Option<Self> {
        // Of what is no digit, parsing takes a leading plus alone.
        let is_plain = text.len() <= MAX_REQUEST_TIME_DIGITS && !text.starts_with('+');
        let seconds = if is_plain { text.parse().ok()? } else { return None };
        Some(Self { seconds, text })
    }
}

impl<'a> Signature<'a> {
    /// Reads the texts of `Sign` and `RequestTime`.
    pub(crate) fn read(sign: Option<&str>, request_time: Option<&'a str>) -> Self {
        Self {
            sign: Given::read(sign, Sign::from_hex),
            request_time: Given::read(request_time, RequestTime::parse),
        }
    }

    pub(crate) fn sign(&self) -> Option<Sign> {
        self.sign.value().copied()
    }

    pub(crate) fn request_time(&self) -> Option<u64> {
        self.request_time.value().map(|time| time.seconds)
    }

    /// Checks against an app's policy and tokens. Says whether a signature was checked and right.
    pub(crate) fn verify(
        &self,
        policy: SignaturePolicy,
        tokens: &[Token],
        now: SystemTime,
        window: Duration,
    ) -> Result<bool, Error> {
        let bad = |reason| Err(Error::new(ErrorKind::BadSignature, reason));
        match (policy, &self.sign, &self.request_time) {
            (SignaturePolicy::Off, ..)
            | (SignaturePolicy::IfPresent, Given::Absent, Given::Absent) => Ok(false),
            (_, Given::Absent, Given::Absent) => {
                Err(Error::new(ErrorKind::Unsigned, "`Sign` is missing"))
            }
            (_, Given::Absent, _) => bad("`RequestTime` has no `Sign`"),
            (_, _, Given::Absent) => bad("`Sign` has no `RequestTime`"),
            (_, Given::Malformed, _) => bad("`Sign` is not 64 hex digits"),
            (_, _, Given::Malformed) => bad("`RequestTime` is not 1 to 19 digits"),
            (_, Given::Value(sign), Given::Value(time)) => {
                if !any_token_made(*sign, tokens, time.text) {
                    return bad("`Sign` is not by any token of the app");
                }
                if !within(window, time.seconds, now) {
                    let reason = "`RequestTime` is outside the replay window";
                    return Err(Error::new(ErrorKind::StaleSignature, reason));
                }
                Ok(true)
            }
        }
    }
}

/// Tries every token, whichever matches, so that the time taken does not tell.
fn any_token_made(sign: Sign, tokens: &[Token], request_time: &str) -> bool {
    tokens
        .iter()
        .fold(Choice::from(0), |matched, token| {
            matched | token.sign_text(request_time).ct_eq(&sign)
        })
        .into()
}

/// Whether `time` is at most `window` before or after `now`, all in whole seconds.
fn within(window: Duration, time: u64, now: SystemTime) -> bool {
    unix_seconds(now).abs_diff(time) <= window.as_secs()
}

/// Whole seconds since 1970; a clock that is set before then counts as 1970.
pub(crate) fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod exhausted;

#[cfg(test)]
mod tests {
    use super::*;

    /// The token, the time and the digest that the documents print, and two computed apart.
    const VECTORS: [(&str, u64, &str); 3] = [
        (
            "xxxxyyyy",
            1_669_872_112,
            "17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061",
        ),
        ("令牌", 1_741_231_296, "36aea382e0eeae3b4641a05705c05827ad826de9a033e172a5ce72b2530104df"),
        (
            // No separator in the formula: the same bytes as the first, cut elsewhere.
            "xxxxyyyy1",
            669_872_112,
            "17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061",
        ),
    ];

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn verify(
        policy: SignaturePolicy,
        tokens: &[&str],
        sign: Option<&str>,
        request_time: Option<&str>,
        now: u64,
    ) -> Result<bool, ErrorKind> {
        let tokens: Vec<Token> = tokens.iter().copied().map(Token::from).collect();
        Signature::read(sign, request_time)
            .verify(policy, &tokens, at(now), Duration::from_secs(60))
            .map_err(|error| error.kind())
    }

    #[test]
    fn signs_and_verifies_the_vectors() {
        for (token, time, hex) in VECTORS {
            assert_eq!(Token::new(token).sign(time).to_hex(), hex);
            for hex in [hex.to_owned(), hex.to_uppercase()] {
                let time_text = time.to_string();
                let verified = verify(
                    SignaturePolicy::Required,
                    &["other", token],
                    Some(&hex),
                    Some(&time_text),
                    time,
                );
                assert_eq!(verified, Ok(true));
            }
        }
    }

    #[test]
    fn the_window_is_inclusive_on_both_sides() {
        let (token, time, hex) = VECTORS[0];
        let time_text = time.to_string();
        for (now, expected) in [
            (time - 61, Err(ErrorKind::StaleSignature)),
            (time - 60, Ok(true)),
            (time, Ok(true)),
            (time + 60, Ok(true)),
            (time + 61, Err(ErrorKind::StaleSignature)),
            (0, Err(ErrorKind::StaleSignature)),
        ] {
            let policy = SignaturePolicy::Required;
            assert_eq!(verify(policy, &[token], Some(hex), Some(&time_text), now), expected);
        }
    }

    #[test]
    fn only_a_complete_and_right_signature_passes() {
        let (token, time, hex) = VECTORS[0];
        let time_text = time.to_string();
        let short = &hex[1..];
        let not_hex = format!("g{short}");
        let long = format!("{hex}0");
        let bad = Err(ErrorKind::BadSignature);
        for policy in [SignaturePolicy::Required, SignaturePolicy::IfPresent] {
            for (sign, request_time) in [
                (None, Some(time_text.as_str())),
                (Some(hex), None),
                (Some(""), Some(time_text.as_str())),
                (Some(hex), Some("")),
                (Some(""), None),
                (None, Some("")),
                (Some(short), Some(&time_text)),
                (Some(&long), Some(&time_text)),
                (Some(&not_hex), Some(&time_text)),
                (Some(hex), Some("01669872112")),
                (Some(hex), Some("+1669872112")),
                (Some(hex), Some("-1669872112")),
                (Some(hex), Some("1669872112.0")),
                (Some(hex), Some("1669872113")),
                (Some(hex), Some("99999999999999999999")),
            ] {
                let got = verify(policy, &[token], sign, request_time, time);
                assert_eq!(got, bad, "{sign:?} {request_time:?}");
            }
            assert_eq!(verify(policy, &["wrong"], Some(hex), Some(&time_text), time), bad);
        }
        let unsigned = |policy| verify(policy, &[token], None, None, time);
        assert_eq!(unsigned(SignaturePolicy::Required), Err(ErrorKind::Unsigned));
        assert_eq!(unsigned(SignaturePolicy::IfPresent), Ok(false));
        assert_eq!(verify(SignaturePolicy::Off, &[], Some("x"), Some("y"), time), Ok(false));
    }

    #[test]
    fn a_time_of_19_digits_is_only_stale() {
        let most = 9_999_999_999_999_999_999_u64;
        let sign = Token::new("t").sign(most).to_hex();
        let got =
            verify(SignaturePolicy::Required, &["t"], Some(&sign), Some(&most.to_string()), 0);
        assert_eq!(got, Err(ErrorKind::StaleSignature));
    }
}
