//! Why a call of the API failed.

use std::borrow::Cow;
use std::fmt;

use crate::Code;

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No connection, or it was lost before the answer was whole.
    Transport,
    /// No whole answer in time.
    TimedOut,
    /// The answer is not what the vendor documents: not JSON, too long, another HTTP status than 200.
    Answer,
    /// The vendor answered with a code: [`Error::code`].
    Refused,
}

/// A call of the API failed.
///
/// It holds no URL, no UserSig and no body: only the vendor's code, request id and `ErrorInfo`, in which
/// control characters are escaped and the request's secrets cut out.
#[derive(Debug)]
pub struct Error(Box<Parts>);

#[derive(Debug)]
struct Parts {
    kind: ErrorKind,
    what: Cow<'static, str>,
    status: Option<u16>,
    code: Option<Code>,
    request_id: Option<String>,
    is_transient: bool,
    /// Whether the vendor cannot have seen the request.
    is_unsent: bool,
}

impl Error {
    fn new(kind: ErrorKind, what: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts {
            kind,
            what: what.into(),
            status: None,
            code: None,
            request_id: None,
            is_transient: false,
            is_unsent: false,
        }))
    }

    /// No connection could be made. Where it cannot be trusted it does not pass by itself.
    pub(crate) fn no_connection(cause: String, is_untrusted: bool) -> Self {
        let mut error = Self::new(ErrorKind::Transport, cause);
        error.0.is_transient = !is_untrusted;
        error.0.is_unsent = true;
        error
    }

    /// The connection broke while the request or its answer was under way.
    pub(crate) fn broken(cause: String) -> Self {
        let mut error = Self::new(ErrorKind::Transport, cause);
        error.0.is_transient = true;
        error
    }

    pub(crate) fn timed_out() -> Self {
        let mut error = Self::new(ErrorKind::TimedOut, "");
        error.0.is_transient = true;
        error
    }

    /// The HTTP status is not 200.
    pub(crate) fn http_status(status: u16) -> Self {
        let mut error = Self::new(ErrorKind::Answer, format!("HTTP status {status}"));
        error.0.status = Some(status);
        error.0.is_transient = status == 429 || status >= 500;
        error
    }

    /// The answer is not as documented.
    pub(crate) fn answer(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Answer, what)
    }

    /// The vendor answered with this code and `ErrorInfo`.
    pub(crate) fn refused(code: Code, info: String) -> Self {
        let mut error = Self::new(ErrorKind::Refused, info);
        error.0.code = Some(code);
        error.0.is_transient = code.is_transient();
        error
    }

    pub(crate) fn with_request_id(mut self, request_id: Option<String>) -> Self {
        self.0.request_id = request_id;
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The vendor's code, where it refused.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        self.0.code
    }

    /// The vendor's own words on why it refused: its `ErrorInfo`, at most 256 bytes of it.
    #[must_use]
    pub fn info(&self) -> Option<&str> {
        Some(&*self.0.what).filter(|info| self.0.code.is_some() && !info.is_empty())
    }

    /// The vendor's id of the request, which its support asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The HTTP status of the answer, where it is not 200.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Whether it may pass by itself.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.0.is_transient
    }

    /// Whether it says that requests come too often: 60007, 60011, 60018, 60019 or HTTP 429.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.0.code.is_some_and(Code::is_rate_limit) || self.0.status == Some(429)
    }

    /// Whether another question would fare no better: the vendor is away, or refuses whoever asks, or so many
    /// requests. Otherwise the question itself may be at fault.
    #[must_use]
    pub fn concerns_all(&self) -> bool {
        match self.0.kind {
            ErrorKind::Transport | ErrorKind::TimedOut => true,
            ErrorKind::Answer => self.0.is_transient,
            ErrorKind::Refused => self.0.code.is_some_and(Code::concerns_all),
        }
    }

    /// Whether the vendor has not done what the request asks for, and said so, or cannot have seen it.
    pub(crate) fn is_not_done(&self) -> bool {
        self.is_rate_limited() || self.0.is_unsent
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { kind, what, code, .. } = &*self.0;
        match (kind, code) {
            (ErrorKind::Transport, _) if self.0.is_unsent => {
                write!(f, "no connection to the vendor: {what}")
            }
            (ErrorKind::Transport, _) => write!(f, "the connection to the vendor broke: {what}"),
            (ErrorKind::TimedOut, _) => f.write_str("no whole answer of the vendor in time"),
            (_, None) => write!(f, "the vendor's answer is not as documented: {what}"),
            (_, Some(code)) => {
                write!(f, "the vendor refused with code {code}")?;
                if let Some(meaning) = code.meaning() {
                    write!(f, ", {meaning}")?;
                }
                self.info().map_or(Ok(()), |info| write!(f, ": {info}"))
            }
        }?;
        self.request_id().map_or(Ok(()), |id| write!(f, " (request id {id})"))
    }
}

impl std::error::Error for Error {}
