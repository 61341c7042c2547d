//! The signature of a callback to be sent: right, or wrong on purpose.

use std::time::{Duration, SystemTime};

use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{Token, UnixSeconds};

/// How old a stale signature is: older than any window that makes sense.
const STALE: Duration = Duration::from_secs(3600);

/// How callbacks are signed.
pub(crate) enum Signature {
    /// Not at all.
    None,
    /// As Tencent does.
    Right(Token),
    /// Well-formed, but by no token.
    Wrong(Token),
    /// By the token, but an hour ago.
    Stale(Token),
}

impl Signature {
    /// Signs a request that is about to be sent.
    pub(crate) fn sign(&self, request: Request) -> Request {
        let now = SystemTime::now();
        match self {
            Self::None => request,
            Self::Right(token) => request.signed(token, now),
            Self::Wrong(token) => {
                let seconds = u64::try_from(UnixSeconds::from(now).get()).unwrap_or(0);
                let sign = another_digit(token.sign(seconds).to_hex());
                request.sign(sign).request_time(seconds.to_string())
            }
            Self::Stale(token) => request.signed(token, now.checked_sub(STALE).unwrap_or(now)),
        }
    }
}

/// Changes the last digit, so that it is surely wrong, whatever the endpoint's tokens are.
fn another_digit(mut hex: String) -> String {
    let last = if hex.pop() == Some('0') { '1' } else { '0' };
    hex.push(last);
    hex
}
