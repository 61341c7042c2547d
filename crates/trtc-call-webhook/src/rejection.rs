//! Why a handler does not run.

use std::fmt;

use crate::answer::{Ack, Answer};
use crate::error::{Error, ErrorKind};

/// Why a handler does not run, for adapters whose framework takes that for one thing.
///
/// Either the request is refused, and there is an [`error`](Self::error), or the callback is
/// authentic but the handler does not take its command: then the answer is the acknowledgement.
#[derive(Clone, Debug)]
pub struct Rejection(Reason);

#[derive(Clone, Debug)]
enum Reason {
    Refused(Error),
    NotTaken(Ack),
}

impl Rejection {
    /// Which check failed; `None` if the callback is acknowledged without the handler.
    #[must_use]
    pub fn kind(&self) -> Option<ErrorKind> {
        self.error().map(Error::kind)
    }

    /// What was wrong, told to the operator; `None` if the callback is acknowledged without the
    /// handler.
    #[must_use]
    pub const fn error(&self) -> Option<&Error> {
        match &self.0 {
            Reason::Refused(error) => Some(error),
            Reason::NotTaken(_) => None,
        }
    }

    /// What to send back.
    #[must_use]
    pub fn answer(&self) -> Answer {
        match &self.0 {
            Reason::Refused(error) => error.answer(),
            Reason::NotTaken(ack) => ack.clone().answer(),
        }
    }

    /// The body of the answer.
    #[must_use]
    pub fn body_text(&self) -> String {
        String::from_utf8_lossy(self.answer().body()).into_owned()
    }
}

impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        Self(Reason::Refused(error))
    }
}

/// The acknowledgement of a callback that no handler takes.
impl From<Ack> for Rejection {
    fn from(ack: Ack) -> Self {
        Self(Reason::NotTaken(ack))
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Reason::Refused(error) => error.fmt(f),
            Reason::NotTaken(_) => f.write_str("the handler does not take this command"),
        }
    }
}

impl std::error::Error for Rejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error()?.source()
    }
}
