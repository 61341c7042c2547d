//! What helps with the method, the query and the app: rows 1 to 4.

use trtc_call_webhook::{Parameter, Reason};

use crate::explain::judge::Case;

pub(super) fn method(case: &Case<'_>) -> Vec<String> {
    let method = case.request.method.as_str();
    if method.eq_ignore_ascii_case("POST") {
        return vec!["methods are written in capitals: something rewrites this one".to_owned()];
    }
    match method {
        "GET" | "HEAD" => vec![
            "the vendor posts: this is a browser, a health check, or a POST that a redirect (301 \
             or 302, to https or to another path) turned into a GET"
                .to_owned(),
        ],
        _ => vec!["the vendor posts: this request is somebody else's".to_owned()],
    }
}

pub(super) fn query(case: &Case<'_>, reason: Reason) -> Vec<String> {
    match reason {
        Reason::QueryTooLong => vec![format!("it has {} bytes", case.request.query.len())],
        Reason::NotUtf8(_) => vec!["look at the `%` escapes in its value".to_owned()],
        Reason::GivenTwice(_) => vec![
            "a URL that is configured with parameters of its own, or a proxy that adds some, makes \
             it so"
                .to_owned(),
        ],
        Reason::NoSdkAppId => no_sdk_app_id(&case.request.query),
        _ => vec![bad_sdk_app_id(case.parameter(Parameter::SdkAppId).unwrap_or_default())],
    }
}

fn no_sdk_app_id(query: &str) -> Vec<String> {
    let mut hints = Vec::new();
    if query.is_empty() {
        hints.push(
            "the URL has no query: a proxy or a rewrite has dropped it, or the capture has"
                .to_owned(),
        );
    }
    hints.extend(went_through_html(query));
    if query.contains('?') {
        hints.push("there is a second `?`: only the first one starts the query".to_owned());
    }
    hints
}

/// What is told of a query that was written down as HTML has it.
pub(super) fn went_through_html(query: &str) -> Option<String> {
    let is_html = query.contains("&amp;");
    is_html.then(|| "`&` is written `&amp;`: the URL went through HTML".to_owned())
}

fn bad_sdk_app_id(value: &str) -> String {
    // The value itself may be more than a number.
    let what = if value.is_empty() {
        "it is empty"
    } else if value.trim() != value {
        "there is white space around it (a `+` stands for a space)"
    } else if value.starts_with(['+', '-']) {
        "it has a sign"
    } else if value.starts_with('0') {
        "it starts with 0"
    } else if value.bytes().all(|byte| byte.is_ascii_digit()) {
        "it does not fit 64 bits"
    } else {
        "there are other characters than digits in it"
    };
    format!("SdkAppid: {what}")
}

pub(super) fn app(case: &Case<'_>) -> Vec<String> {
    // Both are plain numbers, or an earlier row would have failed.
    let in_url = case.parameter(Parameter::SdkAppId).unwrap_or_default();
    let served = case.sdk_app_id.map_or_else(String::new, |id| id.to_string());
    vec![format!(
        "the SDKAppID in the URL is {in_url}, you serve {served}: the callback URL is configured for \
         another app, or the verifier is"
    )]
}
