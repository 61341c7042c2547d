//! What is found, a line for each check or for each thing that a check finds.

use std::process::ExitCode;

use serde::Serialize;

use crate::failure::Failure;
use crate::out::{self, BAD, DIM, GOOD, plain, styled};

/// What is looked at, in this order.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Check {
    Clock,
    /// Whether the vendor can be reached at all.
    Vendor,
    Credentials,
    Setting,
    Commands,
    Url,
    Dns,
    Tcp,
    Certificate,
    /// What is answered to a signed probe.
    Signed,
    /// To one without a signature.
    Unsigned,
    /// To one of another app.
    Foreign,
    Get,
    /// The calls that the vendor knows, against the inbox.
    Calls,
}

impl Check {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Vendor => "vendor",
            Self::Credentials => "credentials",
            Self::Setting => "setting",
            Self::Commands => "commands",
            Self::Url => "url",
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Certificate => "certificate",
            Self::Signed => "signed",
            Self::Unsigned => "unsigned",
            Self::Foreign => "foreign",
            Self::Get => "get",
            Self::Calls => "calls",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    Finding,
    Skipped,
}

#[derive(Serialize)]
struct Line {
    check: Check,
    status: Status,
    text: String,
    /// What to do, if something is found.
    advice: Option<String>,
}

/// Prints each line for people as it comes, or all of them as one object.
pub(super) struct Report {
    is_json: bool,
    lines: Vec<Line>,
    printed: Result<(), Failure>,
}

#[derive(Serialize)]
struct Object<'a> {
    checks: &'a [Line],
    findings: usize,
}

impl Report {
    pub(super) const fn new(is_json: bool) -> Self {
        Self { is_json, lines: Vec::new(), printed: Ok(()) }
    }

    pub(super) fn ok(&mut self, check: Check, text: impl Into<String>) {
        self.add(Line { check, status: Status::Ok, text: text.into(), advice: None });
    }

    pub(super) fn skip(&mut self, check: Check, why: impl Into<String>) {
        self.add(Line { check, status: Status::Skipped, text: why.into(), advice: None });
    }

    pub(super) fn find(
        &mut self,
        check: Check,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) {
        let (text, advice) = (text.into(), Some(advice.into()));
        self.add(Line { check, status: Status::Finding, text, advice });
    }

    /// How much is found so far.
    pub(super) fn findings(&self) -> usize {
        self.lines.iter().filter(|line| line.status == Status::Finding).count()
    }

    fn add(&mut self, line: Line) {
        if !self.is_json && self.printed.is_ok() {
            self.printed = out::print(&text(&line));
        }
        self.lines.push(line);
    }

    /// The exit status, once everything is printed.
    pub(super) fn end(self) -> Result<ExitCode, Failure> {
        let findings = self.findings();
        self.printed?;
        if self.is_json {
            let object = Object { checks: &self.lines, findings };
            let object = serde_json::to_vec(&object)
                .map_err(|error| Failure::new(format!("cannot write what is found: {error}")))?;
            out::print_line(object)?;
        } else {
            let style = if findings == 0 { GOOD } else { BAD };
            out::print(&format!("{}\n", styled(style, &format!("findings: {findings}"))))?;
        }
        Ok(if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn text(line: &Line) -> String {
    let (style, word) = match line.status {
        Status::Ok => (GOOD, "ok"),
        Status::Finding => (BAD, "FINDING"),
        Status::Skipped => (DIM, "skipped"),
    };
    let word = styled(style, &format!("{word:<7}"));
    let mut text = format!("{:<11}  {word}  {}\n", line.check.as_str(), plain(&line.text));
    if let Some(advice) = &line.advice {
        text.push_str(&format!("{:<11}  -> {}\n", "", plain(advice)));
    }
    text
}
