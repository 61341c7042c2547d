//! What others say, made fit for an error or a log line.

/// The shortest piece of a secret that is cut out. Ordinary words are shorter, random segments longer.
const MIN_PIECE: usize = 12;

/// Secrets that a request holds, which its answer may repeat.
#[derive(Clone, Copy, Default)]
pub(crate) struct Secrets<'a>(pub(crate) &'a [&'a str]);

impl Secrets<'_> {
    /// The text without the secrets and long pieces of them, without control characters, and of at most
    /// `max` bytes.
    pub(crate) fn redact(self, text: &str, max: usize) -> String {
        let mut text = text.to_owned();
        for secret in self.0.iter().filter(|secret| secret.len() > 1) {
            text = text.replace(secret, "…");
        }
        let mut redacted = String::new();
        for word in text.split_inclusive(|c| !is_of_secret(c)) {
            let piece = word.trim_end_matches(|c| !is_of_secret(c));
            let rest = word.strip_prefix(piece).unwrap_or_default();
            redacted.push_str(if self.has(piece) { "…" } else { piece });
            redacted.push_str(rest);
        }
        shorten(redacted.chars().flat_map(char::escape_debug), max)
    }

    fn has(self, piece: &str) -> bool {
        let is_secret =
            |secret: &&str| secret.contains(piece) || secret.len() > 1 && piece.contains(*secret);
        piece.len() >= MIN_PIECE && self.0.iter().any(is_secret)
    }
}

/// Whether it may stand in a UserSig or in a random segment of a URL.
const fn is_of_secret(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '*' | '-' | '_')
}

fn shorten(chars: impl Iterator<Item = char>, max: usize) -> String {
    let mut short = String::new();
    for char in chars {
        // Room is left for the sign that it goes on.
        if short.len().saturating_add(char.len_utf8()) > max.saturating_sub('…'.len_utf8()) {
            short.push('…');
            break;
        }
        short.push(char);
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIG: &str = "eJyrVgrxCdYrSy1SslIy0jNQ0gHzM1NS80oy0zLBwhWZ";

    #[test]
    fn a_secret_and_what_is_left_of_one_are_cut_out() {
        let redact = |text: &str| Secrets(&[SIG, "/a/055662e1bc8a469c", "/"]).redact(text, 256);
        assert_eq!(redact(&format!("usersig={SIG}&x=1")), "usersig=…&x=1");
        assert_eq!(redact(&format!("sig {}.", &SIG[..20])), "sig ….");
        assert_eq!(redact(&format!("sig {}", &SIG[9..30])), "sig …");
        assert_eq!(redact("bad http://h/a/055662e1bc8a469c"), "bad http://h…");
        assert_eq!(redact("bad 055662e1bc8a…"), "bad ……");
        assert_eq!(
            redact("CallId 055662e1-bc8a-469c not/found"),
            "CallId 055662e1-bc8a-469c not/found"
        );
    }

    #[test]
    fn what_is_left_is_one_short_line() {
        assert_eq!(
            Secrets::default().redact("a\r\n\u{1b}[1m\"令\"", 64),
            r#"a\r\n\u{1b}[1m\"令\""#
        );
        for text in ["x".repeat(1000), "令".repeat(1000), "\u{1}".repeat(1000)] {
            let redacted = Secrets::default().redact(&text, 256);
            assert!(redacted.len() <= 256 && redacted.ends_with('…'), "{redacted}");
        }
    }
}
