//! A URL as people and logs hand it on.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// What stands around a URL in texts.
const AROUND: [(char, char); 6] =
    [('\'', '\''), ('"', '"'), ('`', '`'), ('<', '>'), ('“', '”'), ('‘', '’')];

/// What stands for an ampersand, and whose habit that is.
const AMPERSANDS: [(&str, &str); 4] = [
    ("&amp;", "`&` was written `&amp;`, as in HTML"),
    ("\\u0026", "`&` was written `\\u0026`, as in JSON logs"),
    ("\\x26", "`&` was written `\\x26`, as in access logs"),
    ("%26amp;", "`&` was written `%26amp;`"),
];

/// The two parts of a URL that matter.
pub(super) struct Target {
    pub(super) path: String,
    /// What stands behind the first `?`, undecoded.
    pub(super) query: String,
}

impl Target {
    /// The target of a request line, as it stands.
    pub(super) fn exact(target: &str) -> Self {
        let (rest, query) = target.split_once('?').unwrap_or((target, ""));
        // An absolute one has a host before its path.
        let path = match rest.split_once("://") {
            Some((_, rest)) => {
                rest.split_once('/').map_or("/".to_owned(), |(_, p)| format!("/{p}"))
            }
            None => rest.to_owned(),
        };
        Self { path, query: query.to_owned() }
    }

    /// The target of a text that was written down, with what others did to it undone.
    pub(super) fn captured(text: &str, notes: &mut Vec<String>) -> Self {
        let mut url = Cow::Borrowed(bare(text, notes));
        if url.contains(['\r', '\n']) {
            url = Cow::Owned(
                url.split(['\r', '\n']).map(|l| l.trim().trim_end_matches('\\')).collect(),
            );
            notes.push("the URL was broken into lines: joined".to_owned());
        }
        for (written, note) in AMPERSANDS {
            if url.contains(written) {
                url = Cow::Owned(url.replace(written, "&"));
                notes.push(note.to_owned());
            }
        }
        if url.contains('\\') {
            url = Cow::Owned(url.replace('\\', ""));
            notes.push("there were backslashes, as for a shell: removed".to_owned());
        }
        let is_encoded = |plain: char, code: &str| {
            !url.contains(plain) && url.to_ascii_uppercase().contains(code)
        };
        if is_encoded('=', "%3D") && (is_encoded('?', "%3F") || is_encoded('&', "%26")) {
            url = Cow::Owned(percent_decode_str(&url).decode_utf8_lossy().into_owned());
            notes.push("the URL was percent-encoded as a whole: decoded once".to_owned());
        }
        if let Some((before, _)) = url.split_once('#') {
            url = Cow::Owned(before.to_owned());
            notes.push("what stood behind `#` never reaches a server: left out".to_owned());
        }
        if !url.contains('?') && url.contains('=') {
            notes.push("a query without a URL".to_owned());
            return Self { path: String::new(), query: url.into_owned() };
        }
        if !url.contains("://") {
            notes.push("a path without a host".to_owned());
        }
        Self::exact(&url)
    }
}

/// The text without white space and quotes around it.
fn bare<'a>(text: &'a str, notes: &mut Vec<String>) -> &'a str {
    let mut text = text.trim();
    while let Some((open, inner)) = AROUND
        .iter()
        .find_map(|(open, close)| Some((*open, text.strip_prefix(*open)?.strip_suffix(*close)?)))
    {
        notes.push(format!("the URL stood in {open}…: taken out"));
        text = inner.trim();
    }
    text
}
