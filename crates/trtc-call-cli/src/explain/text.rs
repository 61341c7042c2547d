//! A text in which the URL stands: pasted, or a line of whatever log.
//!
//! What logs and shells do to a text is not undone: there is no end to their habits, and whoever has
//! the URL and the body can paste both.

use url::Url;

use super::capture::Request;

/// What may stand around a URL.
const AROUND: [char; 7] = ['"', '\'', '`', '<', '>', '“', '”'];

/// What may stand behind it.
const BEHIND: [char; 6] = [',', ';', ')', ']', '}', '.'];

const METHODS: [&str; 8] = ["POST", "GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT"];

/// Reads a text that holds a URL, and the body below it if the first line is the URL, perhaps behind
/// its method.
pub(super) fn read(text: &str) -> Option<Request> {
    let word = find(text)?;
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let beside = first.replacen(word, "", 1);
    let beside = beside.trim_matches(|char: char| char.is_whitespace() || AROUND.contains(&char));
    let is_first = first.contains(word) && (beside.is_empty() || METHODS.contains(&beside));
    let body = rest.trim_start();
    let mut request = Request::new(&query(word), "a URL");
    if is_first {
        request.method = method(beside);
        request.body = Some(body.as_bytes().to_vec()).filter(|body| !body.is_empty());
    } else {
        request.notes =
            vec!["a text with a URL: if that is not all, paste the URL and the body".to_owned()];
        // The line of the URL tells more than those around it.
        let line = text.lines().find(|line| line.contains(word)).unwrap_or_default();
        request.method = [line, text].iter().find_map(|text| method(&text.replacen(word, " ", 1)));
    }
    Some(request)
}

/// Reads what is said to be a URL, or the part of one with the query.
pub(super) fn read_url(text: &str) -> Request {
    Request::new(&query(find(text).unwrap_or(text.trim())), "a URL")
}

/// The word of a text that is the URL: the one with the app's number, else the first one.
fn find(text: &str) -> Option<&str> {
    let words = || {
        let is_between = |char: char| char.is_whitespace() || AROUND.contains(&char);
        text.split(is_between).map(|word| word.trim_end_matches(BEHIND))
    };
    words()
        .find(|word| word.to_ascii_lowercase().contains("sdkappid="))
        .or_else(|| words().find(|word| scheme(word).is_some() || word.starts_with('/')))
}

/// Where a word's `http://` or `https://` begins.
fn scheme(word: &str) -> Option<usize> {
    word.find("http://").or_else(|| word.find("https://"))
}

/// The query of a word.
fn query(word: &str) -> String {
    // `uri=/callback?…` is a path behind a name, and a query alone has neither path nor `?`.
    let query_at = word.find('?').unwrap_or(word.len());
    let path_at = || word.find('/').filter(|place| *place < query_at);
    let (mark, start) = match scheme(word).or_else(path_at) {
        Some(start) => ("", start),
        None if word.contains('?') => ("", query_at),
        None => ("?", 0),
    };
    let target = format!("{mark}{}", word.get(start..).unwrap_or_default());
    let base = Url::parse("http://host/").ok();
    let url = Url::options().base_url(base.as_ref()).parse(&target).ok();
    url.as_ref().and_then(Url::query).unwrap_or_default().to_owned()
}

/// The method in a text, which stands there as such a word or behind the word `method`.
fn method(text: &str) -> Option<String> {
    let mut words = text.split(|char: char| !char.is_ascii_alphabetic()).filter(|w| !w.is_empty());
    let mut is_named = false;
    words.find_map(|word| {
        let upper = word.to_ascii_uppercase();
        let is_one = METHODS.contains(&upper.as_str()) && (is_named || word == upper);
        is_named = upper.ends_with("METHOD");
        is_one.then_some(upper)
    })
}
