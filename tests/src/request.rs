//! A request as it is sent, and the answer to it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::PATH;

/// One request, with every placeholder filled in.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method, in any case.
    pub method: String,
    /// What stands behind the `?`; empty if there is no `?`.
    pub query: String,
    /// Headers of the case's own.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// A `Content-Length` of so many bytes, of which none is ever sent.
    pub announce: Option<u64>,
}

impl Request {
    /// The request's target.
    #[must_use]
    pub fn target(&self) -> String {
        if self.query.is_empty() { PATH.to_owned() } else { format!("{PATH}?{}", self.query) }
    }

    /// The request for a framework or a client. `pieces` sends the body one byte in a frame (as
    /// far as that is quick) and does not say how long it is.
    ///
    /// # Errors
    ///
    /// What the `http` crate has against it.
    pub fn to_http(&self, pieces: bool) -> Result<http::Request<Sent>, String> {
        let mut request = http::Request::builder().method(self.method.as_str()).uri(self.target());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let body = match self.announce {
            Some(length) => {
                request = request.header(http::header::CONTENT_LENGTH, length);
                Sent::never()
            }
            None if pieces => Sent::pieces(&self.body),
            None => Sent::whole(self.body.clone()),
        };
        request.body(body).map_err(|error| error.to_string())
    }
}

/// A request's body: whole, in pieces, or one that never comes.
pub struct Sent {
    chunks: VecDeque<Bytes>,
    length: Option<u64>,
    comes: bool,
}

impl Sent {
    /// All at once, with its length known.
    #[must_use]
    pub fn whole(body: Bytes) -> Self {
        let length = u64::try_from(body.len()).ok();
        let chunks = if body.is_empty() { VecDeque::new() } else { VecDeque::from([body]) };
        Self { chunks, length, comes: true }
    }

    /// In at most 100 frames or so of about the same size, with its length unknown. HTTP/2 servers
    /// hang up on whoever sends thousands of tiny ones.
    #[must_use]
    pub fn pieces(body: &Bytes) -> Self {
        let size = (body.len() / 100).max(1);
        let chunks = body.chunks(size).map(|chunk| body.slice_ref(chunk)).collect();
        Self { chunks, length: None, comes: true }
    }

    /// Announced, and never sent.
    #[must_use]
    pub const fn never() -> Self {
        Self { chunks: VecDeque::new(), length: None, comes: false }
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.chunks.pop_front() {
            Some(chunk) => Poll::Ready(Some(Ok(Frame::data(chunk)))),
            None if self.comes => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.comes && self.length == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// The parts of an answer that are the same in every adapter.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Every `content-type`, in order.
    pub content_type: Vec<String>,
    /// Every `allow`, in order.
    pub allow: Vec<String>,
    /// Body.
    pub body: Vec<u8>,
    /// The error in the response's extensions.
    pub kind: Kind,
}

/// The kind of the error that came along with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The answer came over a socket, where no error comes along.
    OutOfSight,
    /// There is none.
    None,
    /// There is one.
    Some(String),
}

impl Kind {
    /// The kind of the error in a response's extensions.
    #[must_use]
    pub fn of(error: Option<&trtc_call_webhook::Error>) -> Self {
        error.map_or(Self::None, |error| Self::Some(error.kind().to_string()))
    }
}

impl Answer {
    /// The answer in a response whose body has been read.
    #[must_use]
    pub fn from_parts(parts: &http::response::Parts, body: &[u8], kind: Kind) -> Self {
        let all = |name| {
            let values = parts.headers.get_all(name).iter();
            values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
        };
        Self {
            status: parts.status.as_u16(),
            content_type: all(http::header::CONTENT_TYPE),
            allow: all(http::header::ALLOW),
            body: body.to_vec(),
            kind,
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} content-type {:?}", self.status, self.content_type)?;
        if !self.allow.is_empty() {
            write!(f, " allow {:?}", self.allow)?;
        }
        write!(f, " {}", String::from_utf8_lossy(&self.body))?;
        match &self.kind {
            Kind::OutOfSight => Ok(()),
            kind => write!(f, " error {kind:?}"),
        }
    }
}
