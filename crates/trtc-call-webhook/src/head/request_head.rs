//! The head of a request as it came.

use std::fmt;
use std::time::SystemTime;

/// What is known of a request before its body is read: what [`Verifier::check`] takes.
///
/// [`Verifier::check`]: crate::Verifier::check
#[derive(Clone, Copy)]
#[must_use]
pub struct RequestHead<'a> {
    pub(crate) method: &'a str,
    pub(crate) query: &'a str,
    framing: Framing,
    /// Wins over the header.
    content_length: Option<u64>,
    is_raw: bool,
    size_hint: u64,
    pub(crate) received_at: Option<SystemTime>,
}

/// How the end of a body is known.
#[derive(Clone, Copy, Default)]
pub(crate) struct Framing {
    /// The value of `Content-Length`.
    pub(crate) content_length: Option<u64>,
    /// Whether there is a `Transfer-Encoding`, which wins over the length.
    pub(crate) is_chunked: bool,
    /// Whether there is a `Content-Encoding`, which an outer layer may have undone while it kept the
    /// length.
    pub(crate) is_encoded: bool,
}

impl Framing {
    /// After how many bytes the body ends, if its head says so.
    pub(crate) fn end(self) -> Option<u64> {
        self.content_length.filter(|_| !self.is_chunked && !self.is_encoded)
    }
}

impl<'a> RequestHead<'a> {
    /// A request by its method, `POST` if it is Tencent's, and by what stands behind the first `?` of
    /// its target, undecoded; empty if there is none.
    pub const fn new(method: &'a str, query: &'a str) -> Self {
        let framing = Framing { content_length: None, is_chunked: false, is_encoded: false };
        Self {
            method,
            query,
            framing,
            content_length: None,
            is_raw: false,
            size_hint: 0,
            received_at: None,
        }
    }

    /// Reads the headers that count: `content-length`, `transfer-encoding` and `content-encoding`.
    /// `value` gives the first value of a header by its name in lower case.
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// use trtc_call_webhook::adapter::RequestHead;
    ///
    /// let headers = HashMap::from([("content-length", "31")]);
    /// let head = RequestHead::new("POST", "SdkAppid=1400000001")
    ///     .headers(|name| headers.get(name).map(|value| value.as_bytes()));
    /// # assert!(format!("{head:?}").contains("31"));
    /// ```
    pub fn headers<'h>(mut self, value: impl Fn(&'static str) -> Option<&'h [u8]>) -> Self {
        self.framing = Framing {
            content_length: value("content-length").and_then(read_length),
            is_chunked: value("transfer-encoding").is_some(),
            is_encoded: value("content-encoding").is_some(),
        };
        self
    }

    /// Sets the number of bytes that the peer announces, whatever a header says.
    pub const fn content_length(mut self, bytes: u64) -> Self {
        self.content_length = Some(bytes);
        self
    }

    /// Says that the body is as the peer sent it: a `Content-Encoding` that is there is not undone, and
    /// the announced length is that of the body.
    pub const fn body_is_raw(mut self) -> Self {
        self.is_raw = true;
        self
    }

    /// Sets the least number of bytes that the body is known to have, where the framework knows without
    /// a header.
    pub const fn size_hint(mut self, bytes: u64) -> Self {
        self.size_hint = bytes;
        self
    }

    /// Sets when the request was received; the system's clock says so otherwise.
    pub const fn received_at(mut self, time: SystemTime) -> Self {
        self.received_at = Some(time);
        self
    }

    /// Whether it announces a body that is not empty, by its length or by chunks.
    #[must_use]
    pub fn announces_body(&self) -> bool {
        let framing = self.framing();
        framing.is_chunked || framing.content_length.is_some_and(|length| length > 0)
    }

    /// How the end of its body is known.
    pub(crate) fn framing(&self) -> Framing {
        Framing {
            content_length: self.content_length.or(self.framing.content_length),
            is_encoded: self.framing.is_encoded && !self.is_raw,
            ..self.framing
        }
    }

    /// The length that the limit is held against.
    pub(crate) fn least_length(&self) -> u64 {
        self.framing().content_length.unwrap_or_default().max(self.size_hint)
    }
}

impl fmt::Debug for RequestHead<'_> {
    /// Leaves the query out: a signature may be in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", &self.method)
            .field("content_length", &self.framing().content_length)
            .finish_non_exhaustive()
    }
}

/// The value of `Content-Length`. One beyond 64 bits is the largest there is; what is no number
/// announces nothing, and is the server's to refuse.
fn read_length(value: &[u8]) -> Option<u64> {
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| is_number)?;
    Some(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_ends_where_its_length_says_unless_something_else_decides() {
        let end = |header: &'static str| {
            let value = |name| match name {
                "content-length" => Some(&b"31"[..]),
                name => (name == header).then_some(&b"x"[..]),
            };
            RequestHead::new("POST", "").headers(value).framing().end()
        };
        assert_eq!(end("upgrade"), Some(31));
        assert_eq!(end("transfer-encoding"), None);
        assert_eq!(end("content-encoding"), None);
        assert_eq!(RequestHead::new("POST", "").framing().end(), None);
    }

    #[test]
    fn what_is_said_of_the_body_holds_whichever_is_said_first() {
        let value = |name| Some(if name == "content-length" { &b"7"[..] } else { b"gzip" });
        let value = |name| (name != "transfer-encoding").then(|| value(name)).flatten();
        let head = RequestHead::new("POST", "");
        for head in [
            head.content_length(31).body_is_raw().headers(value),
            head.headers(value).body_is_raw().content_length(31),
        ] {
            assert_eq!(head.framing().end(), Some(31));
        }
    }
}
