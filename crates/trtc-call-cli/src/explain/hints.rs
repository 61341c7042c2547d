//! What to do about a row that fails.
//!
//! Neither a token, nor a `Sign`, nor the text of a query is ever repeated.

mod body;
mod head;
mod signature;

pub(super) use self::body::command_in;
use super::judge::Case;
use trtc_call_webhook::{Error, ErrorKind, Reason};

/// The longest name that is repeated, in bytes.
const MAX_NAME: usize = 64;

/// What helps with an error of this request.
pub(super) fn of(case: &Case<'_>, error: &Error) -> Vec<String> {
    match error.kind() {
        ErrorKind::MalformedBody => body::malformed(case, error),
        _ => of_reason(case, error.reason()),
    }
}

/// What helps where the reason is all that is known.
pub(super) fn of_reason(case: &Case<'_>, reason: Reason) -> Vec<String> {
    match (reason.kind(), reason) {
        (ErrorKind::MethodNotAllowed, _) => head::method(case),
        (ErrorKind::MalformedQuery, reason) => head::query(case, reason),
        (ErrorKind::ForeignApp, _) => head::app(case),
        (ErrorKind::Unsigned, _) => signature::missing(case),
        (ErrorKind::BadSignature, reason) => signature::bad(case, reason),
        (_, Reason::Stale { seconds_ahead }) => signature::stale(case, seconds_ahead),
        (ErrorKind::BodyTooLarge, _) => body::too_large(case),
        (ErrorKind::UnreadableBody, _) => body::unreadable(case),
        (ErrorKind::CommandMismatch, _) => body::mismatch(case),
        (ErrorKind::NoCallId, _) => body::no_call_id(case),
        _ => Vec::new(),
    }
}

/// A name that may be shown: letters alone, with dots and underscores between them. Whatever else
/// stands in its place may be more than a name.
pub(super) fn shown(name: &str) -> Option<&str> {
    let is_plain = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'_');
    (name.len() <= MAX_NAME && name.bytes().all(is_plain) && name.contains('.')).then_some(name)
}
