//! What is printed of a judgement: for people, or for machines.

use std::fmt::Write as _;

use serde_json::json;
use trtc_call_webhook::{Command, Parameter};

use super::judge::{Case, Outcome};
use super::steps::{self, Step};
use crate::event::Decoded;
use crate::out::{BAD, BOLD, DIM, GOOD, add, plain, styled};
use crate::time;
use crate::verdict::Verdict;

/// Everything that is found about a request.
pub(super) struct Report<'a> {
    case: &'a Case<'a>,
    outcome: Outcome,
    steps: Vec<Step>,
    /// What the handler is given, as far as the body decodes.
    decoded: Option<Decoded>,
    /// What the vendor would make of the answer.
    verdict: Option<Verdict>,
}

impl<'a> Report<'a> {
    pub(super) fn new(case: &'a Case<'a>) -> Self {
        let outcome = case.outcome(case.clock.at);
        let decoded = match &outcome {
            Outcome::Delivered(body) => {
                let in_url = Command::from(case.parameter(Parameter::Command));
                Decoded::new(Some(&in_url), body).ok().flatten()
            }
            _ => None,
        };
        let verdict =
            outcome.answer().map(|answer| Verdict::of_answer(answer.status(), answer.body()));
        let steps = steps::steps(case, &outcome);
        Self { case, outcome, steps, decoded, verdict }
    }

    /// The HTTP status of the answer.
    pub(super) fn status(&self) -> Option<u16> {
        self.outcome.answer().map(|answer| answer.status())
    }

    /// A line of JSON without the line feed.
    pub(super) fn json(&self) -> Vec<u8> {
        let Self { case, outcome, steps, decoded, verdict } = self;
        let report = json!({
            "understood": case.request.notes,
            "request": {
                "method": case.request.method,
                "query_bytes": case.request.query.len(),
                "body_bytes": case.request.body.as_ref().map(Vec::len),
            },
            "verifier": {
                "sdk_app_id": case.sdk_app_id, "tokens": case.tokens.len(),
                "report_only": case.report_only, "takes": case.takes.name(),
            },
            "clock": { "unix_seconds": time::seconds(case.clock.at), "now": case.clock.is_now },
            "steps": steps,
            "event": decoded.as_ref().map(Decoded::event),
            "unknown_fields": decoded.as_ref().map(|decoded| &decoded.unknown),
            "billing": decoded.as_ref().and_then(Decoded::billing),
            // From here on null where nobody knows without the body.
            "answer": outcome.answer().map(|answer| json!({
                "status": answer.status(), "content_type": answer.content_type(),
                "allow": answer.allow(), "body": String::from_utf8_lossy(answer.body()),
            })),
            "acknowledged": self.status().map(|status| status == 200),
            "handler_runs": match outcome {
                Outcome::HeadOnly => None,
                outcome => Some(matches!(outcome, Outcome::Delivered(_))),
            },
            "delivered": verdict.as_ref().map(|verdict| verdict.is_delivered),
            "delivered_why": verdict.as_ref().map(|verdict| &verdict.why),
        });
        report.to_string().into_bytes()
    }

    /// The explanation for people. Writing to a string has no way to fail.
    pub(super) fn text(&self) -> String {
        let Case { request, clock, .. } = self.case;
        let mut text = String::new();
        for note in &request.notes {
            add(&mut text, "understood", note);
        }
        let body = request.body.as_ref().map(|body| format!("{} bytes", body.len()));
        let line = format!(
            "{}  query {} bytes  body {}",
            request.method.as_deref().unwrap_or("method unknown"),
            request.query.len(),
            body.as_deref().unwrap_or("unknown"),
        );
        add(&mut text, "request", &line);
        let now = if clock.is_now { ", which is now" } else { "" };
        add(&mut text, "clock", &format!("{}{now}", time::text(clock.at)));
        text.push('\n');
        for Step { row, name, result, reason, hints, .. } in &self.steps {
            let (word, style) = match *result {
                "passed" => ("passed", GOOD),
                "failed" => ("FAILED", BAD),
                other => (other, DIM),
            };
            let word = styled(style, &format!("{word:<11}"));
            let _ = writeln!(text, "{row:>2}  {name:<9}  {word}  {}", plain(reason));
            for hint in hints {
                let _ = writeln!(text, "{:>26}-> {}", "", plain(hint));
            }
        }
        text.push('\n');
        self.add_event(&mut text);
        self.add_answer(&mut text);
        text
    }

    fn add_event(&self, text: &mut String) {
        let Some(decoded) = &self.decoded else { return };
        // One variant of an enum: its name, and what is in it.
        for (name, fields) in decoded.event().as_object().into_iter().flatten() {
            add(text, "event", name);
            for (field, value) in fields.as_object().into_iter().flatten() {
                if !value.is_null() {
                    add(text, "", &format!("{field}: {value}"));
                }
            }
        }
        match &decoded.unknown {
            None => add(text, "not known", "the command, or what odd values are in the body"),
            Some(fields) => {
                for field in fields {
                    add(text, "not known", field);
                }
            }
        }
        if let Some(verdict) = decoded.billing() {
            add(text, "billing", &verdict);
        }
        text.push('\n');
    }

    fn add_answer(&self, text: &mut String) {
        let (Some(answer), Some(verdict)) = (self.outcome.answer(), &self.verdict) else {
            text.push_str("answer: nobody knows without the body\n");
            return;
        };
        let handler = match self.outcome {
            Outcome::Delivered(_) => "runs; this is the answer if it keeps the callback",
            _ => "does not run",
        };
        let allow = answer.allow().map_or(String::new(), |allow| format!("  allow: {allow}"));
        let head = format!("HTTP {}  {}{allow}", answer.status(), answer.content_type());
        let word = if verdict.is_delivered { styled(GOOD, "yes") } else { styled(BAD, "no") };
        let _ = writeln!(
            text,
            "the handler {handler}\n{}\n{}\ndelivered: {word} — {}",
            styled(BOLD, &head),
            String::from_utf8_lossy(answer.body()),
            verdict.why
        );
    }
}
