//! What Tencent reads back: the acknowledgement, a handler's failure, a refusal.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Serialize;

/// The longest body of a failure that a handler answers, in bytes.
const MAX_FAILURE_BODY: usize = 1024;

const ACKNOWLEDGEMENT: &str = r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#;

/// The body of a refusal, put together by the compiler.
macro_rules! refusal_body {
    ($error_info:literal, $error_code:literal) => {
        concat!(
            r#"{"ActionStatus":"FAIL","ErrorInfo":""#,
            $error_info,
            r#"","ErrorCode":"#,
            $error_code,
            "}"
        )
    };
}
pub(crate) use refusal_body;

/// A complete answer, for an adapter to turn into its framework's response.
///
/// Nothing but status, `content-type`, `allow` and body belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    allow: Option<&'static str>,
    body: Bytes,
}

impl Answer {
    pub(crate) const fn refusal(status: u16, body: &'static str, allow_post: bool) -> Self {
        let allow = if allow_post { Some("POST") } else { None };
        Self { status, allow, body: Bytes::from_static(body.as_bytes()) }
    }

    pub(crate) const fn acknowledgement() -> Self {
        Self { status: 200, allow: None, body: Bytes::from_static(ACKNOWLEDGEMENT.as_bytes()) }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The value of the `content-type` header, the same for every answer.
    #[must_use]
    pub const fn content_type(&self) -> &'static str {
        "application/json"
    }

    /// The value of the `allow` header; only an answer with status 405 has one.
    #[must_use]
    pub const fn allow(&self) -> Option<&'static str> {
        self.allow
    }

    /// The body: JSON of at most 1024 bytes. Constant for everything but a handler's failure.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body by value.
    #[must_use]
    pub fn into_body(self) -> Bytes {
        self.body
    }
}

/// What a handler tells Tencent.
///
/// Adapters wrap this in a type of their own that their framework takes as a response.
///
/// ```
/// use trtc_call_webhook::Ack;
///
/// let ok = Ack::ok().answer();
/// assert_eq!(ok.status(), 200);
/// assert_eq!(ok.body(), r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#);
///
/// let fail = Ack::fail(7, "the database is away").answer();
/// assert_eq!(fail.status(), 500);
/// assert_eq!(
///     fail.body(),
///     r#"{"ActionStatus":"FAIL","ErrorInfo":"the database is away","ErrorCode":7}"#
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an acknowledgement does nothing until it is answered"]
pub struct Ack(Answer);

impl Ack {
    /// The event is kept: HTTP 200, `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}`.
    ///
    /// Does not allocate. The response packet of 647/68940.
    pub const fn ok() -> Self {
        Self(Answer::acknowledgement())
    }

    /// The event could not be kept: HTTP 500 with `ActionStatus` `FAIL`.
    ///
    /// `error_code` is a number of the server's own; 0 would tell Tencent to ignore the failure,
    /// so it is answered as 1. `error_info` is read by people; it is cut at a character boundary
    /// so that the body has at most 1024 bytes.
    ///
    /// Whether Tencent tries again is not documented for Call. Its sibling products count either
    /// sign, a status other than 200 or a code other than 0, as a failure; this gives both.
    pub fn fail(error_code: i32, error_info: impl Into<Cow<'static, str>>) -> Self {
        let error_code = if error_code == 0 { 1 } else { error_code };
        let body = failure_body(error_code, &error_info.into());
        Self(Answer { status: 500, allow: None, body: Bytes::from(body) })
    }

    /// What to send back.
    #[must_use]
    pub fn answer(self) -> Answer {
        self.0
    }
}

impl Default for Ack {
    fn default() -> Self {
        Self::ok()
    }
}

/// The packet of 647/68940, in the order in which its sample has the fields.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct FailureBody<'a> {
    action_status: &'static str,
    error_info: &'a str,
    error_code: i32,
}

/// The failure's JSON with as much of `error_info` as fits; escapes count as what they take.
fn failure_body(error_code: i32, error_info: &str) -> Vec<u8> {
    let body = |error_info| {
        let packet = FailureBody { action_status: "FAIL", error_info, error_code };
        // Writing strings and a number to memory has no way to fail.
        serde_json::to_vec(&packet).unwrap_or_default()
    };
    let whole = body(error_info.get(..MAX_FAILURE_BODY).unwrap_or(error_info));
    if error_info.len() <= MAX_FAILURE_BODY && whole.len() <= MAX_FAILURE_BODY {
        return whole;
    }
    // A longer prefix never makes a shorter body, so the last one that fits can be searched for.
    let prefixes: Vec<&str> = error_info
        .char_indices()
        .map(|(start, _)| start)
        .take_while(|start| *start <= MAX_FAILURE_BODY)
        .filter_map(|end| error_info.get(..end))
        .collect();
    let fitting = prefixes.partition_point(|prefix| body(prefix).len() <= MAX_FAILURE_BODY);
    let longest = fitting.checked_sub(1).and_then(|last| prefixes.get(last));
    body(longest.copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_info(ack: Ack) -> String {
        let body: serde_json::Value = serde_json::from_slice(ack.answer().body()).unwrap();
        body["ErrorInfo"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_code_of_zero_is_never_a_failure() {
        assert_eq!(
            Ack::fail(0, "x").answer().body(),
            r#"{"ActionStatus":"FAIL","ErrorInfo":"x","ErrorCode":1}"#
        );
        assert_eq!(
            Ack::fail(i32::MIN, "").answer().body(),
            r#"{"ActionStatus":"FAIL","ErrorInfo":"","ErrorCode":-2147483648}"#
        );
    }

    #[test]
    fn a_failure_is_cut_at_a_character_so_that_its_body_has_at_most_1024_bytes() {
        for character in ["a", "\"", "\u{1}", "é", "令", "🎉"] {
            for length in [0, 1, 150, 158, 159, 160, 480, 950, 957, 958, 959, 1023, 1024, 5000] {
                let text = character.repeat(length);
                let ack = Ack::fail(12345, text.clone());
                let size = ack.clone().answer().body().len();
                let kept = error_info(ack);
                assert!(size <= 1024, "{character:?} x {length}: {size}");
                assert!(text.starts_with(&kept));
                if kept.len() < text.len() {
                    let longer = error_info_size(&text[..kept.len() + character.len()]);
                    assert!(longer > 1024, "{character:?} x {length} was cut too early");
                }
            }
        }
    }

    fn error_info_size(text: &str) -> usize {
        let text = serde_json::to_string(text).unwrap();
        format!(r#"{{"ActionStatus":"FAIL","ErrorInfo":{text},"ErrorCode":12345}}"#).len()
    }
}
