//! What to do about a row that fails.
//!
//! Neither a token, nor a `Sign`, nor the text of a query is ever repeated.

use trtc_call_webhook::{Callback, Parameter, Reason, decode};

use super::judge::{Case, Outcome, row};
use crate::time;

/// The longest name that is repeated, in bytes.
const MAX_NAME: usize = 64;

/// A difference of clocks that is nearer than this to whole hours is one of time zones.
const NEAR: i64 = 120;

/// `RequestTime` in milliseconds is ahead of the clock by more seconds than this, and no other is.
const FAR_FUTURE: i64 = 100_000_000_000;

/// What helps with a request that is refused for this reason.
pub(super) fn of(case: &Case<'_>, reason: Reason) -> Vec<String> {
    match reason {
        Reason::NoTokenMatches => near_tokens(case),
        Reason::Stale { seconds_ahead } => stale(case, seconds_ahead),
        Reason::ForeignApp => vec![format!(
            "the URL has {}: it or the verifier is configured wrongly",
            case.parameter(Parameter::SdkAppId)
        )],
        Reason::CommandsDiffer => vec![commands(case)],
        Reason::AnnouncedTooLarge | Reason::TooLarge => vec![format!(
            "the limit is {} bytes, and a callback has less than a thousand; --body-limit tries another",
            case.verifier.body_limit()
        )],
        reason => in_words(reason).map(str::to_owned).into_iter().collect(),
    }
}

/// A sentence for those that need nothing of the request.
const fn in_words(reason: Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::NotPost => {
            "the vendor posts: this is a browser, a health check, or a POST that a redirect turned \
             into a GET"
        }
        Reason::GivenTwice(_) => "a URL that is configured with parameters of its own makes it so",
        Reason::NoSdkAppId => {
            "a proxy drops the query, or the capture lacks it: a shell cuts at `&`"
        }
        Reason::Unsigned => {
            "authentication is not switched on at the vendor, or something on the way drops \
             parameters; --report-only shows the other rows"
        }
        Reason::NoSign | Reason::NoRequestTime => "the vendor sends both: something drops one",
        Reason::BadSign => "the vendor's is a SHA-256 in hex: this one was cut, joined or encoded",
        Reason::BodyEndsEarly | Reason::BodyBroken => {
            "the connection broke or a time-out cut it off, or only the capture is cut"
        }
        Reason::BodyEmpty => "something before the verifier has read it, or the capture lacks it",
        Reason::BodyNotUtf8 => "it is compressed, or in another character set",
        // What logs and shells do to a body is not undone.
        Reason::NotAnObject | Reason::JsonEndsEarly | Reason::NotJson => {
            "paste it as it was sent, without quotes and escapes of others; the samples on the \
             vendor's pages are no valid JSON"
        }
        Reason::NoCallId => {
            "the documents have it in CallRecord, in CallInfo, or beside the command"
        }
        _ => return None,
    })
}

/// A name that may be shown. Whatever else stands in its place may be more than a name.
pub(super) fn shown(name: &str) -> &str {
    let is_plain = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'_');
    let is_name = name.len() <= MAX_NAME && name.bytes().all(is_plain) && name.contains('.');
    if is_name { name } else { "another text" }
}

fn commands(case: &Case<'_>) -> String {
    // Where the URL has none, the body's own is taken.
    let body = case.request.body.as_deref().unwrap_or_default();
    let callback = decode::<Callback>(None, body).ok().flatten();
    let in_body =
        callback.as_ref().map_or("no text", |callback| shown(callback.command().as_str()));
    format!("the URL says {}, the body {in_body}", shown(case.parameter(Parameter::Command)))
}

/// Which tokens would be right if they were written otherwise.
fn near_tokens(case: &Case<'_>) -> Vec<String> {
    let tokens = &case.tokens;
    let count = tokens.len();
    let mut hints = vec![format!("tokens that were tried: {count}")];
    for (token, place) in tokens.iter().zip(1..) {
        let right = variants(token)
            .into_iter()
            .find(|(_, variant)| variant != token && case.is_by(variant));
        if let Some((how, _)) = right {
            hints.push(format!("token {place} would be right {how}"));
        }
    }
    if count > 1 && case.is_by(&tokens.join(",")) {
        hints.push("the tokens would be right as one with the commas in it".to_owned());
    }
    if hints.len() == 1 {
        hints.push("compare it with the vendor's for this app: every byte counts".to_owned());
    }
    hints
}

/// What happens to a token between the console and a verifier.
fn variants(token: &str) -> [(&'static str, String); 6] {
    let decoded = percent_encoding::percent_decode_str(token).decode_utf8_lossy().into_owned();
    [
        ("without the quotes around it", token.trim_matches(['"', '\'']).to_owned()),
        ("in lower case", token.to_lowercase()),
        ("in upper case", token.to_uppercase()),
        ("with `+` read as a space", token.replace('+', " ")),
        ("with its spaces written `+`", token.replace(' ', "+")),
        ("percent-decoded", decoded),
    ]
}

fn stale(case: &Case<'_>, seconds_ahead: i64) -> Vec<String> {
    let mut hints = Vec::new();
    let makers = case.makers();
    if !makers.is_empty() {
        hints.push(format!("the signature itself is right: token {makers} made it"));
    }
    let window = case.verifier.replay_window().as_secs();
    hints.push(match seconds_ahead {
        FAR_FUTURE.. => "RequestTime seems to be in milliseconds: it is unix seconds".to_owned(),
        1.. => format!("the window is {window} s: the verifier's clock is slow, or the sender's fast"),
        _ => format!(
            "the window is {window} s: the verifier's clock is fast, the sender's slow, or it came late"
        ),
    });
    if let Some(hours) = whole_hours(seconds_ahead) {
        hints.push(format!("that is about {hours} h: one of the clocks may be in local time"));
    }
    hints.extend(when_signed(case));
    hints
}

/// The number of hours, if a difference is about that of two time zones.
const fn whole_hours(seconds: i64) -> Option<i64> {
    let hours = seconds.saturating_abs().saturating_add(NEAR).saturating_div(3600);
    let rest = seconds.saturating_abs().abs_diff(hours.saturating_mul(3600));
    if 1 <= hours && hours <= 14 && rest <= NEAR.unsigned_abs() { Some(hours) } else { None }
}

/// What would have come of it when it was signed.
fn when_signed(case: &Case<'_>) -> Option<String> {
    let time = case.request_time()?;
    let at = time::from_unix(time)?;
    let then = match case.outcome(at) {
        Outcome::Refused(error) => format!("row {} would fail: {error}", row(error.reason())),
        Outcome::HeadOnly => "row 5 would pass".to_owned(),
        Outcome::Delivered(_) | Outcome::NotTaken => "it would be acknowledged".to_owned(),
    };
    let old = if case.clock.is_now { "if only the capture is old, --at " } else { "at " };
    Some(format!("{old}{time}, which is {} and when it was signed: {then}", time::text(at)))
}
