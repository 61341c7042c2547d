//! A raw HTTP/1 request: request line, headers, body.

use super::url::Target;
use super::{Body, Request};

/// Reads a request to the byte, if this is one. Its lines may end without a carriage return.
pub(super) fn read(bytes: &[u8]) -> Option<Request> {
    let mut lines = Lines::new(bytes);
    let first = String::from_utf8_lossy(lines.next()?);
    let (method, target) = request_line(&first)?;
    let mut request = Request::new(method, Target::exact(target), Vec::new());

    let mut is_chunked = false;
    let mut is_whole = false;
    let mut headers = 0_usize;
    let mut lengths = Vec::new();
    for line in &mut lines {
        if line.is_empty() {
            is_whole = true;
            break;
        }
        headers = headers.saturating_add(1);
        let line = String::from_utf8_lossy(line);
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "content-length" => lengths.push(content_length(value)),
            "transfer-encoding" => is_chunked = value.to_ascii_lowercase().contains("chunked"),
            "content-encoding" => request.encoding = Some(value.to_owned()),
            _ => {}
        }
    }
    let ends = if lines.has_bare_line_feed { "LF" } else { "CRLF" };
    let mut note = |text: String| request.notes.push(text);
    if lengths.contains(&None) || lengths.windows(2).any(|pair| pair.first() != pair.last()) {
        note(
            "its Content-Length is no number, or two of them: a server's parser refuses that before \
             the verifier is asked; taken as if there were none"
                .to_owned(),
        );
    } else {
        request.announced = lengths.first().copied().flatten();
    }
    note(if headers == 0 && !is_whole {
        "a request line alone".to_owned()
    } else {
        format!(
            "a raw HTTP request with {} and lines that end with {ends}",
            count(headers, "header")
        )
    });
    if target.contains("&amp;") {
        note("its URL has `&amp;` where an `&` belongs: taken as it stands".to_owned());
    }

    let rest = lines.rest;
    request.body = if !is_whole {
        note("no empty line ends the head, so nothing is known of the body".to_owned());
        Body::Unknown
    } else if is_chunked {
        request.announced = None;
        chunked(rest).unwrap_or_else(|| {
            note("the body is announced in chunks but stands there whole: taken so".to_owned());
            Body::Whole(rest.to_vec())
        })
    } else if let Some(announced) = request.announced {
        let body = framed(rest, announced);
        let more = rest.len().saturating_sub(body.len());
        if more > 0 {
            let more = count(more, "byte");
            note(format!("{more} behind Content-Length: not of this request"));
        }
        body
    } else {
        if !rest.is_empty() {
            note("no Content-Length is there: all that follows the head is the body".to_owned());
        }
        Body::Whole(rest.to_vec())
    };
    Some(request)
}

/// The value of `Content-Length`; one that does not fit is the largest there is.
pub(super) fn content_length(value: &str) -> Option<u64> {
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| value.parse().unwrap_or(u64::MAX))
}

/// The body among bytes of which so many are announced. Fewer may be there.
pub(super) fn framed(bytes: &[u8], announced: u64) -> Body {
    let length = usize::try_from(announced).unwrap_or(usize::MAX);
    Body::Whole(bytes.get(..length).unwrap_or(bytes).to_vec())
}

/// So many of something.
fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Whether a word in a text is a method.
pub(super) fn is_method(word: &str) -> bool {
    matches!(word, "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE")
}

/// The method and the target of a request line.
pub(super) fn request_line(line: &str) -> Option<(&str, &str)> {
    let (start, version) = line.trim_end().rsplit_once(' ')?;
    let (method, target) = start.split_once(' ')?;
    let target = target.trim();
    let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_alphabetic());
    let version = version.strip_prefix("HTTP/")?;
    let is_version = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    // Else it is a line of a log that ends with a request. A broken path may have spaces in it.
    let is_target = target.starts_with('/') || !target.contains(char::is_whitespace);
    (is_method && is_version && is_target).then_some((method, target))
}

/// Takes a body out of its chunks; `None` if it is in none.
fn chunked(bytes: &[u8]) -> Option<Body> {
    let mut lines = Lines::new(bytes);
    let mut body = Vec::new();
    let mut is_first = true;
    loop {
        let size = lines.next().and_then(chunk_size);
        let Some(size) = size else {
            // Where the first line is no size, there are no chunks.
            return (!is_first || bytes.is_empty()).then_some(Body::Cut(body));
        };
        is_first = false;
        if size == 0 {
            return Some(Body::Whole(body));
        }
        let Some((chunk, rest)) = lines.rest.split_at_checked(size) else {
            body.extend(lines.rest);
            return Some(Body::Cut(body));
        };
        body.extend(chunk);
        lines.rest = rest;
        // The end of the chunk's line.
        if lines.next().is_none_or(|line| !line.is_empty()) {
            return Some(Body::Cut(body));
        }
    }
}

fn chunk_size(line: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(line).ok()?;
    let digits = text.split(';').next()?.trim();
    usize::from_str_radix(digits, 16).ok()
}

/// Lines without their ends, and what is left behind them.
pub(super) struct Lines<'a> {
    pub(super) rest: &'a [u8],
    pub(super) has_bare_line_feed: bool,
}

impl<'a> Lines<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, has_bare_line_feed: false }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let (line, rest) = end.map_or((self.rest, &[][..]), |end| {
            let (line, rest) = self.rest.split_at(end);
            (line, rest.strip_prefix(b"\n").unwrap_or(rest))
        });
        self.rest = rest;
        match line.strip_suffix(b"\r") {
            Some(line) => Some(line),
            None => {
                self.has_bare_line_feed |= end.is_some();
                Some(line)
            }
        }
    }
}
