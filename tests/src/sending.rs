//! What the command `trtc-call send` says of the answers it gets.

use std::process::Output;

use crate::example::APP;
use crate::programs::{Programs, output};

impl Programs {
    /// Runs `trtc-call send` with `token`, more arguments, and `input` on its standard input.
    #[must_use]
    pub fn send(&self, url: &str, token: Option<&str>, more: &[&str], input: &str) -> Sending {
        let mut command = self.command("trtc-call");
        // Not two seconds: what is asked here is what is answered, not how soon.
        command.args(["send", "--timeout", "20", "--url", url]).args(more);
        if !more.contains(&"--sdk-app-id") {
            command.args(["--sdk-app-id", &APP.to_string()]);
        }
        if let Some(token) = token {
            command.env("CALLBACK_TOKEN", token);
        }
        Sending::new(&output(command, input.as_bytes()))
    }
}

/// What came of `trtc-call send`.
#[derive(Debug)]
pub struct Sending {
    /// Exit status.
    pub status: Option<i32>,
    /// Status, `content-type` and body of each answer, as printed.
    pub answers: Vec<[String; 3]>,
    /// Everything that it printed.
    pub text: String,
}

impl Sending {
    fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        let text = text(&output.stdout) + &text(&output.stderr);
        let mut lines = text.lines();
        let mut answers = Vec::new();
        while let Some(line) = lines.next() {
            if let Some(head) = line.strip_prefix("HTTP ") {
                let mut words = head.split("  ").map(str::to_owned);
                let status = words.next().expect("a status");
                let kind = words.next().expect("a content-type");
                answers.push([status, kind, lines.next().expect("a body").to_owned()]);
            }
        }
        Self { status: output.status.code(), answers, text }
    }
}
