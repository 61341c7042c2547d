//! A body as people and logs hand it on.

use percent_encoding::percent_decode;

/// Nobody wraps a body more often.
const MAX_ROUNDS: usize = 4;

/// Takes a body out of what was put around it, and says what that was, from the outside to the
/// inside. What is an object already is left as it is, to the byte, and so is what holds none.
pub(crate) fn unwrapped_body(captured: Vec<u8>) -> (Vec<u8>, Vec<&'static str>) {
    let mut found = Vec::new();
    let mut body = None;
    for _ in 0..MAX_ROUNDS {
        let outer: &[u8] = body.as_deref().unwrap_or(&captured);
        let Some((inner, what)) = unwrap_once(outer.trim_ascii()) else { break };
        body = Some(inner);
        found.push(what);
    }
    match body {
        Some(body) if body.trim_ascii_start().starts_with(b"{") => (body, found),
        _ => (captured, Vec::new()),
    }
}

fn unwrap_once(body: &[u8]) -> Option<(Vec<u8>, &'static str)> {
    let quoted = body.strip_prefix(b"$").unwrap_or(body).strip_prefix(b"'");
    if let Some(inner) = quoted.and_then(|body| body.strip_suffix(b"'")) {
        return Some((inner.to_vec(), "in a shell's quotes"));
    }
    if let Some(inner) = body.strip_prefix(b"b'").and_then(|body| body.strip_suffix(b"'")) {
        return Some((decode_python(inner), "in Python's b'…'"));
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
    if after_brace.is_some_and(|rest| rest.starts_with("\\x")) {
        return Some((decode_hex(text.as_bytes()), "escaped as in an access log"));
    }
    if text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("%7B")) {
        let spaced = text.replace('+', " ");
        let inner = percent_decode(spaced.as_bytes()).collect();
        return Some((inner, "percent-encoded"));
    }
    None
}

/// Decodes each `\xHH`, once and from left to right.
fn decode_hex(mut text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    while let Some((first, rest)) = text.split_first() {
        if let Some((byte, rest)) = hex_escape(text) {
            decoded.push(byte);
            text = rest;
        } else {
            decoded.push(*first);
            text = rest;
        }
    }
    decoded
}

/// Decodes what Python shows of bytes.
fn decode_python(mut text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    while let Some((first, rest)) = text.split_first() {
        let (byte, rest) = match (first, rest) {
            (b'\\', [b'n', rest @ ..]) => (b'\n', rest),
            (b'\\', [b'r', rest @ ..]) => (b'\r', rest),
            (b'\\', [b't', rest @ ..]) => (b'\t', rest),
            (b'\\', [next, behind @ ..]) => hex_escape(text).unwrap_or((*next, behind)),
            (first, rest) => (*first, rest),
        };
        decoded.push(byte);
        text = rest;
    }
    decoded
}

/// The byte of a `\xHH` at the start, and what stands behind it.
fn hex_escape(text: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = text.strip_prefix(b"\\x")?.split_at_checked(2)?;
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
    Some((u8::from_str_radix(digits, 16).ok()?, rest))
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
            r#"b'{"a":"b \\" \x63"}'"#.to_owned(),
        ] {
            let (body, found) = unwrapped_body(captured.clone().into_bytes());
            assert_eq!(String::from_utf8(body).unwrap(), object, "{captured}");
            assert_eq!(found.is_empty(), captured == object, "{captured}");
        }
    }

    #[test]
    fn what_is_an_object_or_nothing_known_keeps_its_bytes() {
        for body in [&b"{\"a\":1}\r\n"[..], b"", b"\xff", b"\"a", b"a=b", b"'"] {
            assert_eq!(unwrapped_body(body.to_vec()), (body.to_vec(), Vec::new()));
        }
        let quotes = vec![b'\''; 200_000];
        assert_eq!(unwrapped_body(quotes.clone()), (quotes, Vec::new()));
    }

    /// nginx writes every byte that is not ASCII so.
    #[test]
    fn an_access_logs_escapes_are_decoded_once() {
        for (captured, object) in [
            (r#"{\x22a\x22:\x22\xE5\xBC\xA0\xe4\xb8\x89\x22}"#, r#"{"a":"张三"}"#),
            (r#"{\x09\x22a\x22:1}"#, "{\t\"a\":1}"),
            (r#"{\x22a\x22:\x22b\x5Cnc\x5Cx0A\x22}"#, r#"{"a":"b\nc\x0A"}"#),
            (r#"{\x22a\x22:\x2}"#, r#"{"a":\x2}"#),
        ] {
            let (body, _) = unwrapped_body(captured.as_bytes().to_vec());
            assert_eq!(String::from_utf8(body).unwrap(), object, "{captured}");
        }
    }
}
