//! The API's answers (647/68926): HTTP 200 even on errors, and what went wrong as a code in the body.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::sample::new_call_id;

/// Why a request is refused. What a page does not give a code for has the one that fits best.
#[derive(Clone, Copy)]
pub(super) struct Refusal {
    pub(super) code: i64,
    /// Repeats nothing of the request.
    pub(super) text: &'static str,
}

/// Defines refusals by their codes.
macro_rules! refusals {
    ($($name:ident = $code:literal $text:literal;)*) => {
        impl Refusal {
            $(pub(super) const $name: Self = Self { code: $code, text: $text };)*
        }
    };
}

refusals! {
    NOT_HTTP = 60002 "the request must be a POST with contenttype=json";
    NOT_JSON = 60003 "the body is not a JSON object";
    NO_SIGNATURE = 60004 "there is no usersig";
    WRONG_APP = 60006 "the sdkappid is not allowed";
    WRONG_PATH = 60009 "there is no such API";
    NOT_ADMIN = 60010 "the identifier must be the app's administrator";
    NO_APP = 60012 "there is no sdkappid";
    EXPIRED = 70001 "the usersig has expired";
    MALFORMED = 70003 "the usersig cannot be read";
    OTHER_KEY = 70009 "the usersig was made with another secret key";
    OTHER_USER = 70013 "the usersig is of another identifier";
    OTHER_APP = 70014 "the usersig is of another sdkappid";
    INTERNAL = 100001 "internal error";
    WRONG_SETTING = 100002 "Url must be http:// or https://, and CallbackCommandList a list";
    NO_CALLBACK = 100301 "no callback is configured";
    WRONG_PARAMETER = 101002 "a parameter is missing or wrong";
    NO_RECORD = 101050 "there is no such record";
}

/// What an answer that is no refusal holds beside the four fields of each.
pub(super) enum Payload {
    Nothing,
    /// Under `Response`.
    Response(Value),
    /// At the top, by this name.
    Top(&'static str, Value),
}

pub(super) fn reply(answer: Result<Payload, Refusal>) -> Response {
    let mut reply = Map::new();
    let mut add = |key: &str, value| reply.insert(key.to_owned(), value);
    let refusal = answer.as_ref().err();
    add("ActionStatus", json!(if refusal.is_some() { "FAIL" } else { "OK" }));
    add("ErrorInfo", json!(refusal.map_or("", |refusal| refusal.text)));
    add("ErrorCode", json!(refusal.map_or(0, |refusal| refusal.code)));
    add("RequestId", json!(new_call_id()));
    match answer {
        Ok(Payload::Response(value)) => drop(add("Response", value)),
        Ok(Payload::Top(key, value)) => drop(add(key, value)),
        Ok(Payload::Nothing) | Err(_) => {}
    }
    json_response(&Value::Object(reply))
}

pub(super) fn json_response(value: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
