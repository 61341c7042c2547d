//! What is sent, and what must come of it.

use std::time::SystemTime;

use trtc_call_webhook::adapter::Answer;
use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{Ack, CallResult, Callback, Command, ErrorKind, SdkAppId, Token};

use super::receiver::Seen;
use crate::sample::{self, new_call_id};
use crate::signature::Signature;

/// A command that nobody knows yet.
const UNKNOWN_COMMAND: &str = "Call.CallbackAfterSomethingNew";

/// One request and what is expected.
pub(super) struct Case {
    /// The command by its name on the wire.
    pub(super) command: Command,
    /// What is special about it.
    pub(super) with: String,
    pub(super) request: Request,
    pub(super) answer: Answer,
    pub(super) seen: Option<Seen>,
}

impl Case {
    /// A request for which the handler runs.
    fn taken(with: &str, request: Request, callback: Callback) -> Self {
        Self {
            command: callback.command().clone(),
            with: with.to_owned(),
            request,
            answer: Ack::ok().answer(),
            seen: Some(Seen { callback, is_duplicate: false }),
        }
    }

    /// The same once more: the handler runs, and knows it again.
    fn again(self) -> Self {
        let seen = self.seen.map(|seen| Seen { is_duplicate: true, ..seen });
        Self { seen, ..self }
    }

    /// A request that no handler sees.
    fn refused(with: &str, request: Request, kind: ErrorKind) -> Self {
        Self {
            command: Command::CallEnded,
            with: with.to_owned(),
            request,
            answer: kind.answer(),
            seen: None,
        }
    }
}

/// Every case, in the order in which they are sent.
pub(super) fn all(sdk_app_id: SdkAppId, token: &Token) -> Vec<Case> {
    let sample = super::sample(42, SystemTime::now());
    let right = Signature::Right(token.clone());
    let taken = |with: &str, callback: Callback| {
        let request = right.sign(Request::new(sdk_app_id, callback.clone()));
        Case::taken(with, request, callback)
    };
    let ended = |result: &CallResult| sample.call_ended(&new_call_id(), result.clone());
    let normal_end = || Request::new(sdk_app_id, ended(&CallResult::NormalEnd));

    let mut cases = Vec::new();
    for result in CallResult::KNOWN {
        let callback = Callback::from(ended(result));
        cases.push(taken(result.as_str(), callback.clone()));
        if *result == CallResult::NormalEnd {
            cases.push(taken("duplicate", callback).again());
        }
    }
    // It ended normally, but does not say that anybody answered: no bill can be made of it alone.
    let mut without_accept = ended(&CallResult::NormalEnd);
    without_accept.accept_time = None;
    cases.push(taken("no accept time", without_accept.into()));
    cases.push(taken("callee rings", sample.call_started(&new_call_id()).into()));
    cases.push(taken("callee accepts", sample.member_changed(&new_call_id()).into()));
    cases.push(taken("unknown command", sample::other(UNKNOWN_COMMAND.into()).into()));

    let another_app = sdk_app_id.get().saturating_add(1);
    let foreign = Request::new(another_app, ended(&CallResult::NormalEnd));
    let wrong = Signature::Wrong(token.clone());
    let stale = Signature::Stale(token.clone());
    let broken = normal_end().with_body(r#"{"CallbackCommand":"#);
    cases.extend([
        Case::refused("foreign SDKAppID", right.sign(foreign), ErrorKind::ForeignApp),
        Case::refused("wrong signature", wrong.sign(normal_end()), ErrorKind::BadSignature),
        Case::refused("stale signature", stale.sign(normal_end()), ErrorKind::StaleSignature),
        Case::refused("broken JSON", right.sign(broken), ErrorKind::MalformedBody),
    ]);
    cases
}
