//! Signatures that were made rightly, nearly so, or not at all, at any time on any clock.

#![no_main]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arbitrary::Arbitrary;
use fuzz::head::{self, Signature};
use fuzz::verifiers::{AppConfig, Config};
use libfuzzer_sys::fuzz_target;
use trtc_call_webhook::adapter::RequestHead;
use trtc_call_webhook::{ErrorKind, Reason};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    tokens: [&'a str; 2],
    asks: Asks,
    window: u16,
    clock: Clock,
    time: Time<'a>,
    sign: Sign<'a>,
}

#[derive(Arbitrary, Debug)]
enum Asks {
    Required,
    ReportOnly,
    Nothing,
}

#[derive(Arbitrary, Debug)]
struct Clock {
    is_before_1970: bool,
    seconds: Seconds,
    nanoseconds: u32,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Seconds {
    OfToday(u32),
    Any(u64),
}

#[derive(Arbitrary, Debug)]
enum Time<'a> {
    Absent,
    /// A few seconds beyond a place or none, with a plus and so many zeros before them.
    Near {
        place: Place,
        offset: i8,
        has_plus: bool,
        zeros: u8,
    },
    Text(&'a str),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Place {
    Clock,
    WindowsStart,
    WindowsEnd,
}

#[derive(Arbitrary, Debug)]
enum Sign<'a> {
    Absent,
    /// By one of the tokens, with these of its digits in upper case.
    Right {
        second: bool,
        upper: u64,
    },
    /// The same with one byte of it replaced.
    Wrong {
        second: bool,
        place: u8,
        byte: u8,
    },
    Text(&'a str),
}

fuzz_target!(|input: Input<'_>| {
    let [first, second] = input.tokens;
    // Without a second one there is no more than one.
    let tokens = [Some(first), Some(second).filter(|token| !token.is_empty())];
    let tokens: Vec<String> = tokens.into_iter().flatten().map(str::to_owned).collect();
    let Some(clock) = input.clock.time() else { return };
    let now = if input.clock.is_before_1970 { 0 } else { input.clock.seconds.get() };
    let window = u64::from(input.window.max(1));
    let time = input.time.text(now, window);
    let sign = input.sign.text(&tokens, time.as_deref().unwrap_or_default());
    let (tokens, report_only) = match input.asks {
        Asks::Required => (tokens, false),
        Asks::ReportOnly => (tokens, true),
        Asks::Nothing => (Vec::new(), false),
    };
    let is_buildable = tokens.iter().all(|token| head::is_token(token));
    let app = AppConfig { id: 1, tokens, report_only };
    let config = Config { apps: vec![app.clone()], body_limit: 1, window };
    let verifier = match config.build() {
        Ok(verifier) => verifier,
        Err(error) => {
            assert!(!is_buildable && error.field() == "token", "{error}");
            return;
        }
    };
    assert!(is_buildable);

    let mut query = "SdkAppid=1".to_owned();
    for (key, value) in [("Sign", &sign), ("RequestTime", &time)] {
        if let Some(value) = value {
            query = format!("{query}&{key}={}", percent(value));
        }
    }
    let head = verifier.check(RequestHead::new("POST", &query).received_at(clock));
    if let Err(error) = &head
        && let Reason::Stale { seconds_ahead } = error.reason()
    {
        let time: i128 = time.as_deref().unwrap().parse().unwrap();
        let ahead = (time - i128::from(now)).clamp(i64::MIN.into(), i64::MAX.into());
        assert_eq!(i128::from(seconds_ahead), ahead);
    }
    let got = head::got(head);
    if query.len() <= 8192 {
        let found = head::signature(&app, window, sign.as_deref(), time.as_deref(), now);
        let expected = match (&input.asks, found) {
            (Asks::Required, Signature::Missing) => Err(ErrorKind::Unsigned),
            (Asks::Required, Signature::Invalid(kind)) => Err(kind),
            _ => Ok(found),
        };
        assert_eq!(got, expected);
    }

    // Said once more, of those that are made as the vendor makes them.
    if let (Sign::Right { .. }, Time::Near { place, offset, has_plus: false, zeros: 0 }) =
        (&input.sign, &input.time)
    {
        let time = place.seconds(now, window).saturating_add_signed(few(*offset));
        let is_near = now.abs_diff(time) <= window && time < 10_u64.pow(19);
        if is_near && !matches!(input.asks, Asks::Nothing) {
            assert_eq!(got, Ok(Signature::Valid));
        }
    }
});

impl Clock {
    fn time(&self) -> Option<SystemTime> {
        let distance = Duration::new(self.seconds.get(), self.nanoseconds % 1_000_000_000);
        if self.is_before_1970 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        }
    }
}

impl Seconds {
    fn get(self) -> u64 {
        match self {
            Self::OfToday(seconds) => seconds.into(),
            Self::Any(seconds) => seconds,
        }
    }
}

impl Place {
    fn seconds(self, now: u64, window: u64) -> u64 {
        match self {
            Self::Clock => now,
            Self::WindowsStart => now.saturating_sub(window),
            Self::WindowsEnd => now.saturating_add(window),
        }
    }
}

impl Time<'_> {
    fn text(&self, now: u64, window: u64) -> Option<String> {
        match self {
            Self::Absent => None,
            Self::Near { place, offset, has_plus, zeros } => {
                let time = place.seconds(now, window).saturating_add_signed(few(*offset));
                let plus = if *has_plus { "+" } else { "" };
                Some(format!("{plus}{}{time}", "0".repeat((zeros % 20).into())))
            }
            Self::Text(text) => Some((*text).to_owned()),
        }
    }
}

impl Sign<'_> {
    fn text(&self, tokens: &[String], time: &str) -> Option<String> {
        let token = |second: bool| if second { &tokens[tokens.len() - 1] } else { &tokens[0] };
        match self {
            Self::Absent => None,
            Self::Right { second, upper } => {
                let digits = head::digest(token(*second), time);
                let digit = |(place, digit): (usize, char)| {
                    if upper >> place & 1 == 1 { digit.to_ascii_uppercase() } else { digit }
                };
                Some(digits.chars().enumerate().map(digit).collect())
            }
            Self::Wrong { second, place, byte } => {
                let mut digits = head::digest(token(*second), time).into_bytes();
                digits[usize::from(place % 64)] = byte % 128;
                String::from_utf8(digits).ok()
            }
            Self::Text(text) => Some((*text).to_owned()),
        }
    }
}

/// Most of all the seconds at an edge and next to it.
fn few(offset: i8) -> i64 {
    (offset / 32).into()
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}
