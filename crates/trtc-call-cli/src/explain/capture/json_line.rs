//! A line of an access log in JSON, as nginx, Caddy and many programs write it.

use serde_json::Value;

use super::url::Target;
use super::{Request, log_time, raw};

/// Where the parts of a request stand, by the habits of those who write such lines.
const TARGETS: [&str; 6] = ["request", "uri", "request_uri", "url", "path", "msg"];
const METHODS: [&str; 3] = ["method", "request_method", "http_method"];
const TIMES: [&str; 7] =
    ["time", "ts", "timestamp", "@timestamp", "time_local", "time_iso8601", "msec"];

/// Reads the first line that is an object with a request for an app in it.
pub(super) fn read(text: &str) -> Option<Request> {
    text.lines().find_map(request)
}

fn request(line: &str) -> Option<Request> {
    let line: Value = serde_json::from_str(line).ok().filter(Value::is_object)?;
    // Caddy's request is an object of its own.
    let inner = line.get("request").filter(|request| request.is_object()).unwrap_or(&line);
    let target = texts(inner, &TARGETS)
        .find(|text| text.to_ascii_lowercase().contains("sdkappid") && text.contains(['?', '=']))?;
    let (method, target) = raw::request_line(target)
        .unwrap_or((texts(inner, &METHODS).next().unwrap_or("POST"), target));
    let mut notes = vec!["a line of an access log in JSON, which holds no body".to_owned()];
    let target = Target::captured(target, &mut notes);
    let mut request = Request::new(method, target, notes);
    request.came(TIMES.iter().filter_map(|key| line.get(key)).find_map(|time| match time {
        Value::String(text) => log_time::find(text),
        Value::Number(number) => log_time::find(&number.to_string()),
        _ => None,
    }));
    request.logged_status = line.get("status").and_then(|status| match status {
        Value::String(text) => text.parse().ok(),
        status => status.as_u64()?.try_into().ok(),
    });
    Some(request)
}

/// The texts at those of the keys that are there.
fn texts<'a>(object: &'a Value, keys: &'static [&str]) -> impl Iterator<Item = &'a str> {
    keys.iter().filter_map(|key| object.get(key)?.as_str())
}
