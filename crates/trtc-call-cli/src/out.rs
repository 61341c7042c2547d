//! Standard output and standard error, without the panics of `println!` when nobody reads them.

use std::borrow::Cow;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::failure::Failure;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();

/// Prints text for people: styles stay only on a terminal, and where `NO_COLOR` is not set.
///
/// Here and below, that nobody reads any more (`| head`) is no failure: what is left of the task is its exit
/// status.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    unless_nobody_reads(try_print(text))
}

/// Prints a line for machines, as it is.
pub(crate) fn print_line(line: Vec<u8>) -> Result<(), Failure> {
    unless_nobody_reads(try_print_line(line))
}

/// Prints a file for other programs, as it is.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    unless_nobody_reads(try_print_bytes(bytes))
}

fn unless_nobody_reads(printed: io::Result<()>) -> Result<(), Failure> {
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints text for people, where it matters whether they get it.
pub(crate) fn try_print(text: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Prints a line for machines, as it is and in one piece.
pub(crate) fn try_print_line(mut line: Vec<u8>) -> io::Result<()> {
    line.push(b'\n');
    try_print_bytes(&line)
}

fn try_print_bytes(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Writes a line to standard error. If that fails there is nobody left to tell.
pub(crate) fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Text in a style.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Adds a line with its label, for people.
pub(crate) fn add(text: &mut String, label: &str, line: &str) {
    text.push_str(&format!("{label:<12}{}\n", plain(line)));
}

/// A peer's text without the control characters that could steer a terminal or break a line.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_control() {
            plain.extend(char.escape_default());
        } else {
            plain.push(char);
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peers_text_cannot_steer_the_terminal() {
        assert_eq!(plain("Jürgen 张三"), "Jürgen 张三");
        assert_eq!(plain("\u{1b}[2Ja\nb\u{9b}"), "\\u{1b}[2Ja\\nb\\u{9b}");
    }
}
