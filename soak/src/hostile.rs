//! What Tencent would not send.

use std::time::{Duration, SystemTime};

use conformance::example::TOKEN;
use conformance::raw;
use trtc_call_webhook::Token;
use trtc_call_webhook::sender::Request;

use crate::callback::{Expected, body_of, written};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hostile {
    /// For an app that is not served, its query otherwise in order.
    ForeignApp,
    /// Signed with another token.
    WrongSignature,
    /// Signed an hour ago.
    Stale,
    /// Signed for the next hour.
    Early,
    Unsigned,
    /// Signed, but the body lacks its last byte.
    Malformed,
    /// Signed, but the URL has another command than the body.
    Mismatch,
    /// Signed, but the call has no id.
    NoCallId,
    /// Signed; a body above the limit is announced, and not sent.
    TooLarge,
    /// Signed, but no `POST`.
    Get,
    /// No HTTP.
    Garbage,
    /// TLS, where none is spoken.
    Tls,
    /// Signed; the client goes away before it has sent the last byte.
    CutOff,
    /// Signed and whole; the client goes away before the answer.
    GoesAway,
}

impl Hostile {
    pub(crate) const ALL: [Self; 14] = [
        Self::ForeignApp,
        Self::WrongSignature,
        Self::Stale,
        Self::Early,
        Self::Unsigned,
        Self::Malformed,
        Self::Mismatch,
        Self::NoCallId,
        Self::TooLarge,
        Self::Get,
        Self::Garbage,
        Self::Tls,
        Self::CutOff,
        Self::GoesAway,
    ];

    /// What is sent instead of a request that is signed and whole.
    pub(crate) fn text(self, request: Request, now: SystemTime) -> String {
        const HOUR: Duration = Duration::from_secs(3600);
        let token = Token::new(TOKEN);
        match self {
            Self::ForeignApp => written(&request).replacen("SdkAppid=1", "SdkAppid=2", 1),
            Self::WrongSignature => written(&request.signed(&Token::new("another"), now)),
            Self::Stale => written(&request.signed(&token, now - HOUR)),
            Self::Early => written(&request.signed(&token, now + HOUR)),
            Self::Unsigned => {
                let text = written(&request);
                let (start, query) = text.split_once("&Sign=").expect("a signature");
                let rest = query.split_once(' ').expect("a version").1;
                format!("{start} {rest}")
            }
            Self::Malformed => {
                let mut body = body_of(&request);
                body.pop();
                written(&request.with_body(body))
            }
            Self::Mismatch => written(&request.command("Call.CallbackAfterStartCall")),
            Self::NoCallId => {
                let body = body_of(&request).replace("\"CallId\"", "\"CallID\"");
                written(&request.with_body(body))
            }
            Self::TooLarge => raw::head(&request.query(), "Content-Length: 262145\r\n"),
            Self::Get => written(&request).replacen("POST", "GET", 1),
            Self::Garbage => format!("{}\r\n\r\n", body_of(&request)),
            Self::Tls => "\x16\x03\x01\x02\0\x01\0\x01\x7c\x03\x03".to_owned(),
            Self::CutOff => {
                let mut text = written(&request);
                text.pop();
                text
            }
            Self::GoesAway => written(&request),
        }
    }

    pub(crate) fn expected(self) -> Expected {
        let (status, text) = match self {
            Self::ForeignApp
            | Self::WrongSignature
            | Self::Stale
            | Self::Early
            | Self::Unsigned => (403, "forbidden"),
            Self::Malformed => (400, "malformed body"),
            Self::Mismatch => (400, "command mismatch"),
            Self::NoCallId => (422, "no call id"),
            Self::TooLarge => (413, "body too large"),
            Self::Get => (405, "method not allowed"),
            Self::Garbage | Self::Tls => return Expected::Refusal,
            Self::CutOff | Self::GoesAway => return Expected::Nothing,
        };
        let mut answer = raw::refusal(status, text);
        if self == Self::Get {
            answer.allow.push("POST".to_owned());
        }
        Expected::Answer(answer)
    }

    /// Whether the connection is of no more use, however the server takes it.
    pub(crate) const fn spoils_the_connection(self) -> bool {
        matches!(self, Self::TooLarge | Self::Garbage | Self::Tls)
    }
}
