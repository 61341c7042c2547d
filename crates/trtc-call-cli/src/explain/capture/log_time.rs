//! When a request came, as logs say it.

use std::time::SystemTime;

use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::Offset;

use crate::explain::clock::from_unix;

/// The time that a log has of a request.
#[derive(Clone, Copy)]
pub(super) struct Logged {
    pub(super) at: SystemTime,
    /// Else it is taken as UTC.
    pub(super) has_zone: bool,
}

/// A date and a time of day, up to the whole second.
const FORMATS: [&str; 5] = [
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%d/%b/%Y:%H:%M:%S",
    "%d/%b/%Y %H:%M:%S",
];

/// Finds the time in a line, or in a field of one: a calendar time wherever it stands, rather one
/// that has a zone; else unix time, at the start or alone in square brackets.
pub(super) fn find(line: &str) -> Option<Logged> {
    let is_start = |char: char| char.is_whitespace() || "[(\"'=".contains(char);
    let starts = line.char_indices().filter(|(_, char)| is_start(*char));
    let starts = starts.filter_map(|(at, char)| line.get(at.saturating_add(char.len_utf8())..));
    let times: Vec<Logged> = std::iter::once(line).chain(starts).filter_map(calendar).collect();
    let zoned = times.iter().find(|time| time.has_zone);
    zoned.or(times.first()).copied().or_else(|| {
        let brackets = line.split('[').skip(1).filter_map(|behind| Some(behind.split_once(']')?.0));
        let at = line.split_whitespace().take(1).chain(brackets).find_map(|n| unix(n, line))?;
        Some(Logged { at, has_zone: true })
    })
}

/// The calendar time that a text starts with.
fn calendar(text: &str) -> Option<Logged> {
    if !text.starts_with(|char: char| char.is_ascii_digit()) {
        return None;
    }
    let (time, length) =
        FORMATS.iter().find_map(|format| BrokenDownTime::parse_prefix(format, text).ok())?;
    let behind = text.get(length..)?;
    let fraction = behind.strip_prefix(['.', ',']).unwrap_or(behind);
    let zone = zone(fraction.trim_start_matches(|char: char| char.is_ascii_digit()));
    let time = time.to_datetime().ok()?;
    let at = zone.unwrap_or(Offset::UTC).to_timestamp(time).ok()?;
    Some(Logged { at: at.into(), has_zone: zone.is_some() })
}

/// The zone that a text starts with.
fn zone(text: &str) -> Option<Offset> {
    let text = text.trim_start();
    if ["Z", "UTC", "GMT"].iter().any(|utc| text.starts_with(utc)) {
        return Some(Offset::UTC);
    }
    let offset =
        ["%z", "%:z"].iter().find_map(|format| BrokenDownTime::parse_prefix(format, text).ok());
    offset?.0.offset()
}

/// Unix time, in seconds or milliseconds. The number of the app has as many digits as seconds have.
fn unix(text: &str, line: &str) -> Option<SystemTime> {
    let digits = text.split('.').next()?;
    let number = digits.parse::<u64>().ok().filter(|_| !digits.starts_with('+'))?;
    let seconds = match digits.len() {
        10 if !line.contains(&format!("ppid={digits}")) => number,
        13 => number.checked_div(1000)?,
        _ => return None,
    };
    from_unix(seconds.try_into().ok()?)
}
