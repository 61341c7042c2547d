//! What all of the vendor's answers have in common (647/68926).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::redact::Secrets;
use crate::{Code, Error};

/// The most of an `ErrorInfo` and of a `RequestId` that is kept, in bytes.
const MAX_INFO: usize = 256;
const MAX_REQUEST_ID: usize = 128;

/// An answer that says that all went well.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) request_id: Option<String>,
    response: Option<Box<RawValue>>,
    /// Only `GetIPList` has it, beside the others.
    ip_list: Option<Box<RawValue>>,
}

/// The fields are as lenient as those of a callback: what they are is looked at later.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", bound(deserialize = "'de: 'a"))]
struct Wire<'a> {
    #[serde(borrow)]
    action_status: Option<&'a RawValue>,
    error_info: Option<&'a RawValue>,
    error_code: Option<&'a RawValue>,
    request_id: Option<&'a RawValue>,
    response: Option<Box<RawValue>>,
    #[serde(rename = "IPList")]
    ip_list: Option<Box<RawValue>>,
}

impl Reply {
    /// Reads an answer. It says that the call failed by its code, by its status, or by both.
    pub(crate) fn read(body: &[u8], secrets: Secrets<'_>) -> Result<Self, Error> {
        let text = std::str::from_utf8(body).map_err(|_| Error::answer("it is not UTF-8"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        // A derived struct takes an array too.
        if !text.trim_ascii_start().starts_with('{') {
            return Err(Error::answer("it is not a JSON object"));
        }
        // What the parser says may quote the answer.
        let wire: Wire<'_> = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Error::answer(format!("it is not JSON at line {line} column {column}"))
        })?;
        let request_id = wire.request_id.and_then(self::text);
        let request_id = request_id.map(|id| secrets.redact(&id, MAX_REQUEST_ID));
        let (code, status) =
            (wire.error_code.map(integer), wire.action_status.and_then(self::text));
        let is_failure = |status: &String| !status.is_empty() && !status.eq_ignore_ascii_case("OK");
        let failed = status.as_ref().is_some_and(is_failure);
        match code {
            Some(None) => Err(Error::answer("its ErrorCode is no number")),
            None if !failed && status.is_none() => {
                Err(Error::answer("it has neither ErrorCode nor ActionStatus"))
            }
            Some(Some(0)) | None if !failed => {
                let Wire { response, ip_list, .. } = wire;
                return Ok(Self { request_id, response, ip_list });
            }
            _ => {
                let info = wire.error_info.and_then(self::text).unwrap_or_default();
                let code = Code(code.flatten().unwrap_or_default());
                Err(Error::refused(code, secrets.redact(&info, MAX_INFO)))
            }
        }
        .map_err(|error| error.with_request_id(request_id))
    }

    /// The `Response`, as an object.
    pub(crate) fn response<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        let response = self.response.as_deref().filter(|raw| raw.get().starts_with('{'));
        let Some(response) = response else {
            return Err(self.not_as_documented("it has no Response"));
        };
        let unreadable = |_| self.not_as_documented("its Response cannot be read");
        serde_json::from_str(response.get()).map_err(unreadable)
    }

    /// The texts of the `IPList`.
    pub(crate) fn ip_list(&self) -> Result<Vec<String>, Error> {
        let Some(list) = &self.ip_list else {
            return Err(self.not_as_documented("it has no IPList"));
        };
        Ok(texts(list))
    }

    /// The answer says that all went well and lacks what was asked for.
    pub(crate) fn not_as_documented(&self, what: &'static str) -> Error {
        Error::answer(what).with_request_id(self.request_id.clone())
    }
}

/// A text, or the digits of a number.
pub(crate) fn text(raw: &RawValue) -> Option<String> {
    match raw.get().as_bytes() {
        [b'"', ..] => serde_json::from_str(raw.get()).ok(),
        [b'-' | b'0'..=b'9', ..] => Some(raw.get().to_owned()),
        _ => None,
    }
}

/// A whole number, or a text of its digits.
pub(crate) fn integer(raw: &RawValue) -> Option<i64> {
    text(raw)?.parse().ok()
}

/// The texts of a list; one text alone is a list of one, and what is no text is skipped.
pub(crate) fn texts(raw: &RawValue) -> Vec<String> {
    match serde_json::from_str::<Vec<&RawValue>>(raw.get()) {
        Ok(list) => list.into_iter().filter_map(text).collect(),
        Err(_) => text(raw).into_iter().collect(),
    }
}
