//! The response packet of 647/68940, as far as an answer is one.

use serde_json::Value;

use crate::out::plain;

/// The packet's fields, all of them required, with what each holds.
const FIELDS: [(&str, &str); 3] =
    [("ActionStatus", "a text"), ("ErrorInfo", "a text"), ("ErrorCode", "a number")];

/// The longest name of a peer's that is repeated, in characters.
const MAX_NAME: usize = 40;

/// An answer that is JSON.
pub(crate) struct Packet(Value);

impl Packet {
    /// Reads an answer's body; `None` if it is not JSON.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok().map(Self)
    }

    /// Whether it says so itself; Tencent's sibling products count that as a failure too.
    pub(crate) fn is_failure(&self) -> bool {
        let code = self.0.get("ErrorCode").and_then(Value::as_i64);
        code.is_some_and(|code| code != 0)
            || self.word("ActionStatus").is_some_and(|status| status == "FAIL")
    }

    /// Its status and its text, in one line.
    pub(crate) fn text(&self) -> String {
        let code = self.0.get("ErrorCode").and_then(Value::as_i64).filter(|code| *code != 0);
        let info = self.word("ErrorInfo").filter(|info| !info.is_empty()).map(plain);
        let status = self.word("ActionStatus").map(plain);
        let detail = info.or_else(|| code.map(|code| code.to_string().into()));
        [status, detail].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    fn word(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str()
    }

    /// What is not as documented, a sentence for each.
    pub(super) fn oddities(&self) -> Vec<String> {
        let Value::Object(fields) = &self.0 else {
            return vec![format!("the body is {}, not an object", what(&self.0))];
        };
        let wrapper = fields.iter().find(|(_, inner)| FIELDS.iter().any(|(f, _)| has(inner, f)));
        if let Some((key, _)) = wrapper.filter(|_| !FIELDS.iter().any(|(f, _)| has(&self.0, f))) {
            return vec![format!("the acknowledgement is inside {}", name(key))];
        }
        let mut odd: Vec<String> =
            FIELDS.into_iter().filter_map(|(field, kind)| self.oddity(field, kind)).collect();
        match self.word("ActionStatus") {
            Some("OK") if self.is_failure() => {
                odd.push("`ActionStatus` is OK, and `ErrorCode` is not 0".to_owned());
            }
            Some("FAIL") if self.0.get("ErrorCode").and_then(Value::as_i64) == Some(0) => {
                odd.push("`ActionStatus` is FAIL, and `ErrorCode` is 0".to_owned());
            }
            Some("OK" | "FAIL") | None => {}
            Some(_) => odd.push("`ActionStatus` is neither OK nor FAIL".to_owned()),
        }
        odd
    }

    fn oddity(&self, field: &str, kind: &str) -> Option<String> {
        let Some(value) = self.0.get(field) else {
            return Some(match self.0.as_object()?.keys().find(|key| is_meant(key, field)) {
                Some(key) => format!("`{field}` is spelt {}", name(key)),
                None => format!("`{field}` is missing"),
            });
        };
        let is_whole = !value.is_number() || value.is_i64();
        let found = if is_whole { what(value) } else { "a fraction" };
        (found != kind).then(|| format!("`{field}` is {found}, not {kind}"))
    }
}

/// Whether an object has this field, however it is spelt.
fn has(value: &Value, field: &str) -> bool {
    value.as_object().is_some_and(|fields| fields.keys().any(|key| is_meant(key, field)))
}

/// Whether a key is a field's in another spelling: `errorCode`, `error_code`.
fn is_meant(key: &str, field: &str) -> bool {
    key.replace(['_', '-', ' '], "").eq_ignore_ascii_case(field)
}

/// A peer's key as it may be shown.
fn name(key: &str) -> String {
    format!("`{}`", plain(&key.chars().take(MAX_NAME).collect::<String>()))
}

const fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_as_documented_is_told() {
        for (body, expected) in [
            (r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#, &[][..]),
            (r#"{"ActionStatus":"FAIL","ErrorInfo":"no","ErrorCode":-1,"More":[]}"#, &[]),
            (
                r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":"0"}"#,
                &["`ErrorCode` is a text, not a number"],
            ),
            (
                r#"{"action_status":"OK","ErrorCode":0}"#,
                &["`ActionStatus` is spelt `action_status`", "`ErrorInfo` is missing"],
            ),
            (
                r#"{"code":0,"data":{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}}"#,
                &["the acknowledgement is inside `data`"],
            ),
            (
                r#"{"ActionStatus":"ok","ErrorInfo":null,"ErrorCode":0.5}"#,
                &[
                    "`ErrorInfo` is null, not a text",
                    "`ErrorCode` is a fraction, not a number",
                    "`ActionStatus` is neither OK nor FAIL",
                ],
            ),
            (
                r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":7}"#,
                &["`ActionStatus` is OK, and `ErrorCode` is not 0"],
            ),
            (
                r#"{"ActionStatus":"FAIL","ErrorInfo":"","ErrorCode":0}"#,
                &["`ActionStatus` is FAIL, and `ErrorCode` is 0"],
            ),
            ("[]", &["the body is a list, not an object"]),
        ] {
            assert_eq!(Packet::read(body.as_bytes()).unwrap().oddities(), expected, "{body}");
        }
    }
}
