//! What helps with the method, the query and the app: rows 1 to 4.

use crate::explain::judge::Case;
use crate::explain::query::Trouble;

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

pub(super) fn query(case: &Case<'_>) -> Vec<String> {
    match case.query.trouble() {
        Some(Trouble::TooLong) => {
            vec![format!("the query has {} bytes", case.request.query.len())]
        }
        Some(Trouble::Undecodable(key)) => {
            vec![format!("{key} does not decode to UTF-8: look at the `%` escapes in its value")]
        }
        Some(Trouble::Twice(key)) => vec![format!(
            "{key} has two values; a URL that is configured with parameters of its own, or a proxy \
             that adds some, makes it so"
        )],
        None => sdk_app_id(case),
    }
}

fn sdk_app_id(case: &Case<'_>) -> Vec<String> {
    let Some(value) = case.query.value("SdkAppid") else {
        let mut hints = Vec::new();
        if case.query.parameter_count() == 0 {
            hints.push(
                "the URL has no query: a proxy or a rewrite has dropped it, or the capture has"
                    .to_owned(),
            );
        }
        if case.query.keys().any(|key| key.starts_with("amp;")) {
            hints.push("`&` is written `&amp;`: the URL went through HTML".to_owned());
        }
        if case.query.raw.contains('?') {
            hints.push("there is a second `?`: only the first one starts the query".to_owned());
        }
        return hints;
    };
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
    vec![format!("SdkAppid: {what}")]
}

pub(super) fn app(case: &Case<'_>) -> Vec<String> {
    // It is a plain number, or row 3 would have failed.
    let in_url = case.query.value("SdkAppid").unwrap_or_default();
    vec![format!(
        "the SDKAppID in the URL is {in_url}, you serve {}: the callback URL is configured for \
         another app, or the verifier is",
        case.sdk_app_id
    )]
}
