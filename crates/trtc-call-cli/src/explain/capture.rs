//! What was captured, in whatever form, and the request that it holds.
//!
//! A raw HTTP request is taken to the byte. Everything else went through somebody's hands or logs,
//! and what those do to a text is undone and told.

mod body;
mod curl;
mod json_line;
mod log_line;
mod log_time;
mod pasted;
mod raw;
mod shell;
mod url;
mod wget;

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

pub(super) use self::body::unwrapped_body;
use self::log_time::Logged;
use self::url::Target;
use crate::args::CaptureArgs;
use crate::failure::Failure;

/// A request, as far as it was captured.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    /// What `Content-Length` says.
    pub(super) announced: Option<u64>,
    pub(super) body: Body,
    /// What `Content-Encoding` says.
    pub(super) encoding: Option<String>,
    /// When it came, where the capture tells.
    pub(super) logged_at: Option<SystemTime>,
    /// What was answered, where the capture tells.
    pub(super) logged_status: Option<u16>,
    /// How the capture was understood.
    pub(super) notes: Vec<String>,
}

/// A request's body.
pub(super) enum Body {
    /// The capture says nothing about it.
    Unknown,
    Whole(Vec<u8>),
    /// Its chunks end before the last one.
    Cut(Vec<u8>),
}

impl Body {
    /// Its bytes, if anything is known of it.
    pub(super) fn known(&self) -> Option<&[u8]> {
        match self {
            Self::Unknown => None,
            Self::Whole(bytes) | Self::Cut(bytes) => Some(bytes),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.known().unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.bytes().len()
    }
}

impl Request {
    /// A request for a target of which nothing else is known.
    fn new(method: &str, target: Target, notes: Vec<String>) -> Self {
        Self {
            method: method.to_owned(),
            path: target.path,
            query: target.query,
            announced: None,
            body: Body::Unknown,
            encoding: None,
            logged_at: None,
            logged_status: None,
            notes,
        }
    }

    /// Says when it came.
    fn came(&mut self, logged: Option<Logged>) {
        if logged.is_some_and(|logged| !logged.has_zone) {
            self.notes.push("the log's time has no zone: taken as UTC".to_owned());
        }
        self.logged_at = logged.map(|logged| logged.at);
    }

    /// Gives it a body that was captured on its own.
    fn with_body(mut self, captured: Vec<u8>) -> Self {
        let (bytes, found) = unwrapped_body(captured);
        self.notes.extend(found.into_iter().map(|found| {
            format!("the body was {found}: what is inside is taken; if it was sent so, row 8 fails")
        }));
        self.body = Body::Whole(bytes);
        self
    }
}

/// Reads what the command line names.
pub(super) fn read(args: CaptureArgs) -> Result<Request, Failure> {
    let body = args.body.as_deref().map(source).transpose()?;
    let mut request = match (args.url, args.capture.as_slice()) {
        (Some(url), _) => from_url(&text(source(&url)?)?),
        (None, [capture]) => from_capture(&file_or_text(capture)?)?,
        (None, []) if io::stdin().is_terminal() => {
            return Err(Failure::new(
                "nothing to explain: give --url and --body, a file, or standard input",
            ));
        }
        (None, []) => from_capture(&stdin()?)?,
        // Without quotes, a shell has split it.
        (None, [program, words @ ..]) if program == "curl" => curl::from_words(words.to_vec())?,
        (None, _) => {
            return Err(Failure::new(
                "one capture at a time: what has spaces in it goes in quotes",
            ));
        }
    };
    if let Some(method) = args.method {
        if method.is_empty() || method.contains(char::is_whitespace) {
            return Err(Failure::new("--method must be one word"));
        }
        request.method = method;
    }
    Ok(match body {
        Some(body) => request.with_body(body),
        None => request,
    })
}

/// `@FILE`, `@-` for standard input, or the text itself.
fn source(given: &str) -> Result<Vec<u8>, Failure> {
    match given.strip_prefix('@') {
        Some("-") => stdin(),
        Some(name) => file(name),
        None => Ok(given.as_bytes().to_vec()),
    }
}

/// Like [`source`], but the name of a file that is there needs no `@`.
fn file_or_text(given: &str) -> Result<Vec<u8>, Failure> {
    match given {
        "-" => stdin(),
        name if Path::new(name).exists() && !Path::new(name).is_dir() => file(name),
        given => source(given),
    }
}

fn stdin() -> Result<Vec<u8>, Failure> {
    static IS_READ: AtomicBool = AtomicBool::new(false);
    if IS_READ.swap(true, Ordering::Relaxed) {
        return Err(Failure::new("standard input is asked for twice: it can be read only once"));
    }
    let mut bytes = Vec::new();
    let read = io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|error| Failure::new(format!("cannot read standard input: {error}")))?;
    Ok(bytes)
}

fn file(name: &str) -> Result<Vec<u8>, Failure> {
    // What was meant as a URL is not repeated.
    let shown = if name.contains(['?', '=']) { "the file" } else { name };
    fs::read(name).map_err(|error| Failure::new(format!("cannot read {shown}: {error}")))
}

fn text(bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|_| Failure::new("the URL must be UTF-8"))
}

fn from_url(text: &str) -> Request {
    let mut notes = Vec::new();
    let target = Target::captured(text, &mut notes);
    Request::new("POST", target, notes)
}

/// Whether a text may hold a query, perhaps an encoded one.
fn has_a_query(text: &str) -> bool {
    let text = text.to_ascii_uppercase();
    ["?", "=", "%3D", "%3F"].iter().any(|mark| text.contains(mark))
}

/// Understands a capture by what it looks like.
fn from_capture(bytes: &[u8]) -> Result<Request, Failure> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes).trim_ascii_start();
    if let Some(request) = raw::read(bytes).or_else(|| pasted::read(bytes)) {
        return Ok(request);
    }
    let text = String::from_utf8_lossy(bytes);
    if text.is_empty() {
        return Err(Failure::new("nothing to explain: the capture is empty"));
    }
    if let Some(request) = json_line::read(&text) {
        return Ok(request);
    }
    let (inside, _) = unwrapped_body(bytes.to_vec());
    // Perhaps in a list; a log's line may start with `[` too.
    let first = inside.strip_prefix(b"[").map_or(&*inside, <[u8]>::trim_ascii_start);
    if first.starts_with(b"{") {
        return Err(Failure::new("the capture is a body without a URL: --url gives the URL"));
    }
    if let Some(command) = shell::arguments(&text, "curl") {
        return curl::read(command);
    }
    if let Some(command) = shell::arguments(&text, "wget") {
        return wget::read(command);
    }
    if let Some(request) = pasted::curl_trace(&text) {
        return Ok(request);
    }
    if let Some(request) = log_line::read(&text) {
        return Ok(request);
    }
    if let Some(request) = log_line::read_words(&text) {
        return Ok(request);
    }
    if !has_a_query(&text) {
        return Err(Failure::new("the capture is no file that is there, and holds no request"));
    }
    let (line, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let request = from_url(line);
    let rest = rest.trim_start();
    if rest.is_empty() {
        return Ok(request);
    }
    let mut request = request.with_body(rest.as_bytes().to_vec());
    request.notes.insert(0, "a URL, and a body behind it".to_owned());
    Ok(request)
}
