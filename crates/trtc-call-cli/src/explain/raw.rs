//! A raw HTTP/1 request, taken to the byte.

use httparse::{EMPTY_HEADER, Status};

use super::capture::Request;
use crate::failure::Failure;

/// More headers than any server takes.
const MAX_HEADERS: usize = 256;

/// Reads a raw request; `None` if the first line is not one's.
pub(super) fn read(bytes: &[u8]) -> Option<Result<Request, Failure>> {
    let first = bytes.split(|byte| *byte == b'\n').next()?.trim_ascii_end();
    let words: Vec<&[u8]> = first.split(|byte| *byte == b' ').collect();
    matches!(words[..], [_, _, b"HTTP/1.1" | b"HTTP/1.0"]).then(|| {
        parse(bytes).map_err(|error| {
            Failure::new(format!("a server's parser refuses this head before any row: {error}"))
        })
    })
}

fn parse(bytes: &[u8]) -> Result<Request, httparse::Error> {
    // The empty line may have been left out behind a head alone.
    let ended = [bytes, b"\r\n\r\n"].concat();
    let mut slots = [EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Request::new(&mut slots);
    let Status::Complete(length) = head.parse(&ended)? else {
        return Err(httparse::Error::NewLine);
    };
    let query = head.path.and_then(|path| path.split_once('?')).map_or("", |(_, query)| query);
    let mut request = Request::new(query, "a raw HTTP request");
    request.method = head.method.map(str::to_owned);
    let header =
        |header: &httparse::Header<'_>| (header.name.to_ascii_lowercase(), header.value.to_vec());
    request.headers = head.headers.iter().map(header).collect();
    let is_chunked = request.header("transfer-encoding").is_some();
    match bytes.get(length..) {
        // Whoever shows a request has put the chunks together, or has not.
        Some(body) if is_chunked && !body.starts_with(b"{") => {
            request.notes.push("its body is in chunks: --body has it in one piece".to_owned());
        }
        body => request.body = body.map(<[u8]>::to_vec),
    }
    if !is_chunked && request.header("content-length").is_none() {
        request.notes.push("without Content-Length a server would take no body".to_owned());
    }
    Ok(request)
}
