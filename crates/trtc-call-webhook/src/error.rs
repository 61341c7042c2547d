//! Why a request is refused: the kinds, their answers, and the error that carries one.

use std::fmt;
use std::sync::Arc;

use crate::answer::{Answer, refusal_body};

mod reason;

pub use reason::Reason;

/// Writes the table of refusals once: kind, HTTP status and text.
macro_rules! error_kinds {
    ($($(#[$doc:meta])* $kind:ident, $status:literal, $text:literal;)*) => {
        /// What is wrong with a request, one kind for each check that can fail.
        ///
        /// The order is the order of the checks. The caller is told less than this: a foreign app
        /// and every kind of bad signature get the same bytes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$doc])* $kind,)*
        }

        impl ErrorKind {
            /// Every kind, in the order of the checks.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The HTTP status of the answer.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$kind => $status,)* }
            }

            /// The `ErrorInfo` of the answer: a constant that echoes nothing of the request.
            const fn error_info(self) -> &'static str {
                match self { $(Self::$kind => $text,)* }
            }

            const fn body(self) -> &'static str {
                match self { $(Self::$kind => refusal_body!($text, $status),)* }
            }
        }
    };
}

error_kinds! {
    /// The server that the webhook is part of is set up wrongly. All other kinds are the peer's fault.
    Misconfigured, 500, "receiver not configured";
    /// The method is not `POST`.
    MethodNotAllowed, 405, "method not allowed";
    /// The query is too long, not UTF-8, gives a parameter twice with different values, or has no
    /// SDKAppID in plain decimal.
    MalformedQuery, 400, "malformed query";
    /// The SDKAppID is none of the verifier's apps.
    ForeignApp, 403, "forbidden";
    /// A signature is required, and neither `Sign` nor `RequestTime` is there.
    Unsigned, 403, "forbidden";
    /// `Sign` or `RequestTime` is missing, malformed, or made with another token.
    BadSignature, 403, "forbidden";
    /// The signature is right, but its time is further from now than the replay window.
    StaleSignature, 403, "forbidden";
    /// The body is, or says it is, longer than the limit.
    BodyTooLarge, 413, "body too large";
    /// The body did not arrive whole.
    UnreadableBody, 400, "unreadable body";
    /// The body is not one JSON object in UTF-8, gives one of our keys twice, or has an escaped lone
    /// surrogate or a number beyond a double in a known field.
    MalformedBody, 400, "malformed body";
    /// The command in the URL and the one in the body differ, or both are missing.
    CommandMismatch, 400, "command mismatch";
    /// The event has no call id.
    NoCallId, 422, "no call id";
}

impl ErrorKind {
    /// Its place in [`ALL`](Self::ALL).
    pub(crate) fn number(self) -> usize {
        Self::ALL.iter().position(|kind| *kind == self).unwrap_or(Self::ALL.len())
    }

    /// The answer to a request that is refused for this reason.
    #[must_use]
    pub const fn answer(self) -> Answer {
        Answer::refusal(self.status(), self.body(), matches!(self, Self::MethodNotAllowed))
    }

    /// The kind's name, for a log or a label of a metric; unlike the answer it tells a foreign app and
    /// the kinds of bad signature apart.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Misconfigured => "misconfigured",
            Self::ForeignApp => "foreign app",
            Self::Unsigned => "unsigned",
            Self::BadSignature => "bad signature",
            Self::StaleSignature => "stale signature",
            other => other.error_info(),
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A request was refused.
///
/// It tells the operator what was wrong and holds nothing that the request held: no token, no
/// signature, no query, no body. [`answer`](Self::answer) is what the caller may know. Only the
/// `source` of a body that did not arrive is the transport's own, in its own words, which neither
/// `Display` nor `Debug` shows.
#[derive(Clone)]
pub struct Error {
    reason: Reason,
    position: Option<Position>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// Where in the body the parser stopped: the line from 1, and the column in it, 0 before its first.
#[derive(Clone, Copy, Debug)]
struct Position {
    line: usize,
    column: usize,
}

impl Error {
    pub(crate) const fn new(reason: Reason) -> Self {
        Self { reason, position: None, source: None }
    }

    /// The body did not arrive, and `source` is what the transport said.
    pub(crate) fn transport(source: Box<dyn std::error::Error + Send + Sync>) -> Self {
        Self { source: Some(Arc::from(source)), ..Self::new(Reason::BodyBroken) }
    }

    /// The body is not what the JSON parser takes. Only the place is kept of `error`, since its
    /// text may quote the body.
    pub(crate) fn json(error: &serde_json::Error) -> Self {
        let reason = match error.classify() {
            serde_json::error::Category::Eof => Reason::JsonEndsEarly,
            serde_json::error::Category::Data => Reason::UnreadableField,
            _ => Reason::NotJson,
        };
        // What is found once a whole value is read is reported before the first column.
        let position = Position { line: error.line(), column: error.column() };
        let position = Some(position).filter(|at| (at.line, at.column) > (1, 0));
        Self { position, ..Self::new(reason) }
    }

    /// Which check failed.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.reason.kind()
    }

    /// Why it failed.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// What to send back.
    #[must_use]
    pub const fn answer(&self) -> Answer {
        self.kind().answer()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind(), self.reason)?;
        match self.position {
            Some(Position { line, column }) => write!(f, " at line {line} column {column}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    /// Leaves the source out: a transport's error may quote what it read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("reason", &self.reason)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    /// What the transport said of a body that did not arrive.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source: &(dyn std::error::Error + 'static) = self.source.as_deref()?;
        Some(source)
    }
}

#[cfg(test)]
mod tests {
    use crate::{CallEnded, Command, decode};

    fn reason(body: &str) -> String {
        decode::<CallEnded>(Some(&Command::CallEnded), body.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn the_place_where_the_json_ends_or_breaks_is_told() {
        assert_eq!(reason("{"), "malformed body: the JSON ends too early at line 1 column 1");
        assert_eq!(reason("{}\n }"), "malformed body: it is not JSON at line 2 column 2");
    }

    #[test]
    fn no_place_is_told_where_the_parser_knows_none() {
        for body in ["[]", r#"{"CallRecord":{"CallId":"a","CallId":"a"}}"#] {
            assert!(!reason(body).contains("column 0"), "{}", reason(body));
        }
    }
}
