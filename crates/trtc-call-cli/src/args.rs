//! The command line.
//!
//! What may also stand in the environment is plain text here: `settings` reads both by the same
//! rules. Nothing here is `Debug`, since a token may be in it.

#![expect(clippy::doc_markdown, reason = "these are the texts of `--help`, not of rustdoc")]

mod api;
mod examples;
mod explain;
mod inbox;
mod refusal;
mod vendor;

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{ArgGroup, Parser, Subcommand};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::out;

pub(crate) use self::api::{
    ApiArgs, CallbackArgs, CallbackVerb, DoctorArgs, ReconcileArgs, RecordArgs, RecordsArgs,
    UsersigArgs,
};
pub(crate) use self::explain::{CaptureArgs, ExplainArgs, Takes, VerifierArgs};
pub(crate) use self::inbox::{
    AppArgs, ChosenArgs, EraseArgs, FilterArgs, InboxArgs, ListArgs, PruneArgs, ShowArgs, Verb,
};
pub(crate) use self::vendor::{CallsArgs, ChancesArgs, VendorArgs};

/// Sends the server callbacks of Tencent RTC Call (TUICallKit), receives them, shows both at work,
/// explains why one was refused, tends the inbox in which they are kept, and asks the vendor.
///
/// Exit status: 0 if all is well, 1 if an endpoint's answer would not count as delivered (or a row
/// of the demo is not as expected, or an explained request would be refused, or the inbox or the vendor
/// has nothing of the kind, or a check finds something), 2 if the task cannot be done as it was asked
/// for.
///
/// Colours are for terminals, and not where NO_COLOR is set.
#[derive(Parser)]
#[command(name = "trtc-call", version, after_help = examples::ALL)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) task: Task,
}

impl Args {
    /// Reads the command line. None if only help or the version is asked for: that is printed here.
    pub(crate) fn read() -> Result<Option<Self>, Failure> {
        let error = match Self::try_parse() {
            Ok(args) => return Ok(Some(args)),
            Err(error) => error,
        };
        if let Some(sentence) = refusal::sentence(&error) {
            return Err(Failure::new(sentence));
        }
        if error.use_stderr() {
            error.exit();
        }
        // clap's own `exit` ends well even if nothing could be written.
        out::print(&error.render().ansi().to_string())?;
        Ok(None)
    }
}

#[derive(Subcommand)]
pub(crate) enum Task {
    /// Start a receiver, send it callbacks of every kind, good and bad, and show what came of each
    Demo(DemoArgs),
    /// Send an endpoint what Tencent would send, and say whether it would count as delivered
    Send(Box<SendArgs>),
    /// Receive callbacks on this machine and print a line for each
    Listen(ListenArgs),
    /// Explain row by row what a receiver makes of a captured request, and what to do about it
    ///
    /// The tool for callbacks that do not arrive. What was captured is a raw HTTP request, a URL and
    /// its body, or any text in which the URL stands. It also shows the event that comes out, the
    /// fields that this version does not know, and what a biller may take from it.
    Explain(Box<ExplainArgs>),
    /// Look at the items of an inbox, and decide what becomes of those that need a person
    ///
    /// Servers and workers may have the same inbox open.
    Inbox(InboxArgs),
    /// Make a UserSig and print it alone: what the vendor's API and its clients log in with
    Usersig(UsersigArgs),
    /// Look at where the vendor sends an app's callbacks, and change it
    Callback(CallbackArgs),
    /// Ask the vendor for the record of a call, and say what may be billed
    Record(RecordArgs),
    /// List the records of the calls of a span of time; the vendor keeps them for seven days
    Records(RecordsArgs),
    /// Find the calls whose callback never came: their records go into the inbox, and on to a worker
    Reconcile(ReconcileArgs),
    /// Find out why no callbacks arrive, and say what to do
    ///
    /// Looks at this machine's clock, the credentials, the setting at the vendor, the URL, its address and
    /// certificate, what the endpoint answers, and which calls are in no inbox.
    ///
    /// It changes nothing at the vendor. The endpoint is sent up to three callbacks with the command
    /// Call.DoctorProbe, and a GET. No call is in them, and nothing can be billed of them: a receiver that
    /// follows the documents acknowledges the command as one that it does not know. An inbox keeps the
    /// first of them, whose bytes are the same each time, and its worker has no handler for it; where that
    /// makes a dead letter, `trtc-call inbox discard` removes it.
    Doctor(Box<DoctorArgs>),
    /// Play the vendor: serve its API on this machine, and send the callbacks of made-up calls
    ///
    /// For trying a whole deployment at home, with callbacks that are lost, repeated, late or forged.
    /// Requests are checked as the vendor's documents say. The fake's own are POST /calls, which takes a
    /// CallRecord or a list of them, as calls that have ended (what is missing is made up), and
    /// GET /calls, which gives all records. Everybody who reaches it may use them. When it is stopped,
    /// callbacks that are not due yet are lost.
    Vendor(Box<VendorArgs>),
    /// Print the completions of a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the manual page, as roff
    #[command(after_help = examples::MAN)]
    Man,
}

#[derive(clap::Args)]
#[command(after_help = examples::DEMO)]
pub(crate) struct DemoArgs {
    /// Print one object of JSON instead of the table
    #[arg(long)]
    pub(crate) json: bool,

    /// Take a job of this inbox and end in the middle of it: what the demo has another process do
    #[arg(long, hide = true)]
    pub(crate) end_in_the_middle: Option<PathBuf>,
}

#[derive(clap::Args)]
#[command(after_help = examples::SEND)]
#[command(group = ArgGroup::new("signature").args(["unsigned", "wrong_signature", "stale"]))]
pub(crate) struct SendArgs {
    /// The endpoint, as it is configured at the vendor: http:// or https://
    #[arg(long)]
    pub(crate) url: String,

    /// The app's SDKAppID [env: SDK_APP_ID]
    #[arg(long, value_name = "N")]
    pub(crate) sdk_app_id: Option<String>,

    /// Sign with this token [env: CALLBACK_TOKEN]
    ///
    /// Of several with a comma between them, with the first. Other users of the machine can read a
    /// command line, but not the environment.
    #[arg(long)]
    pub(crate) token: Option<String>,

    /// How the call ended; may be repeated [default: NormalEnd]
    ///
    /// NormalEnd, Cancel, Reject, NotAnswer, CallBusy, Interrupt, Offline, or any other word to
    /// see what the endpoint does with it.
    #[arg(long, value_name = "RESULT", conflicts_with = "all_results")]
    pub(crate) result: Vec<String>,

    /// Send one ended call of every result that is documented
    #[arg(long)]
    pub(crate) all_results: bool,

    /// CallEnded, CallStarted, MemberChanged, or any name on the wire
    ///
    /// A name that is not documented is sent as a callback that holds nothing else. With --body it
    /// is the command of the URL. [default: the body's, or else CallEnded]
    #[arg(long)]
    pub(crate) command: Option<String>,

    /// Send the bytes of this file as the body; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["result", "all_results", "call_id",
        "caller", "callee", "talk_seconds", "ring_seconds", "start_time"])]
    pub(crate) body: Option<PathBuf>,

    /// The call's id, which makes repeated callbacks re-deliveries [default: a new one for each]
    ///
    /// Those of one command are the same to the byte. Those of another command have new times under
    /// the same id, unless --start-time keeps them.
    #[arg(long, value_name = "ID")]
    pub(crate) call_id: Option<String>,

    /// User id of the caller
    #[arg(long, value_name = "USER", default_value = "10001")]
    pub(crate) caller: String,

    /// User id of a callee; may be repeated
    #[arg(long, value_name = "USER", default_value = "10002")]
    pub(crate) callee: Vec<String>,

    /// How long they talked, if the result lets them
    #[arg(long, value_name = "SECONDS", default_value_t = 42,
        value_parser = whole(0..=u32::MAX), allow_negative_numbers = true)]
    pub(crate) talk_seconds: u32,

    /// How long it rang
    #[arg(long, value_name = "SECONDS", default_value_t = 5,
        value_parser = whole(0..=u32::MAX), allow_negative_numbers = true)]
    pub(crate) ring_seconds: u32,

    /// When the call started, in unix seconds [default: so that it ends now]
    #[arg(long, value_name = "SECONDS", value_parser = whole(1_000_000_000..=99_999_999_999_i64),
        allow_negative_numbers = true)]
    pub(crate) start_time: Option<i64>,

    /// Leave the signature out although there is a token
    #[arg(long)]
    pub(crate) unsigned: bool,

    /// Send a signature that no token made; needs a token
    #[arg(long)]
    pub(crate) wrong_signature: bool,

    /// Send a right signature that is an hour old; needs a token
    #[arg(long)]
    pub(crate) stale: bool,

    /// Send everything so many times, and sum up
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = whole(1..=u32::MAX), allow_negative_numbers = true)]
    pub(crate) count: u32,

    /// Keep so many callbacks in flight
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = whole(1..=1000_u16), allow_negative_numbers = true)]
    pub(crate) concurrency: u16,

    /// How long to wait for a whole answer; Tencent's products wait about two seconds
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds,
        allow_negative_numbers = true)]
    pub(crate) timeout: Duration,

    /// Trust the certificates in this PEM file, and no others
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Option<PathBuf>,

    /// Print a line of JSON for each answer, and if there are several a summary behind them
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(clap::Args)]
#[command(after_help = examples::LISTEN)]
pub(crate) struct ListenArgs {
    /// Where to listen; port 0 takes a free one [env: ADDR] [default: 127.0.0.1:8080]
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) addr: Option<String>,

    /// The app's SDKAppID [env: SDK_APP_ID] [default: 1400000001]
    #[arg(long, value_name = "N")]
    pub(crate) sdk_app_id: Option<String>,

    /// The app's token, or several with a comma between them [env: CALLBACK_TOKEN] [default: none]
    ///
    /// Several are valid while they are rotated. Other users of the machine can read a command line,
    /// but not the environment.
    #[arg(long)]
    pub(crate) token: Option<String>,

    /// Take callbacks whatever is wrong with their signatures, and say what it is; needs a token
    ///
    /// As insecure_report_only does: to find out what comes before the signature is required.
    #[arg(long)]
    pub(crate) report_only: bool,

    /// Keep callbacks in this inbox, and acknowledge only what is in it [env: INBOX] [default: none]
    ///
    /// The path of a file, which is made if it is not there, or the URL of a PostgreSQL database. A URL
    /// with a password belongs in the environment: other users of the machine can read a command line.
    /// Nothing works the items: `trtc-call inbox` shows them.
    #[arg(long, value_name = "PATH|postgres://URL")]
    pub(crate) inbox: Option<String>,

    /// Print a line of JSON for each callback
    #[arg(long)]
    pub(crate) json: bool,
}

/// Reads how long to wait. Like [`whole`], it does not repeat the value.
fn seconds(text: &str) -> Result<Duration, &'static str> {
    // A day is more than anybody waits, and what no clock can be asked for stays out.
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 86_400.0 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("a number of seconds above 0, and at most 86400"),
    }
}

/// Reads a whole number in this range, or says what it must be. The value itself is not repeated,
/// as clap's own parsers do: it may be a token that stands in the wrong place.
fn whole<N>(
    range: RangeInclusive<N>,
) -> impl Fn(&str) -> Result<N, String> + Clone + Send + Sync + 'static
where
    N: FromStr + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    move |text| match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!("a whole number from {} to {}", range.start(), range.end())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;

        Args::command().debug_assert();
    }
}
