//! What an operator is told. Every line is here, and none holds anything of a request.
//!
//! Refusals log at debug, so that a scanner cannot fill a disk, but the first of each kind at a
//! verifier logs at warn: a roll-out that refuses or drops everything must not be silent.

use crate::error::{Error, Reason};
use crate::event::Command;

/// One line, with fields for whoever counts or filters.
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

/// What a verifier has logged before.
#[derive(Debug, Default)]
pub(crate) struct Log {
    refused: Seen,
    reported: Seen,
    not_taken: Seen,
}

impl Log {
    /// A request is refused. `is_authentic` says that a signature was checked, and so that the
    /// loss is real: then every refusal is a warning.
    pub(crate) fn refused(&self, error: &Error, is_authentic: bool) {
        let (kind, status) = (error.kind().as_str(), error.kind().status());
        if is_authentic {
            log!(WARN, { kind = kind, status = status }, "signed callback refused: {error}");
        } else if self.refused.is_first(error.kind().number()) {
            log!(
                WARN,
                { kind = kind, status = status },
                "callback refused (the next of this kind log at debug): {error}"
            );
        } else {
            log!(DEBUG, { kind = kind, status = status }, "callback refused: {error}");
        }
    }

    /// A request passes, but would be refused if its app required a signature.
    pub(crate) fn reported(&self, reason: Reason) {
        let kind = reason.kind().as_str();
        if self.reported.is_first(reason.kind().number()) {
            log!(
                WARN,
                { kind = kind },
                "callback taken that would be refused (the next of this kind log at debug): {reason}"
            );
        } else {
            log!(DEBUG, { kind = kind }, "callback taken that would be refused: {reason}");
        }
    }

    /// An authentic callback is acknowledged although no handler takes its command.
    pub(crate) fn not_taken(&self, command: &Command) {
        let number = Command::KNOWN.iter().position(|known| known == command);
        // What is not one of the vendor's words may be anybody's text.
        let name = number.map_or("a command that is not known", |_| command.as_str());
        if self.not_taken.is_first(number.unwrap_or(Command::KNOWN.len())) {
            log!(
                WARN,
                { command = name },
                "callback acknowledged but no handler takes it (the next log at debug): {name}"
            );
        } else {
            log!(
                DEBUG,
                { command = name },
                "callback acknowledged but no handler takes it: {name}"
            );
        }
    }
}

/// The server is set up wrongly.
pub(crate) fn misconfigured(error: &Error) {
    let (kind, status) = (error.kind().as_str(), error.kind().status());
    log!(ERROR, { kind = kind, status = status }, "{error}");
}

/// A set of small numbers that remembers.
#[derive(Debug, Default)]
struct Seen(std::sync::atomic::AtomicU32);

impl Seen {
    fn is_first(&self, number: usize) -> bool {
        use std::sync::atomic::Ordering::Relaxed;
        let bit = u32::try_from(number).ok().and_then(|number| 1_u32.checked_shl(number));
        // A look before the write keeps a flood of refusals off the shared cache line.
        bit.is_some_and(|bit| {
            self.0.load(Relaxed) & bit == 0 && self.0.fetch_or(bit, Relaxed) & bit == 0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn only_the_first_of_a_number_is_first() {
        let seen = Seen::default();
        for number in [0, 11, 31] {
            assert!(seen.is_first(number));
            assert!(!seen.is_first(number));
        }
        assert!(!seen.is_first(32), "a number that does not fit is never first");
    }

    #[test]
    fn every_kind_has_a_number_of_its_own_that_fits() {
        let numbers: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.number()).collect();
        assert_eq!(numbers, (0..ErrorKind::ALL.len()).collect::<Vec<_>>());
        assert!(ErrorKind::ALL.len() <= 32);
    }
}
