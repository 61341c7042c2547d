//! The signature in the URL: `Sign` is SHA-256 over a token followed by `RequestTime`.
//!
//! Documented for the sibling products Chat (34354) and Live (64412); no page says whether Call
//! callbacks carry it, so each app chooses. It covers neither the body nor any other parameter.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use subtle::Choice;

use crate::error::Reason;

mod sign;
mod token;

pub use sign::Sign;
pub use token::Token;

/// The most digits that `RequestTime` may have.
const MAX_REQUEST_TIME_DIGITS: usize = 19;

/// What the signature of a request was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signature {
    /// It is there and right, and its time is within the replay window.
    Valid,
    /// Neither `Sign` nor `RequestTime` is there.
    Missing,
    /// It was verified and is wrong, and why; only an app that reports only lets that pass.
    Invalid(Reason),
    /// Some of it is there, and the app is [`unsigned`](crate::SdkApp::unsigned): it has no token to
    /// verify it with.
    Unverified,
}

impl Signature {
    /// Whether it was verified and is right.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        matches!(self, Self::Valid)
    }

    /// `valid`, `missing`, `invalid` or `unverified`: for a log, or a column beside a stored body.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Missing => "missing",
            Self::Invalid(_) => "invalid",
            Self::Unverified => "unverified",
        }
    }

    /// Why an app that requires a signature by one of its tokens would refuse it. `None` does not say
    /// that it is right: what is not verified has no reason. Ask [`is_valid`](Self::is_valid).
    #[must_use]
    pub const fn reason(self) -> Option<Reason> {
        match self {
            Self::Valid | Self::Unverified => None,
            Self::Missing => Some(Reason::Unsigned),
            Self::Invalid(reason) => Some(reason),
        }
    }
}

/// The parameters of a signature, percent-decoded, read once.
pub(crate) struct Signed<'a> {
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

impl<'a> Signed<'a> {
    /// Reads the texts of `Sign` and `RequestTime`.
    pub(crate) fn read(sign: Option<&str>, request_time: Option<&'a str>) -> Self {
        Self {
            sign: Given::read(sign, Sign::from_hex),
            request_time: Given::read(request_time, RequestTime::parse),
        }
    }

    /// `Sign`, if it is 64 hex digits.
    pub(crate) fn sign(&self) -> Option<Sign> {
        self.sign.value().copied()
    }

    /// `RequestTime`, if it is 1 to 19 digits.
    pub(crate) fn request_time(&self) -> Option<u64> {
        self.request_time.value().map(|time| time.seconds)
    }

    /// What it is to an app that has no token.
    pub(crate) const fn unverified(&self) -> Signature {
        match (&self.sign, &self.request_time) {
            (Given::Absent, Given::Absent) => Signature::Missing,
            _ => Signature::Unverified,
        }
    }

    /// Verifies it by an app's tokens.
    pub(crate) fn verify(&self, tokens: &[Token], now: SystemTime, window: Duration) -> Signature {
        Signature::Invalid(match (&self.sign, &self.request_time) {
            (Given::Absent, Given::Absent) => return Signature::Missing,
            (Given::Absent, _) => Reason::NoSign,
            (_, Given::Absent) => Reason::NoRequestTime,
            (Given::Malformed, _) => Reason::BadSign,
            (_, Given::Malformed) => Reason::BadRequestTime,
            (Given::Value(sign), Given::Value(time)) => {
                if !any_token_made(*sign, tokens, time.text) {
                    Reason::NoTokenMatches
                } else if within(window, time.seconds, now) {
                    return Signature::Valid;
                } else {
                    Reason::Stale { seconds_ahead: seconds_ahead(time.seconds, now) }
                }
            }
        })
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

/// How far `time` is after `now`, as far as that can be told.
fn seconds_ahead(time: u64, now: SystemTime) -> i64 {
    let seconds = i128::from(time).saturating_sub(unix_seconds(now).into());
    let most = if seconds < 0 { i64::MIN } else { i64::MAX };
    seconds.try_into().unwrap_or(most)
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
        tokens: &[&str],
        sign: Option<&str>,
        request_time: Option<&str>,
        now: u64,
    ) -> Signature {
        let tokens: Vec<Token> = tokens.iter().copied().map(Token::from).collect();
        Signed::read(sign, request_time).verify(&tokens, at(now), Duration::from_secs(60))
    }

    #[test]
    fn signs_and_verifies_the_vectors() {
        for (token, time, hex) in VECTORS {
            assert_eq!(Token::new(token).sign(time).to_hex(), hex);
            for hex in [hex.to_owned(), hex.to_uppercase()] {
                let time_text = time.to_string();
                let verified = verify(&["other", token], Some(&hex), Some(&time_text), time);
                assert_eq!(verified, Signature::Valid);
            }
        }
    }

    #[test]
    fn the_window_is_inclusive_on_both_sides() {
        let (token, time, hex) = VECTORS[0];
        let time_text = time.to_string();
        let stale = |seconds_ahead| Signature::Invalid(Reason::Stale { seconds_ahead });
        for (now, expected) in [
            (time - 61, stale(61)),
            (time - 60, Signature::Valid),
            (time, Signature::Valid),
            (time + 60, Signature::Valid),
            (time + 61, stale(-61)),
            (0, stale(1_669_872_112)),
        ] {
            assert_eq!(verify(&[token], Some(hex), Some(&time_text), now), expected);
        }
    }

    #[test]
    fn only_a_complete_and_right_signature_is_valid() {
        use Reason::{BadRequestTime, BadSign, NoRequestTime, NoSign, NoTokenMatches};

        let (token, time, hex) = VECTORS[0];
        let time_text = time.to_string();
        let short = &hex[1..];
        let not_hex = format!("g{short}");
        let long = format!("{hex}0");
        for (sign, request_time, reason) in [
            (None, Some(time_text.as_str()), NoSign),
            (Some(hex), None, NoRequestTime),
            (Some(""), Some(time_text.as_str()), BadSign),
            (Some(hex), Some(""), BadRequestTime),
            (Some(""), None, NoRequestTime),
            (None, Some(""), NoSign),
            (Some(short), Some(&time_text), BadSign),
            (Some(&long), Some(&time_text), BadSign),
            (Some(&not_hex), Some(&time_text), BadSign),
            (Some(hex), Some("01669872112"), NoTokenMatches),
            (Some(hex), Some("+1669872112"), BadRequestTime),
            (Some(hex), Some("-1669872112"), BadRequestTime),
            (Some(hex), Some("1669872112.0"), BadRequestTime),
            (Some(hex), Some("1669872113"), NoTokenMatches),
            (Some(hex), Some("99999999999999999999"), BadRequestTime),
        ] {
            let got = verify(&[token], sign, request_time, time);
            assert_eq!(got, Signature::Invalid(reason), "{sign:?} {request_time:?}");
            assert_eq!(Signed::read(sign, request_time).unverified(), Signature::Unverified);
        }
        let got = verify(&["wrong"], Some(hex), Some(&time_text), time);
        assert_eq!(got, Signature::Invalid(NoTokenMatches));
        assert_eq!(verify(&[token], None, None, time), Signature::Missing);
        assert_eq!(Signed::read(None, None).unverified(), Signature::Missing);
    }

    #[test]
    fn a_time_of_19_digits_is_only_stale() {
        let most = 9_999_999_999_999_999_999_u64;
        let sign = Token::new("t").sign(most).to_hex();
        let got = verify(&["t"], Some(&sign), Some(&most.to_string()), 0);
        assert_eq!(got, Signature::Invalid(Reason::Stale { seconds_ahead: i64::MAX }));
    }
}
