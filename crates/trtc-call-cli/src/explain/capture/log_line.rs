//! A line of an access log, as nginx, Apache and most others write it.

use super::url::Target;
use super::{Request, raw};
use crate::explain::clock;

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
    request.logged_at = time(line);
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

/// The time in square brackets.
fn time(line: &str) -> Option<std::time::SystemTime> {
    let (_, behind) = line.split_once('[')?;
    let (time, _) = behind.split_once(']')?;
    clock::logged(time)
}
