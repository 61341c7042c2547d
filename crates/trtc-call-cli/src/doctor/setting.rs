//! What the vendor says: whether it takes the credentials, and where it sends which callbacks.

use trtc_call_api::{CallbackSettings, Client, Code, Error};
use trtc_call_webhook::Command;

use super::place::shown;
use super::report::{Check, Report};

/// What to do about a refusal that the table of codes has no advice for.
const LOOK_UP: &str = "look the code up at the vendor; its support asks for the request id";

/// Asks what is set: `None` if there is no answer, `Some(None)` if nothing is set.
pub(super) async fn check(
    vendor: &Client,
    url: Option<&str>,
    report: &mut Report,
) -> Option<Option<CallbackSettings>> {
    match vendor.callback().await {
        Ok(set) => {
            report
                .ok(Check::Credentials, format!("the vendor takes them at {}", vendor.base_url()));
            match &set {
                Some(set) => look_at(set, url, report),
                None => {
                    report.find(
                        Check::Setting,
                        "no callback is set: none is sent",
                        "`trtc-call callback set --url URL --random-segment` sets one",
                    );
                    report.skip(Check::Commands, "no callback is set");
                }
            }
            Some(set)
        }
        Err(error) => {
            tell(&error, report);
            for check in [Check::Setting, Check::Commands] {
                report.skip(check, "the vendor does not say what is set");
            }
            None
        }
    }
}

fn tell(error: &Error, report: &mut Report) {
    let advice = error.code().map(|code| Code::advice(code).unwrap_or(LOOK_UP));
    match advice {
        Some(advice) if !error.is_transient() => {
            report.find(Check::Credentials, error.to_string(), advice);
        }
        advice => {
            let away = "is the region or --api-url right, and can this machine reach it?";
            report.find(Check::Vendor, error.to_string(), advice.unwrap_or(away));
            report.skip(Check::Credentials, "the vendor does not say");
        }
    }
}

fn look_at(set: &CallbackSettings, url: Option<&str>, report: &mut Report) {
    match url.filter(|url| *url != set.url) {
        None => report.ok(Check::Setting, format!("callbacks go to {}", shown(&set.url))),
        Some(_) => report.find(
            Check::Setting,
            format!("callbacks go to {}, which is not what --url says", shown(&set.url)),
            "`trtc-call callback set --url URL` has them sent there",
        ),
    }
    let known = |command: &&Command| Command::KNOWN.contains(command);
    if !set.commands.contains(&Command::CallEnded) {
        report.find(
            Check::Commands,
            format!(
                "{} is not among those that are sent: no end of a call is told",
                Command::CallEnded
            ),
            "`trtc-call callback set` with the same URL sets all of them",
        );
    }
    for command in set.commands.iter().filter(|command| !known(command)) {
        let meant = Command::KNOWN.iter().find(|known| is_meant(command, known));
        let text = match meant {
            Some(meant) => {
                format!("{command} is another spelling of {meant}: names are case-sensitive")
            }
            None => format!("{command} is not documented"),
        };
        report.find(
            Check::Commands,
            text,
            "`trtc-call callback set` sets those that are documented",
        );
    }
    if set.commands.iter().all(|command| known(&command))
        && set.commands.contains(&Command::CallEnded)
    {
        let names: Vec<_> = set.commands.iter().map(Command::as_str).collect();
        report.ok(Check::Commands, names.join(", "));
    }
}

/// Whether a name differs from a documented one by its spelling alone, or lacks its family.
fn is_meant(command: &Command, known: &Command) -> bool {
    let plain = |name: &str| {
        let letters = name.chars().filter(char::is_ascii_alphanumeric);
        letters.collect::<String>().to_ascii_lowercase()
    };
    let (command, known) = (plain(command.as_str()), plain(known.as_str()));
    !command.is_empty() && (command == known || known.strip_prefix("call") == Some(&command))
}
