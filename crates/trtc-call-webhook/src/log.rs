//! What an operator is told. Every line is here, and none holds a token, a signature, a query or a body.
//!
//! A scanner must not fill a disk, and a roll-out that refuses everything must not be silent: of each
//! kind of line one a minute is loud, with how many there were since, and the others log at debug.

use std::sync::LazyLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use percent_encoding::utf8_percent_encode;

use crate::config::SdkAppId;
use crate::error::{Error, ErrorKind, Reason};
use crate::event::{CallResult, Command};
use crate::idempotency_key::UNSAFE_IN_COMMAND;

/// One line, with fields for whoever counts or filters; a field that is `None` is left out.
#[cfg(feature = "tracing")]
macro_rules! log {
    ($level:ident, { $($field:ident = $value:expr),* }, $message:literal) => {
        tracing::event!(
            target: "trtc_call_webhook", tracing::Level::$level, $($field = $value,)* $message
        )
    };
}

#[cfg(not(feature = "tracing"))]
macro_rules! log {
    ($level:ident, { $($field:ident = $value:expr),* }, $message:literal) => {{
        $(let _ = $value;)*
        let _ = format_args!($message);
    }};
}

/// A line that is loud where `$since` says so, and quiet otherwise.
macro_rules! log_once {
    ($level:ident, $since:expr, { $($field:ident = $value:expr),* }, $message:literal) => {
        if $since.is_some() {
            log!($level, { $($field = $value,)* since = $since }, $message);
        } else {
            log!(DEBUG, { $($field = $value),* }, $message);
        }
    };
}

/// How long a kind of line stays quiet after it was loud, in seconds.
const QUIET: u64 = 60;

/// The most of an unknown word that is logged, in bytes as it is escaped.
const MAX_WORD: usize = 64;

/// What a verifier has logged before.
#[derive(Debug, Default)]
pub(crate) struct Log {
    refused: [Throttle; KINDS],
    reported: [Throttle; KINDS],
    not_taken: [Throttle; Command::KNOWN.len()],
    unknown_command: Throttle,
    unknown_result: Throttle,
}

const KINDS: usize = ErrorKind::ALL.len();

/// What is known of a request when a line is logged about it.
#[derive(Clone, Copy, Default)]
pub(crate) struct About<'a> {
    pub(crate) app: Option<SdkAppId>,
    pub(crate) command: Option<&'a Command>,
    /// Whether its signature is right, so that what is refused is a real loss.
    pub(crate) is_signed: bool,
    /// The limit that a body goes beyond, in bytes.
    pub(crate) limit: Option<u64>,
}

impl About<'_> {
    /// The vendor's word for its command; any other may be anybody's text.
    fn command(&self) -> Option<&str> {
        self.command.map(|command| match command {
            Command::Other(_) => "unknown",
            known => known.as_str(),
        })
    }
}

impl Log {
    /// A request is refused. Behind a right signature that is a loss, and each is a warning.
    pub(crate) fn refused(&self, error: &Error, about: About<'_>) {
        let (kind, status) = (error.kind().as_str(), error.kind().status());
        let (app, command) = (about.app.map(SdkAppId::get), about.command());
        let (limit, ahead) = (about.limit, seconds_ahead(error.reason()));
        if about.is_signed {
            log!(
                WARN,
                { kind = kind, status = status, sdk_app_id = app, command = command, limit = limit },
                "signed callback refused: {error}"
            );
            return;
        }
        let since = loud(&self.refused, error.kind().number());
        log_once!(
            WARN,
            since,
            {
                kind = kind, status = status, sdk_app_id = app, command = command, limit = limit,
                seconds_ahead = ahead
            },
            "callback refused: {error}"
        );
    }

    /// A request passes, but would be refused if its app required a signature.
    pub(crate) fn reported(&self, reason: Reason, about: About<'_>) {
        let (kind, ahead) = (reason.kind().as_str(), seconds_ahead(reason));
        let (app, command) = (about.app.map(SdkAppId::get), about.command());
        let since = loud(&self.reported, reason.kind().number());
        log_once!(
            WARN,
            since,
            { kind = kind, sdk_app_id = app, command = command, seconds_ahead = ahead },
            "callback taken that would be refused: {reason}"
        );
    }

    /// A verified callback is acknowledged although no handler takes its command.
    pub(crate) fn not_taken(&self, command: &Command) {
        let Some(number) = Command::KNOWN.iter().position(|known| known == command) else {
            return self.unknown_command(command);
        };
        // Who does not take it does so on purpose: it is not said again.
        let is_first = self.not_taken.get(number).is_some_and(Throttle::is_first);
        let since = is_first.then_some(0_u64);
        log_once!(
            WARN,
            since,
            { command = command.as_str() },
            "callback acknowledged but no handler takes it: {command}"
        );
    }

    /// A verified callback has a command that this version does not know.
    pub(crate) fn unknown_command(&self, command: &Command) {
        if let Some(since) = self.unknown_command.loud(now()) {
            let command = escaped(command.as_str());
            log!(INFO, { command = &*command, since = since }, "a command that is not known");
        }
    }

    /// A call ended with a result that this version does not know.
    pub(crate) fn unknown_result(&self, result: &CallResult) {
        if let Some(since) = self.unknown_result.loud(now()) {
            let result = escaped(result.as_str());
            log!(INFO, { result = &*result, since = since }, "a result that is not known");
        }
    }
}

/// The server is set up wrongly: one of these a minute is loud, whichever route it is.
pub(crate) fn misconfigured(error: &Error) {
    static THROTTLE: Throttle = Throttle::new();
    let (kind, status) = (error.kind().as_str(), error.kind().status());
    let since = THROTTLE.loud(now());
    log_once!(ERROR, since, { kind = kind, status = status }, "{error}");
}

/// How far the time of a signature is ahead of the clock, if that is what is wrong.
const fn seconds_ahead(reason: Reason) -> Option<i64> {
    match reason {
        Reason::Stale { seconds_ahead } => Some(seconds_ahead),
        _ => None,
    }
}

/// A word that may be anybody's text, fit for a line: percent-encoded, as in an idempotency key.
fn escaped(word: &str) -> String {
    let mut escaped = String::new();
    for char in word.chars() {
        let char =
            utf8_percent_encode(char.encode_utf8(&mut [0; 4]), &UNSAFE_IN_COMMAND).to_string();
        // Room is left for the sign that it goes on.
        if escaped.len().saturating_add(char.len()) > MAX_WORD.saturating_sub('…'.len_utf8()) {
            escaped.push('…');
            break;
        }
        escaped.push_str(&char);
    }
    escaped
}

/// Seconds since the first line.
fn now() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_secs()
}

fn loud(throttles: &[Throttle], number: usize) -> Option<u64> {
    throttles.get(number)?.loud(now())
}

/// Lets one line of a kind through in a while.
#[derive(Debug, Default)]
struct Throttle {
    /// Until when it is quiet, in seconds; 0 before the first line.
    until: AtomicU64,
    /// How many lines were quiet since the last loud one.
    since: AtomicU64,
}

impl Throttle {
    const fn new() -> Self {
        Self { until: AtomicU64::new(0), since: AtomicU64::new(0) }
    }

    /// How many were quiet since the last loud line, if this one is to be loud.
    fn loud(&self, now: u64) -> Option<u64> {
        let until = self.until.load(Relaxed);
        let next = now.saturating_add(QUIET);
        let is_loud =
            until <= now && self.until.compare_exchange(until, next, Relaxed, Relaxed).is_ok();
        if !is_loud {
            self.since.fetch_add(1, Relaxed);
            return None;
        }
        Some(self.since.swap(0, Relaxed))
    }

    /// Whether this is the first line of all.
    fn is_first(&self) -> bool {
        self.until.load(Relaxed) == 0 && self.until.swap(1, Relaxed) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_loud_once_a_minute_with_how_many_there_were_since() {
        let throttle = Throttle::new();
        assert_eq!(throttle.loud(0), Some(0));
        assert_eq!(throttle.loud(0), None);
        assert_eq!(throttle.loud(59), None);
        assert_eq!(throttle.loud(60), Some(2));
        assert_eq!(throttle.loud(61), None);
        assert_eq!(throttle.loud(1000), Some(1));
    }

    #[test]
    fn only_the_first_of_all_is_first() {
        let throttle = Throttle::new();
        assert!(throttle.is_first());
        assert!(!throttle.is_first());
    }

    #[test]
    fn every_kind_has_a_number_of_its_own() {
        let numbers: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.number()).collect();
        assert_eq!(numbers, (0..ErrorKind::ALL.len()).collect::<Vec<_>>());
    }

    #[test]
    fn an_unknown_word_is_escaped_and_short() {
        assert_eq!(escaped("Call.New"), "Call.New");
        assert_eq!(escaped("a\nb\u{1b}[1m\""), "a%0Ab%1B%5B1m%22");
        for word in ["x".repeat(1000), "令".repeat(1000), "\u{1}".repeat(1000)] {
            let escaped = escaped(&word);
            assert!(escaped.len() <= MAX_WORD && escaped.ends_with('…'), "{escaped}");
        }
    }
}
