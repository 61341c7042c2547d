//! A line of an access log, as nginx, Apache and most others write it.

use super::url::Target;
use super::{Request, log_time, raw};

/// Reads the line that has a request in it; of several the first that names an app.
pub(super) fn read(text: &str) -> Option<Request> {
    let lines: Vec<_> = text.lines().filter_map(|line| Some((line, request_line(line)?))).collect();
    let names_app = |line: &str| line.to_ascii_lowercase().contains("sdkappid");
    let chosen = lines.iter().find(|(line, _)| names_app(line)).or_else(|| lines.first())?;
    let (line, (method, target, behind)) = *chosen;

    let mut notes = vec!["a line of an access log, which holds no body".to_owned()];
    if lines.len() > 1 {
        notes.push(format!("{} lines have a request: the first for an app is taken", lines.len()));
    }
    let target = match target.split_once("\\x") {
        Some(_) => Target::captured(target, &mut notes),
        None => Target::exact(target),
    };
    let mut request = Request::new(method, target, notes);
    request.came(log_time::find(line));
    request.logged_status = behind.split_whitespace().next().and_then(|word| word.parse().ok());
    Some(request)
}

/// The method, the target, and what stands behind the request in quotes.
fn request_line(line: &str) -> Option<(&str, &str, &str)> {
    let mut rest = line;
    while let Some((_, behind)) = rest.split_once('"') {
        if let Some((quoted, after)) = behind.split_once('"')
            && let Some((method, target)) = raw::request_line(quoted)
        {
            return Some((method, target, after));
        }
        rest = behind;
    }
    None
}

/// Reads the first line of several words of which one names an app: what an application logs.
pub(super) fn read_words(text: &str) -> Option<Request> {
    text.lines().find_map(words)
}

fn words(line: &str) -> Option<Request> {
    let mut before = "";
    let mut words = line.split_whitespace();
    let word = words.find(|word| {
        let is_url = word.to_ascii_lowercase().contains("sdkappid=") && word.contains(['?', '&']);
        if !is_url {
            before = word;
        }
        is_url
    })?;
    let behind = words.next();
    if before.is_empty() && behind.is_none() {
        return None;
    }
    let mut notes = vec!["a line with a URL in it: only that is taken".to_owned()];
    // As in `uri=/callback?…` and `"url":"https://…"`.
    let start = ["http://", "https://", "/"].iter().find_map(|start| word.find(start));
    let url = word.get(start.unwrap_or_default()..)?.trim_end_matches(['"', '\'', ',', ')', ']']);
    let target = Target::captured(url, &mut notes);
    let mut request =
        Request::new(if raw::is_method(before) { before } else { "POST" }, target, notes);
    request.came(log_time::find(line));
    Some(request)
}
