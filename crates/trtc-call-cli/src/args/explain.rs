//! The switches of `trtc-call explain`.

#![expect(clippy::doc_markdown, reason = "these are the texts of `--help`, not of rustdoc")]

use clap::ValueEnum;

use super::{examples, whole};

#[derive(clap::Args)]
#[command(after_help = examples::EXPLAIN)]
pub(crate) struct ExplainArgs {
    /// Print one object of JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) capture: CaptureArgs,

    #[command(flatten)]
    pub(crate) verifier: VerifierArgs,
}

#[derive(clap::Args)]
#[command(next_help_heading = "What was captured")]
pub(crate) struct CaptureArgs {
    /// A file, @FILE, - for standard input, or the text itself [default: standard input]
    ///
    /// A raw HTTP request, a URL and its body below it, or any text in which the URL stands. Whatever
    /// else it comes from, a command or a log: paste the URL and the body.
    #[arg(value_name = "CAPTURE", conflicts_with = "url")]
    pub(crate) capture: Option<String>,

    /// The URL instead, or a path with a query, or a query; @FILE, or @- for standard input
    #[arg(long, value_name = "TEXT|@FILE")]
    pub(crate) url: Option<String>,

    /// The body as it was sent, where the capture has none; @FILE, or @- for standard input
    #[arg(long, value_name = "TEXT|@FILE")]
    pub(crate) body: Option<String>,

    /// The method, where the capture does not tell it
    #[arg(long)]
    pub(crate) method: Option<String>,
}

#[derive(clap::Args)]
#[command(next_help_heading = "The verifier")]
pub(crate) struct VerifierArgs {
    /// The app that it serves [env: SDK_APP_ID] [default: the one in the URL]
    #[arg(long, value_name = "N")]
    pub(crate) sdk_app_id: Option<String>,

    /// Its token, or several with a comma between them [env: CALLBACK_TOKEN] [default: none]
    ///
    /// None is ever printed. Other users of the machine can read a command line, but not the
    /// environment.
    #[arg(long)]
    pub(crate) token: Option<String>,

    /// It has insecure_report_only: what is wrong with a signature is told, and refuses nothing
    #[arg(long)]
    pub(crate) report_only: bool,

    /// How far RequestTime may be from the clock [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = whole(0..=u64::MAX),
        allow_negative_numbers = true)]
    pub(crate) replay_window: Option<u64>,

    /// The longest body that it takes [default: 262144]
    #[arg(long, value_name = "BYTES", value_parser = whole(0..=usize::MAX),
        allow_negative_numbers = true)]
    pub(crate) body_limit: Option<usize>,

    /// What its handler takes
    #[arg(long, value_enum, default_value_t = Takes::CallEnded)]
    pub(crate) takes: Takes,

    /// Its clock: unix seconds, or a time such as 2022-12-01T05:21:52Z [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) at: Option<String>,
}

/// What a handler takes: the type in `Webhook<…>`.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "verbatim")]
pub(crate) enum Takes {
    CallEnded,
    CallStarted,
    MemberChanged,
    /// Every command
    Callback,
    /// The exact bytes, decoded later
    Undecoded,
}

impl Takes {
    /// The type's name.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}
