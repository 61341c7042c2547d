//! What the endpoint answers to callbacks that tell of no call.

mod answer;

use std::time::{Duration, SystemTime};

use reqwest::Method;
use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{Command, SdkAppId};

use self::answer::{Answered, Judged};
use super::Exam;
use super::clock::{self, Whose};
use super::place::Place;
use super::report::{Check, Report};
use crate::client::{Client, Trust};
use crate::sample;

/// As the vendor's other products wait (1047/34354).
const TIMEOUT: Duration = Duration::from_secs(2);

/// Nobody bills for it. The body is the same each time, so that an inbox keeps it once.
const COMMAND: &str = "Call.DoctorProbe";

const NO_RECEIVER: &str = "the endpoint does not answer as a receiver";

/// What an endpoint wants of signatures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Signatures {
    Required,
    NotRequired,
}

/// Says that nothing is tried.
pub(super) fn skip(why: &str, report: &mut Report) {
    for check in [Check::Signed, Check::Unsigned, Check::Foreign, Check::Get] {
        report.skip(check, why);
    }
}

/// Sends the probes, one after the other; gives what the endpoint wants of signatures, if it answers as a
/// receiver.
pub(super) async fn check(exam: &Exam, place: &Place, report: &mut Report) -> Option<Signatures> {
    let client = Trust::only(&exam.authorities).and_then(|trust| Client::new(TIMEOUT, trust));
    let mut probes = match client {
        Ok(client) => Probes { client, exam, place, is_clock_known: false },
        Err(error) => {
            skip(&error.to_string(), report);
            return None;
        }
    };
    let signatures = probes.own(report).await;
    if signatures.is_some() {
        probes.foreign(report).await;
        probes.get(report).await;
    } else {
        for check in [Check::Foreign, Check::Get] {
            report.skip(check, NO_RECEIVER);
        }
    }
    signatures
}

struct Probes<'a> {
    client: Client,
    exam: &'a Exam,
    place: &'a Place,
    /// Whether the endpoint's clock was looked at.
    is_clock_known: bool,
}

impl Probes<'_> {
    /// Those of the app itself.
    async fn own(&mut self, report: &mut Report) -> Option<Signatures> {
        let has_token = self.exam.token.is_some();
        let is_signed_taken = if has_token {
            self.signed(report).await?
        } else {
            report.skip(Check::Signed, "no token is given: --token or CALLBACK_TOKEN has it");
            false
        };
        match self.post(request(self.exam.sdk_app_id), report).await.judge(self.place, false) {
            Judged::Taken(text) => {
                self.taken_unsigned(&text, report);
                return Some(Signatures::NotRequired);
            }
            Judged::Forbidden(text) if is_signed_taken => report.ok(
                Check::Unsigned,
                format!(
                    "{text}: a signature is required; whether the vendor signs Call's callbacks is not \
                     documented"
                ),
            ),
            Judged::Forbidden(text) if has_token => report.ok(Check::Unsigned, text),
            Judged::Forbidden(text) => report.find(
                Check::Unsigned,
                format!(
                    "{text}: it requires a signature, or does not serve app {}",
                    self.exam.sdk_app_id
                ),
                "nobody documents whether the vendor signs Call's callbacks: begin with \
                 `insecure_report_only`, see what comes, and require then; --token tries a signed one",
            ),
            Judged::Bad(text, advice) => {
                report.find(Check::Unsigned, text, advice);
                return is_signed_taken.then_some(Signatures::Required);
            }
        }
        Some(Signatures::Required)
    }

    /// Whether a signed one is taken; `None` if it is not even refused as by a receiver.
    async fn signed(&mut self, report: &mut Report) -> Option<bool> {
        let token = self.exam.token.as_ref()?;
        let signed = request(self.exam.sdk_app_id).signed(token, SystemTime::now());
        match self.post(signed, report).await.judge(self.place, true) {
            Judged::Taken(text) => {
                report.ok(Check::Signed, text);
                Some(true)
            }
            Judged::Forbidden(text) => {
                report.find(
                    Check::Signed,
                    text,
                    format!(
                        "is it the endpoint's token, its clock right, and app {} served? Its log says which",
                        self.exam.sdk_app_id
                    ),
                );
                Some(false)
            }
            Judged::Bad(text, advice) => {
                report.find(Check::Signed, text, advice);
                report.skip(Check::Unsigned, NO_RECEIVER);
                None
            }
        }
    }

    /// Right for a beginning, if the URL is a secret.
    fn taken_unsigned(&self, text: &str, report: &mut Report) {
        if self.place.has_secret() || self.place.is_at_home {
            report.ok(Check::Unsigned, format!("{text}: whoever knows the URL can post callbacks"));
        } else {
            report.find(
                Check::Unsigned,
                format!(
                    "{text}, and the URL's path has no long random segment: whoever guesses it can post \
                     callbacks"
                ),
                "`trtc-call callback set --random-segment` makes one; require signatures once they are seen \
                 to come",
            );
        }
    }

    /// The page of each callback asks to check the SDKAppID (647/68940).
    async fn foreign(&mut self, report: &mut Report) {
        // The vendor's numbers have ten digits, or eight.
        let own = self.exam.sdk_app_id.get();
        let foreign = SdkAppId::new(if own == 1 { 2 } else { 1 });
        match self.post(request(foreign), report).await.acknowledged() {
            Ok(answer) => report.find(
                Check::Foreign,
                format!(
                    "{answer} for app {foreign}, which is nobody's: anybody's callbacks are taken"
                ),
                "check the URL's SDKAppID, as a `Verifier` does",
            ),
            Err(answer) => {
                report.ok(Check::Foreign, format!("another app's is not taken: {answer}"));
            }
        }
    }

    async fn get(&mut self, report: &mut Report) {
        let reply = self.client.ask(Method::GET, self.place.endpoint.as_str(), b"").await;
        match Answered(reply).acknowledged() {
            Ok(answer) => report.find(
                Check::Get,
                format!("{answer} to a GET, which holds no callback"),
                "something before the receiver answers, or it acknowledges whatever comes",
            ),
            Err(answer) => report.ok(Check::Get, format!("a GET is no callback: {answer}")),
        }
    }

    async fn post(&mut self, request: Request, report: &mut Report) -> Answered {
        let url = request.url(self.place.endpoint.as_str());
        let reply = self.client.ask(Method::POST, &url, request.body()).await;
        if let (Ok(answer), false) = (&reply, self.is_clock_known) {
            self.is_clock_known = true;
            clock::judge(Whose::Endpoint, answer.date.as_deref(), report);
        }
        Answered(reply)
    }
}

fn request(app: SdkAppId) -> Request {
    Request::new(app, sample::other(Command::from(COMMAND)))
}
