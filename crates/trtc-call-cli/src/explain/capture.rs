//! What was captured, and the request that it holds.

use std::io::{self, IsTerminal};
use std::path::Path;

use super::{raw, text};
use crate::args::CaptureArgs;
use crate::failure::Failure;
use crate::input;

/// A request, as far as it was captured.
#[derive(Default)]
pub(super) struct Request {
    /// None if nothing tells it.
    pub(super) method: Option<String>,
    /// What stands behind the first `?` of the target, undecoded.
    pub(super) query: String,
    /// By their names in lower case.
    pub(super) headers: Vec<(String, Vec<u8>)>,
    /// None if the capture says nothing about it.
    pub(super) body: Option<Vec<u8>>,
    /// How the capture was understood.
    pub(super) notes: Vec<String>,
}

impl Request {
    /// A request of which nothing else is known.
    pub(super) fn new(query: &str, note: &str) -> Self {
        Self { query: query.to_owned(), notes: vec![note.to_owned()], ..Self::default() }
    }

    pub(super) fn header(&self, name: &str) -> Option<&[u8]> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_slice())
    }
}

/// Reads what the command line names.
pub(super) fn read(args: CaptureArgs) -> Result<Request, Failure> {
    let body = args.body.as_deref().map(source).transpose()?;
    let mut request = match (args.url, args.capture) {
        (Some(url), _) => text::read_url(&String::from_utf8_lossy(&source(&url)?)),
        (None, Some(capture)) => understand(&file_or_text(&capture)?)?,
        (None, None) if io::stdin().is_terminal() => {
            return Err(Failure::new(
                "nothing to explain: give --url and --body, a file, or standard input",
            ));
        }
        (None, None) => understand(&input::stdin()?)?,
    };
    if let Some(method) = args.method {
        if method.is_empty() || method.contains(char::is_whitespace) {
            return Err(Failure::new("--method must be one word"));
        }
        request.method = Some(method);
    }
    request.body = body.or(request.body);
    Ok(request)
}

fn understand(bytes: &[u8]) -> Result<Request, Failure> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes).trim_ascii_start();
    raw::read(bytes).unwrap_or_else(|| {
        text::read(&String::from_utf8_lossy(bytes)).ok_or_else(|| {
            Failure::new(
                "neither a file, nor a raw HTTP request, nor a text with the URL in it: paste the URL \
                 and the body, by --url and --body",
            )
        })
    })
}

/// `@FILE`, `@-` for standard input, or the text itself.
fn source(given: &str) -> Result<Vec<u8>, Failure> {
    match given.strip_prefix('@') {
        Some("-") => input::stdin(),
        Some(name) => input::file(Path::new(name)),
        None => Ok(given.as_bytes().to_vec()),
    }
}

/// Like [`source`], but the name of a file that is there needs no `@`.
fn file_or_text(given: &str) -> Result<Vec<u8>, Failure> {
    match given {
        "-" => input::stdin(),
        name if Path::new(name).is_file() => input::file(Path::new(name)),
        given => source(given),
    }
}
