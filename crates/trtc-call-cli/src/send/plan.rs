//! What is to be sent.

use std::path::PathBuf;
use std::time::SystemTime;

use trtc_call_webhook::sender::Request;
use trtc_call_webhook::{
    CallResult, Callback, Command, OtherCallback, SdkAppId, Token, UnixSeconds, decode,
};

use crate::args::SendArgs;
use crate::failure::Failure;
use crate::input;
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
    Body(Box<Callback>, Vec<u8>),
}

/// A callback, ready to be sent.
pub(super) struct Outgoing {
    pub(super) what: What,
    pub(super) request: Request,
}

/// What a callback is, in words that hold no secret.
pub(super) struct What {
    pub(super) command: Command,
    /// None for what has none, or where it cannot be read.
    pub(super) call_id: Option<String>,
    /// Of an ended call, how it ended.
    pub(super) result: Option<String>,
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
                start_time: args.start_time.map(UnixSeconds::new),
                now: SystemTime::now(),
            },
            call_id: args.call_id,
            kinds: kinds(args.command.map(settings::command), results, args.body)?,
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

    /// The callback that is sent in this place, from 0; none behind the last.
    pub(super) fn kind(&self, number: u64) -> Option<&Kind> {
        let round = u64::try_from(self.kinds.len()).ok()?;
        let place = usize::try_from(number.checked_rem(round)?).ok()?;
        self.kinds.get(place).filter(|_| number < self.total())
    }

    /// Makes a callback that is to be sent now.
    pub(super) fn outgoing(&self, kind: &Kind) -> Outgoing {
        let call_id = self.call_id.clone().unwrap_or_else(sample::new_call_id);
        let callback: Callback = match kind {
            Kind::Ended(result) => self.sample.call_ended(&call_id, result.clone()).into(),
            Kind::Started => self.sample.call_started(&call_id).into(),
            Kind::Changed => self.sample.member_changed(&call_id).into(),
            Kind::Other(command) => sample::other(command.clone()).into(),
            Kind::Body(callback, _) => Callback::clone(callback),
        };
        let mut what = What::of(&callback);
        let mut request = Request::new(self.sdk_app_id, callback);
        if let Kind::Body(_, body) = kind {
            what.text = format!("{}  a body of {} bytes", what.text, body.len());
            request = request.with_body(body.clone());
        }
        Outgoing { what, request: self.signature.sign(request) }
    }
}

impl What {
    fn of(callback: &Callback) -> Self {
        let result = match callback {
            Callback::CallEnded(call) => call.result.as_ref().map(CallResult::to_string),
            _ => None,
        };
        let command = callback.command().clone();
        let call_id = callback.call_id().map(str::to_owned);
        let mut text = command.to_string();
        for (before, word) in [("", &result), ("call ", &call_id)] {
            if let Some(word) = word {
                text = format!("{text}  {before}{word}");
            }
        }
        Self { command, call_id, result, text }
    }
}

fn kinds(
    command: Option<Command>,
    results: Vec<CallResult>,
    body: Option<PathBuf>,
) -> Result<Vec<Kind>, Failure> {
    if let Some(file) = body {
        let body = if file.as_os_str() == "-" { input::stdin()? } else { input::file(&file)? };
        return Ok(vec![Kind::Body(Box::new(told(command, &body)), body)]);
    }
    let command = command.unwrap_or(Command::CallEnded);
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

/// What a body of the user's own tells, by the URL's command if that is given. A body that tells
/// nothing is sent all the same: that is what is tried, perhaps.
fn told(command: Option<Command>, body: &[u8]) -> Callback {
    let by = |command| decode::<Callback>(command, body).ok().flatten();
    let told = match &command {
        Some(command) => by(Some(command)),
        None => by(None).or_else(|| by(Some(&Command::CallEnded))),
    };
    told.unwrap_or_else(|| OtherCallback::new(command.unwrap_or(Command::CallEnded), "").into())
}
