//! Requests as tools and people show them: with all that matters, but not as they travel. Each is
//! written anew as a raw one.

use super::Request;
use super::raw::{self, Lines};

/// Reads a request of HTTP/2 by its pseudo-headers, or one whose first line lacks the version.
pub(super) fn read(bytes: &[u8]) -> Option<Request> {
    if bytes.starts_with(b":") { pseudo_headers(bytes) } else { without_version(bytes) }
}

fn pseudo_headers(bytes: &[u8]) -> Option<Request> {
    let mut paste = Paste::new(bytes);
    let (mut method, mut path) = ("POST".to_owned(), None);
    paste.headers.retain(|line| {
        let line = String::from_utf8_lossy(line);
        let Some(pseudo) = line.strip_prefix(':') else { return true };
        match pseudo.split_once(':') {
            Some(("method", value)) => value.trim().clone_into(&mut method),
            Some(("path", value)) => path = Some(value.trim().to_owned()),
            _ => {}
        }
        false
    });
    let mut request = paste.read(&format!("{method} {} HTTP/2", path?))?;
    request.notes.insert(0, "an HTTP/2 request, by its pseudo-headers".to_owned());
    Some(request)
}

fn without_version(bytes: &[u8]) -> Option<Request> {
    let mut lines = Lines::new(bytes);
    let first = String::from_utf8_lossy(lines.next()?);
    let (method, target) = first.trim_end().split_once(' ')?;
    let paste = Paste::new(lines.rest);
    // A line alone, or followed by lines like it, is one of a log.
    let is_request = !lines.rest.trim_ascii().is_empty()
        && raw::is_method(method)
        && !target.contains(char::is_whitespace)
        && paste.headers.iter().all(|line| is_header(line));
    if !is_request {
        return None;
    }
    let mut request = paste.read(&format!("{method} {target} HTTP/1.1"))?;
    request.notes.insert(0, "a request line without its HTTP version".to_owned());
    Some(request)
}

fn is_header(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    name.len() < line.len() && name.iter().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(b))
}

/// What stands behind a first line.
struct Paste<'a> {
    headers: Vec<&'a [u8]>,
    /// None if the head does not end.
    body: Option<&'a [u8]>,
    line_end: &'static str,
}

impl<'a> Paste<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let mut lines = Lines::new(bytes);
        let mut headers = Vec::new();
        let body = loop {
            let from_here = lines.rest;
            match lines.next() {
                None => break None,
                Some(b"") => break Some(lines.rest),
                // No header starts so: the empty line was left out.
                Some(line) if line.starts_with(b"{") => break Some(from_here),
                Some(line) => headers.push(line),
            }
        };
        let line_end = if lines.has_bare_line_feed { "\n" } else { "\r\n" };
        Self { headers, body, line_end }
    }

    /// Reads it with another first line.
    fn read(&self, first: &str) -> Option<Request> {
        let mut raw = first.as_bytes().to_vec();
        for header in &self.headers {
            raw.extend(self.line_end.as_bytes());
            raw.extend(*header);
        }
        raw.extend(self.line_end.as_bytes());
        if let Some(body) = self.body {
            raw.extend(self.line_end.as_bytes());
            raw.extend(body);
        }
        raw::read(&raw)
    }
}

/// Reads what `curl -v` shows of a request: every line of the head behind a `>`.
pub(super) fn curl_trace(text: &str) -> Option<Request> {
    let is_first =
        |line: &str| line.strip_prefix("> ").is_some_and(|l| raw::request_line(l).is_some());
    let head: Vec<&str> = text
        .lines()
        .skip_while(|line| !is_first(line))
        .map_while(|line| line.strip_prefix('>'))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let mut request = raw::read(head.join("\n").as_bytes())?;
    request.notes = vec!["what curl -v shows, which holds no body: --body gives it".to_owned()];
    Some(request)
}
