//! What is to be sent.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{CallResult, Callback, Command, OtherCallback, SdkAppId, Token};

use crate::args::SendArgs;
use crate::failure::Failure;
use crate::sample::{self, Sample};
use crate::settings;
use crate::signature::Signature;

/// Everything that is asked for, made anew for each time that it is sent.
pub(crate) struct Plan {
    sdk_app_id: SdkAppId,
    signature: Signature,
    sample: Sample,
    call_id: Option<String>,
    kinds: Vec<Kind>,
    count: u32,
}

/// One of the callbacks of a round.
pub(super) enum Kind {
    Ended(CallResult),
    Started,
    Changed,
    Other(Command),
    /// A body of the user's own, whatever it is.
    Body(Command, Vec<u8>),
}

/// A callback, ready to be sent.
pub(super) struct Outgoing {
    pub(super) what: What,
    pub(super) request: Request,
}

/// What a callback is, in words that hold no secret.
pub(super) struct What {
    pub(super) command: Command,
    /// None for a body of the user's own, and for what has none.
    pub(super) call_id: Option<String>,
    /// All of it in one line.
    pub(super) text: String,
}

impl Plan {
    pub(super) fn new(args: SendArgs) -> Result<Self, Failure> {
        let sdk_app_id = settings::sdk_app_id(args.sdk_app_id)?
            .ok_or_else(|| Failure::new("no app is given: --sdk-app-id N says which"))?;
        let token = settings::tokens(args.token)?.into_iter().next().map(Token::from);
        let needed = |token: Option<Token>| {
            token.ok_or_else(|| Failure::new("--wrong-signature and --stale need a --token"))
        };
        let signature = if args.unsigned {
            Signature::None
        } else if args.wrong_signature {
            Signature::Wrong(needed(token)?)
        } else if args.stale {
            Signature::Stale(needed(token)?)
        } else {
            token.map_or(Signature::None, Signature::Right)
        };
        let results = if args.all_results {
            CallResult::KNOWN.to_vec()
        } else {
            args.result.into_iter().map(CallResult::from).collect()
        };
        Ok(Self {
            sdk_app_id,
            signature,
            sample: Sample {
                caller: args.caller,
                callees: args.callee,
                talk_seconds: args.talk_seconds,
                ring_seconds: args.ring_seconds,
                now: SystemTime::now(),
            },
            call_id: args.call_id,
            kinds: kinds(command(args.command), results, args.body)?,
            count: args.count,
        })
    }

    pub(super) const fn sdk_app_id(&self) -> SdkAppId {
        self.sdk_app_id
    }

    /// How many callbacks are sent in all.
    pub(super) fn total(&self) -> u64 {
        let round = u64::try_from(self.kinds.len()).unwrap_or(u64::MAX);
        round.saturating_mul(self.count.into())
    }

    /// The callbacks in the order in which they are sent.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &Kind> + Send {
        (0..self.count).flat_map(|_| &self.kinds)
    }

    /// Makes a callback that is to be sent now.
    pub(super) fn outgoing(&self, kind: &Kind) -> Outgoing {
        let call_id = self.call_id.clone().unwrap_or_else(sample::new_call_id);
        let (callback, detail): (Callback, _) = match kind {
            Kind::Ended(result) => {
                let detail = format!("{result}  call {call_id}");
                (self.sample.call_ended(&call_id, result.clone()).into(), detail)
            }
            Kind::Started => (self.sample.call_started(&call_id).into(), format!("call {call_id}")),
            Kind::Changed => {
                (self.sample.member_changed(&call_id).into(), format!("call {call_id}"))
            }
            Kind::Other(command) => (sample::other(command.clone()).into(), String::new()),
            Kind::Body(command, body) => {
                let detail = format!("a body of {} bytes", body.len());
                (OtherCallback::new(command.clone(), "").into(), detail)
            }
        };
        let what = What {
            command: callback.command().clone(),
            call_id: callback.call_id().map(str::to_owned),
            text: format!("{}  {detail}", callback.command()),
        };
        let mut request = Request::new(self.sdk_app_id, callback);
        if let Kind::Body(_, body) = kind {
            request = request.with_body(body.clone());
        }
        Outgoing { what, request: self.signature.sign(request) }
    }
}

/// The names of this tool for the commands, or the vendor's own.
fn command(name: String) -> Command {
    match name.as_str() {
        "CallEnded" => Command::CallEnded,
        "CallStarted" => Command::CallStarted,
        "MemberChanged" => Command::MemberChanged,
        _ => Command::from(name),
    }
}

fn kinds(
    command: Command,
    results: Vec<CallResult>,
    body: Option<PathBuf>,
) -> Result<Vec<Kind>, Failure> {
    if let Some(file) = body {
        return Ok(vec![Kind::Body(command, read(&file)?)]);
    }
    if command != Command::CallEnded && !results.is_empty() {
        return Err(Failure::new("only an ended call has a result: leave --command out"));
    }
    Ok(match command {
        Command::CallEnded if results.is_empty() => vec![Kind::Ended(CallResult::NormalEnd)],
        Command::CallEnded => results.into_iter().map(Kind::Ended).collect(),
        Command::CallStarted => vec![Kind::Started],
        Command::MemberChanged => vec![Kind::Changed],
        other => vec![Kind::Other(other)],
    })
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let is_stdin = file.as_os_str() == "-";
    let body = if is_stdin {
        let mut body = Vec::new();
        io::stdin().lock().read_to_end(&mut body).map(|_| body)
    } else {
        fs::read(file)
    };
    body.map_err(|error| Failure::new(format!("cannot read {}: {error}", file.display())))
}
