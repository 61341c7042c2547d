//! A body as people and logs hand it on.

use percent_encoding::percent_decode;

/// Takes a body out of what was put around it, and says what that was, from the outside to the
/// inside. What is an object already is left as it is, to the byte.
pub(crate) fn unwrap(captured: Vec<u8>) -> (Vec<u8>, Vec<&'static str>) {
    let mut body = captured;
    let mut found = Vec::new();
    while let Some((inner, what)) = unwrap_once(body.trim_ascii()) {
        body = inner;
        found.push(what);
    }
    (body, found)
}

fn unwrap_once(body: &[u8]) -> Option<(Vec<u8>, &'static str)> {
    let quoted = body.strip_prefix(b"$").unwrap_or(body).strip_prefix(b"'");
    if let Some(inner) = quoted.and_then(|body| body.strip_suffix(b"'")) {
        return Some((inner.to_vec(), "in a shell's quotes"));
    }
    let text = std::str::from_utf8(body).ok()?;
    if text.starts_with('"') {
        let inner: String = serde_json::from_str(text).ok()?;
        return Some((inner.into_bytes(), "a JSON text that holds an object, escaped"));
    }
    let after_brace = text.strip_prefix('{').map(str::trim_start);
    if after_brace.is_some_and(|rest| rest.starts_with("\\\"")) {
        let inner: String = serde_json::from_str(&format!("\"{text}\"")).ok()?;
        return Some((inner.into_bytes(), "escaped as inside a JSON text"));
    }
    if after_brace.is_some_and(|rest| rest.starts_with("\\x22")) {
        let inner = text.replace("\\x22", "\"").replace("\\x5C", "\\").replace("\\x0A", "\n");
        return Some((inner.into_bytes(), "escaped as in an access log"));
    }
    if text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("%7B")) {
        let spaced = text.replace('+', " ");
        let inner = percent_decode(spaced.as_bytes()).collect();
        return Some((inner, "percent-encoded"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_taken_out_of_what_was_put_around_it() {
        let object = r#"{"a":"b \" c"}"#;
        let json = |text: &str| serde_json::to_string(text).unwrap();
        let escaped = json(object);
        let naked = escaped.trim_matches('"');
        for captured in [
            object.to_owned(),
            escaped.clone(),
            json(&escaped),
            naked.to_owned(),
            format!("'{object}'\n"),
            format!("$'{object}'"),
            format!("'{escaped}'"),
            r#"{\x22a\x22:\x22b \x5C\x22 c\x22}"#.to_owned(),
            "%7B%22a%22:%22b+%5C%22%20c%22%7D".to_owned(),
        ] {
            let (body, found) = unwrap(captured.clone().into_bytes());
            assert_eq!(String::from_utf8(body).unwrap(), object, "{captured}");
            assert_eq!(found.is_empty(), captured == object, "{captured}");
        }
    }

    #[test]
    fn what_is_an_object_or_nothing_known_keeps_its_bytes() {
        for body in [&b"{\"a\":1}\r\n"[..], b"", b"\xff", b"\"a", b"a=b", b"'"] {
            assert_eq!(unwrap(body.to_vec()), (body.to_vec(), Vec::new()));
        }
    }
}
