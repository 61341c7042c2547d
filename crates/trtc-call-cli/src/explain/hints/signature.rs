//! What helps with a signature: row 5.

use crate::explain::clock;
use crate::explain::judge::{Case, Outcome};
use crate::explain::settings::made_by;

/// A difference of clocks that is nearer than this to whole hours is one of time zones.
const NEAR: i64 = 120;

/// `RequestTime` in milliseconds is beyond this number of seconds, and no other is.
const FAR_FUTURE: i64 = 100_000_000_000;

pub(super) fn missing(case: &Case<'_>) -> Vec<String> {
    let mut hints = Vec::new();
    if case.query.parameter_count() == 1 {
        hints.push(
            "the query has one parameter alone: a shell cuts a URL without quotes at its first `&`"
                .to_owned(),
        );
    }
    if case.query.keys().any(|key| key.starts_with("amp;")) {
        hints.push("`&` is written `&amp;`: the URL went through HTML".to_owned());
    }
    hints.push(
        "callback authentication is not switched on at the vendor, or something on the way drops \
         parameters; --accept-unsigned shows what a verifier with insecure_accept_unsigned does"
            .to_owned(),
    );
    hints
}

pub(super) fn bad(case: &Case<'_>) -> Vec<String> {
    let mut hints = Vec::new();
    let (sign, time) = (case.query.value("Sign"), case.query.value("RequestTime"));
    let (Some(sign), Some(time)) = (sign, time) else {
        return vec![
            "the vendor sends Sign and RequestTime together: something drops one".to_owned(),
        ];
    };
    if let Some(what) = odd_sign(&sign) {
        hints.push(what);
    }
    if let Some(what) = odd_time(&time) {
        hints.push(what);
    }
    if !hints.is_empty() {
        return hints;
    }
    let count = case.settings.tokens.len();
    hints.push(match count {
        1 => "the one token that is given was tried".to_owned(),
        _ => format!("all {count} tokens that are given were tried, 1 to {count}"),
    });
    let near = near_tokens(case);
    if near.is_empty() {
        hints.push(
            "compare the token with the one that is set at the vendor, for this app: every byte of \
             it counts, and nothing is trimmed"
                .to_owned(),
        );
    }
    hints.extend(near);
    hints
}

fn odd_sign(sign: &str) -> Option<String> {
    let is_hex = sign.bytes().all(|byte| byte.is_ascii_hexdigit());
    let length = sign.chars().count();
    match (is_hex, length) {
        (true, 64) => None,
        (true, 0) => Some("Sign is empty".to_owned()),
        (true, 32) => Some("Sign has 32 digits, as an MD5 has: the vendor's is SHA-256".to_owned()),
        (true, 40) => {
            Some("Sign has 40 digits, as a SHA-1 has: the vendor's is SHA-256".to_owned())
        }
        (true, _) => Some(format!("Sign has {length} digits: it was cut or joined")),
        (false, _) if sign.trim() != sign => {
            Some("there is white space around Sign (a `+` stands for a space)".to_owned())
        }
        (false, 44) => Some("Sign looks like base64: the vendor's is in hex digits".to_owned()),
        (false, _) => Some("there are other characters than hex digits in Sign".to_owned()),
    }
}

fn odd_time(time: &str) -> Option<String> {
    let is_number = time.bytes().all(|byte| byte.is_ascii_digit());
    match (is_number, time.len()) {
        (true, 1..=19) => None,
        (true, 0) => Some("RequestTime is empty".to_owned()),
        (true, length) => Some(format!("RequestTime has {length} digits")),
        (false, _) => {
            Some("RequestTime holds something else than digits: it is unix seconds".to_owned())
        }
    }
}

/// Which tokens would be right if they were written otherwise.
fn near_tokens(case: &Case<'_>) -> Vec<String> {
    let Some(time) = case.request_time() else { return Vec::new() };
    let is_right = |token: &str| made_by(token, case.query.raw, case.sdk_app_id, time);
    let mut hints = Vec::new();
    for (token, place) in case.settings.tokens.iter().zip(1..) {
        let right = variants(token)
            .into_iter()
            .find(|(_, variant)| !variant.is_empty() && variant != token && is_right(variant));
        if let Some((how, _)) = right {
            hints.push(format!("token {place} would be right {how}"));
        }
    }
    let joined = case.settings.tokens.join(",");
    if case.settings.tokens.len() > 1 && is_right(&joined) {
        hints.push("the tokens would be right as one with the commas in it".to_owned());
    }
    hints
}

/// What happens to a token between the console and a verifier.
fn variants(token: &str) -> [(&'static str, String); 9] {
    let decoded =
        |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    [
        ("without the white space around it", token.trim().to_owned()),
        ("without the quotes around it", token.trim_matches(['"', '\'']).to_owned()),
        ("in lower case", token.to_lowercase()),
        ("in upper case", token.to_uppercase()),
        ("with `+` read as a space", token.replace('+', " ")),
        ("with its spaces written `+`", token.replace(' ', "+")),
        ("percent-decoded", decoded(token)),
        ("percent-decoded, with `+` read as a space", decoded(&token.replace('+', " "))),
        ("with a line feed behind it: it was taken from a file", format!("{token}\n")),
    ]
}

pub(super) fn stale(case: &Case<'_>) -> Vec<String> {
    let (Some(time), Some(age)) = (case.request_time(), case.age(case.clock.at)) else {
        return vec!["RequestTime is far in the future: is it in seconds?".to_owned()];
    };
    let makers: Vec<String> = case.makers().iter().map(usize::to_string).collect();
    let mut hints = Vec::new();
    if !makers.is_empty() {
        hints
            .push(format!("the signature itself is right: token {} made it", makers.join(" and ")));
    }
    let window = case.verifier.replay_window().as_secs();
    let distance = clock::age_text(age);
    if time >= FAR_FUTURE {
        hints.push("RequestTime seems to be in milliseconds: it is unix seconds".to_owned());
    } else if age < 0 {
        hints.push(format!(
            "RequestTime is {distance}, and the window is {window} s: the clock of \
             the verifier is slow, or the sender's is fast"
        ));
    } else {
        hints.push(format!(
            "RequestTime is {distance}, and the window is {window} s{}: the clock \
             of the verifier is fast, the sender's is slow, or the request was late or is a replay",
            if case.clock.is_now { "; unless only the capture is old" } else { "" }
        ));
    }
    if let Some(hours) = whole_hours(age) {
        hints.push(format!("that is about {hours} h: one of the clocks may be in local time"));
    }
    hints.extend(then(case, time));
    hints
}

/// The number of hours, if a difference is about that of two time zones.
const fn whole_hours(age: i64) -> Option<i64> {
    let hours = age.saturating_abs().saturating_add(NEAR).saturating_div(3600);
    let rest = age.saturating_abs().abs_diff(hours.saturating_mul(3600));
    if 1 <= hours && hours <= 14 && rest <= NEAR.unsigned_abs() { Some(hours) } else { None }
}

/// What would have come of it when it came, or when it was signed.
fn then(case: &Case<'_>, time: i64) -> Vec<String> {
    let mut hints = Vec::new();
    if let Some(at) = case.request.logged_at {
        hints.push(format!(
            "the log says that it came at {}, when RequestTime was {}{}",
            clock::text(at),
            clock::age_text(case.age(at).unwrap_or_default()),
            case.request.logged_status.map_or(String::new(), |s| format!(", and was answered {s}")),
        ));
    }
    let Some(at) = clock::from_unix(time) else { return hints };
    let otherwise = match case.outcome(at) {
        Outcome::Refused(error) => format!("row {} would fail: {error}", case.row(&error)),
        Outcome::HeadOnly => "row 5 would pass".to_owned(),
        Outcome::Delivered | Outcome::NotTaken => "it would be acknowledged".to_owned(),
    };
    if case.clock.is_now {
        hints.push(format!(
            "the clock is that of now: if only the capture is old, --at {time} judges it as of {}, \
             when it was signed; then {otherwise}",
            clock::text(at)
        ));
    } else {
        hints.push(format!("at {}, when it was signed, {otherwise}", clock::text(at)));
    }
    hints
}
