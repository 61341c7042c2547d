//! What helps with a signature: row 5.

use trtc_call_webhook::{Parameter, Reason};

use super::head::went_through_html;
use crate::explain::clock;
use crate::explain::judge::{Case, Outcome, row};

/// A difference of clocks that is nearer than this to whole hours is one of time zones.
const NEAR: i64 = 120;

/// `RequestTime` in milliseconds is ahead of the clock by more seconds than this, and no other is.
const FAR_FUTURE: i64 = 100_000_000_000;

pub(super) fn missing(case: &Case<'_>) -> Vec<String> {
    let query = &case.request.query;
    let mut hints = Vec::new();
    if !query.contains('&') {
        hints.push(
            "the query has one parameter alone: a shell cuts a URL without quotes at its first `&`"
                .to_owned(),
        );
    }
    hints.extend(went_through_html(query));
    hints.push(
        "callback authentication is not switched on at the vendor, or something on the way drops \
         parameters"
            .to_owned(),
    );
    if !case.settings.report_only {
        hints.push(
            "--report-only shows the other rows, and what insecure_report_only would do".to_owned(),
        );
    }
    hints
}

pub(super) fn bad(case: &Case<'_>, reason: Reason) -> Vec<String> {
    let value = |parameter| case.parameter(parameter).unwrap_or_default();
    match reason {
        Reason::BadSign => vec![odd_sign(value(Parameter::Sign))],
        Reason::BadRequestTime => vec![odd_time(value(Parameter::RequestTime))],
        Reason::NoTokenMatches => by_no_token(case),
        _ => vec!["the vendor sends Sign and RequestTime together: something drops one".to_owned()],
    }
}

fn by_no_token(case: &Case<'_>) -> Vec<String> {
    let count = case.settings.tokens.len();
    let mut hints = vec![match count {
        1 => "the one token that is given was tried".to_owned(),
        _ => format!("all {count} tokens that are given were tried, 1 to {count}"),
    }];
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

fn odd_sign(sign: &str) -> String {
    let is_hex = sign.bytes().all(|byte| byte.is_ascii_hexdigit());
    match (is_hex, sign.chars().count()) {
        (true, 0) => "Sign is empty".to_owned(),
        (true, 32) => "Sign has 32 digits, as an MD5 has: the vendor's is SHA-256".to_owned(),
        (true, 40) => "Sign has 40 digits, as a SHA-1 has: the vendor's is SHA-256".to_owned(),
        (true, length) => format!("Sign has {length} digits: it was cut or joined"),
        (false, _) if sign.trim() != sign => {
            "there is white space around Sign (a `+` stands for a space)".to_owned()
        }
        (false, 44) => "Sign looks like base64: the vendor's is in hex digits".to_owned(),
        (false, _) => "there are other characters than hex digits in Sign".to_owned(),
    }
}

fn odd_time(time: &str) -> String {
    if time.is_empty() {
        "RequestTime is empty".to_owned()
    } else if time.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("RequestTime has {} digits", time.len())
    } else {
        "RequestTime holds something else than digits: it is unix seconds".to_owned()
    }
}

/// Which tokens would be right if they were written otherwise.
fn near_tokens(case: &Case<'_>) -> Vec<String> {
    let mut hints = Vec::new();
    for (token, place) in case.settings.tokens.iter().zip(1..) {
        let right = variants(token)
            .into_iter()
            .find(|(_, variant)| variant != token && case.is_by(variant));
        if let Some((how, _)) = right {
            hints.push(format!("token {place} would be right {how}"));
        }
    }
    if case.settings.tokens.len() > 1 && case.is_by(&case.settings.tokens.join(",")) {
        hints.push("the tokens would be right as one with the commas in it".to_owned());
    }
    hints
}

/// What happens to a token between the console and a verifier.
fn variants(token: &str) -> [(&'static str, String); 7] {
    let decoded =
        |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    [
        ("without the quotes around it", token.trim_matches(['"', '\'']).to_owned()),
        ("in lower case", token.to_lowercase()),
        ("in upper case", token.to_uppercase()),
        ("with `+` read as a space", token.replace('+', " ")),
        ("with its spaces written `+`", token.replace(' ', "+")),
        ("percent-decoded", decoded(token)),
        ("percent-decoded, with `+` read as a space", decoded(&token.replace('+', " "))),
    ]
}

pub(super) fn stale(case: &Case<'_>, seconds_ahead: i64) -> Vec<String> {
    let mut hints = Vec::new();
    let makers = case.makers();
    if !makers.is_empty() {
        hints.push(format!("the signature itself is right: token {makers} made it"));
    }
    let window = case.verifier.replay_window().as_secs();
    if seconds_ahead >= FAR_FUTURE {
        hints.push("RequestTime seems to be in milliseconds: it is unix seconds".to_owned());
    } else if seconds_ahead > 0 {
        hints.push(format!(
            "the window is {window} s: the clock of the verifier is slow, or the sender's is fast"
        ));
    } else {
        hints.push(format!(
            "the window is {window} s{}: the clock of the verifier is fast, the sender's is slow, or \
             the request was late or is a replay",
            if case.clock.is_now { "; unless only the capture is old" } else { "" }
        ));
    }
    if let Some(hours) = whole_hours(seconds_ahead) {
        hints.push(format!("that is about {hours} h: one of the clocks may be in local time"));
    }
    if let Some(time) = case.request_time() {
        hints.extend(then(case, time));
    }
    hints
}

/// The number of hours, if a difference is about that of two time zones.
const fn whole_hours(seconds: i64) -> Option<i64> {
    let hours = seconds.saturating_abs().saturating_add(NEAR).saturating_div(3600);
    let rest = seconds.saturating_abs().abs_diff(hours.saturating_mul(3600));
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
        Outcome::Refused(error) => format!("row {} would fail: {error}", row(error.reason())),
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
