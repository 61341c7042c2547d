//! A line of an access log in JSON, as nginx, Caddy and many programs write it, or an entry of a
//! cloud's log, perhaps over several lines or in a list.

use serde_json::Value;

use super::url::Target;
use super::{Request, log_time, raw};

/// Where the parts of a request stand, by the habits of those who write such lines.
const TARGETS: [&str; 7] = ["request", "uri", "request_uri", "url", "requestUrl", "path", "msg"];
const METHODS: [&str; 4] = ["method", "request_method", "http_method", "requestMethod"];
const TIMES: [&str; 7] =
    ["time", "ts", "timestamp", "@timestamp", "time_local", "time_iso8601", "msec"];

/// Reads the first object with a request for an app in it.
pub(super) fn read(text: &str) -> Option<Request> {
    match serde_json::from_str(text) {
        Ok(Value::Array(entries)) => entries.iter().find_map(request),
        Ok(entry) => request(&entry),
        Err(_) => text.lines().find_map(|line| request(&serde_json::from_str(line).ok()?)),
    }
}

fn request(line: &Value) -> Option<Request> {
    // Caddy's and Google's requests are objects of their own.
    let inner = ["request", "httpRequest"].iter().find_map(|key| line.get(key));
    let inner = inner.filter(|request| request.is_object()).unwrap_or(line);
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
    let status = line.get("status").or_else(|| inner.get("status"));
    request.logged_status = status.and_then(|status| match status {
        Value::String(text) => text.parse().ok(),
        status => status.as_u64()?.try_into().ok(),
    });
    Some(request)
}

/// The texts at those of the keys that are there.
fn texts<'a>(object: &'a Value, keys: &'static [&str]) -> impl Iterator<Item = &'a str> {
    keys.iter().filter_map(|key| object.get(key)?.as_str())
}
