//! The words of a command line, by the rules of a POSIX shell and of `$'…'`.

use std::iter::Peekable;
use std::str::Chars;

/// What follows a program's name where a line starts with it, perhaps behind a prompt.
pub(super) fn arguments<'a>(text: &'a str, program: &str) -> Option<&'a str> {
    let mut rest = text;
    loop {
        let (line, next) = rest.split_once('\n').unwrap_or((rest, ""));
        let (prompt, behind) = line.split_once(program).unwrap_or((line, ""));
        let prompt = prompt.trim();
        let is_start = prompt.is_empty() || prompt.ends_with(['$', '#', '%', '>']);
        let behind = behind.strip_prefix(".exe").unwrap_or(behind);
        if is_start && behind.starts_with(char::is_whitespace) {
            let (_, arguments) = rest.split_once(program)?;
            return Some(arguments.strip_prefix(".exe").unwrap_or(arguments));
        }
        if next.is_empty() {
            return None;
        }
        rest = next;
    }
}

/// A command as it is written for Windows' prompt, with the carets of that undone; none if it is not.
pub(super) fn without_carets(command: &str) -> Option<String> {
    let has_carets = command.contains("^&")
        || command.contains(" ^\"")
        || command.lines().any(|line| line.ends_with('^'));
    if !has_carets {
        return None;
    }
    let mut plain = String::with_capacity(command.len());
    let mut chars = command.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '^' => match chars.next() {
                // The line goes on.
                Some('\r') => _ = chars.next_if_eq(&'\n'),
                Some('\n') | None => {}
                Some(next) => plain.push(next),
            },
            char => plain.push(char),
        }
    }
    Some(plain)
}

/// Splits a command into its words. Stops at the end of the command, but not at an `&` inside a word:
/// that is a URL that somebody forgot to quote, and the flag says so.
pub(super) fn words(command: &str) -> (Vec<String>, bool) {
    let mut chars = command.chars().peekable();
    let mut words = Vec::new();
    let mut has_bare_ampersand = false;
    let mut word: Option<String> = None;
    while let Some(char) = chars.next() {
        let next = chars.peek().copied();
        match (char, next) {
            ('\\', Some('\n')) => _ = chars.next(),
            ('\\', Some('\r')) => _ = (chars.next(), chars.next_if_eq(&'\n')),
            ('\\', _) => word.get_or_insert_default().extend(chars.next()),
            ('\'', _) => single(&mut chars, word.get_or_insert_default()),
            ('"', _) => double(&mut chars, word.get_or_insert_default()),
            ('$', Some('\'')) => {
                chars.next();
                dollar(&mut chars, word.get_or_insert_default());
            }
            ('\n' | ';' | '|', _) => break,
            (char, _) if char.is_whitespace() => words.extend(word.take()),
            ('&', _) if word.is_none() => break,
            (char, _) => {
                has_bare_ampersand |= char == '&';
                word.get_or_insert_default().push(char);
            }
        }
    }
    words.extend(word);
    (words, has_bare_ampersand)
}

/// Up to the next `'`, as it stands.
fn single(chars: &mut Peekable<Chars<'_>>, word: &mut String) {
    word.extend(chars.take_while(|char| *char != '\''));
}

/// Up to the next `"`; a backslash counts only before what is special there.
fn double(chars: &mut Peekable<Chars<'_>>, word: &mut String) {
    while let Some(char) = chars.next() {
        match char {
            '"' => break,
            '\\' => match chars.next_if(|next| matches!(next, '"' | '\\' | '$' | '`' | '\n')) {
                Some('\n') => {}
                Some(next) => word.push(next),
                None => word.push('\\'),
            },
            char => word.push(char),
        }
    }
}

/// Up to the next `'`, with C's escapes: what browsers copy as curl.
fn dollar(chars: &mut Peekable<Chars<'_>>, word: &mut String) {
    while let Some(char) = chars.next() {
        match char {
            '\'' => break,
            '\\' => match chars.next() {
                Some('n') => word.push('\n'),
                Some('r') => word.push('\r'),
                Some('t') => word.push('\t'),
                Some('x') => word.extend(code(chars, 2)),
                Some('u') => word.extend(code(chars, 4)),
                next => word.extend(next),
            },
            char => word.push(char),
        }
    }
}

/// The character of so many hex digits at most.
fn code(chars: &mut Peekable<Chars<'_>>, digits: usize) -> Option<char> {
    let mut hex = String::new();
    while hex.len() < digits
        && let Some(digit) = chars.next_if(char::is_ascii_hexdigit)
    {
        hex.push(digit);
    }
    char::from_u32(u32::from_str_radix(&hex, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_shell() {
        for (command, expected, has_bare_ampersand) in [
            ("curl  -X POST", &["curl", "-X", "POST"][..], false),
            ("a 'b c'd \"e\\\"f\\g\"", &["a", "b cd", "e\"f\\g"], false),
            ("a\\ b \\\n  '' $'x\\n\\'\\u0021\\x41'", &["a b", "", "x\n'!A"], false),
            ("u?a=1\\&b=2 | jq", &["u?a=1&b=2"], false),
            ("u?a=1&b=2 & x", &["u?a=1&b=2"], true),
            ("'open", &["open"], false),
        ] {
            let (words, cut) = words(command);
            assert_eq!(words, expected, "{command}");
            assert_eq!(cut, has_bare_ampersand, "{command}");
        }
    }
}
