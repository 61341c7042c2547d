//! Texts as the tables have them. PostgreSQL's hold no NUL, and those of callbacks may.

use std::borrow::Cow;

/// A text for a column, in another form only if it has to be.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if text.contains(['\\', '\0']) {
        Cow::Owned(text.replace('\\', "\\\\").replace('\0', "\\0"))
    } else {
        Cow::Borrowed(text)
    }
}

/// A text from a column.
pub(crate) fn unescape(column: String) -> String {
    if !column.contains('\\') {
        return column;
    }
    let mut text = String::with_capacity(column.len());
    let mut chars = column.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => text.push(if chars.next() == Some('0') { '\0' } else { '\\' }),
            char => text.push(char),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_and_no_two_become_one() {
        let texts = ["", "a", "\0", "\\", "\\0", "\\\0", "\0\\", "\\\\0", "a\0b\\0c", "ä\0"];
        let columns = texts.map(|text| escape(text).into_owned());
        for (text, column) in texts.iter().zip(&columns) {
            assert!(!column.contains('\0'));
            assert_eq!(unescape(column.clone()), *text);
            assert_eq!(columns.iter().filter(|other| *other == column).count(), 1);
        }
    }
}
