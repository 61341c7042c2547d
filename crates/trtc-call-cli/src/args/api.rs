//! The switches of the commands that ask the vendor.

#![expect(clippy::doc_markdown, reason = "these are the texts of `--help`, not of rustdoc")]

use std::path::PathBuf;
use std::time::SystemTime;

use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use trtc_call_api::Region;

use super::{examples, whole};
use crate::time;

/// Who asks, and whom.
#[derive(clap::Args)]
#[command(next_help_heading = "The vendor")]
pub(crate) struct ApiArgs {
    /// The app's SDKAppID [env: SDK_APP_ID]
    #[arg(long, value_name = "N", global = true)]
    pub(crate) sdk_app_id: Option<String>,

    /// The app's administrator, as the console has it
    #[arg(long, value_name = "USER", default_value = "administrator", global = true)]
    pub(crate) admin: String,

    /// The file with the app's secret key [env: the key itself in TRTC_SECRET_KEY]
    ///
    /// There is no switch for the key: other users of the machine can read a command line.
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) secret_key_file: Option<PathBuf>,

    /// Where the app's data are, as the console says
    #[arg(long, value_parser = region(), global = true)]
    pub(crate) region: Option<Region>,

    /// Ask this server instead of a region's: a proxy, or `trtc-call vendor` [env: TRTC_API_URL]
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) api_url: Option<String>,

    /// Print JSON, an object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(clap::Args)]
#[command(after_help = examples::USERSIG)]
pub(crate) struct UsersigArgs {
    /// Whose it is [default: the administrator]
    #[arg(long, value_name = "ID")]
    pub(crate) user: Option<String>,

    /// How long it is valid from now on
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400,
        value_parser = whole(1..=u32::MAX), allow_negative_numbers = true)]
    pub(crate) valid_for: u32,

    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

#[derive(clap::Args)]
#[command(after_help = examples::CALLBACK)]
pub(crate) struct CallbackArgs {
    #[command(flatten)]
    pub(crate) api: ApiArgs,

    #[command(subcommand)]
    pub(crate) verb: CallbackVerb,
}

#[derive(Subcommand)]
pub(crate) enum CallbackVerb {
    /// Print the URL and the commands that are set
    Get,
    /// Have callbacks sent to a URL; what was set before is overwritten
    ///
    /// An app has one URL. What would change is shown first; then it asks, also where nothing is set.
    Set(SetArgs),
    /// Have no callbacks sent any more
    ///
    /// What is set is shown first; then it asks.
    Delete(DeleteArgs),
}

#[derive(clap::Args)]
pub(crate) struct SetArgs {
    /// Where callbacks go: https://HOST/PATH
    #[arg(long)]
    pub(crate) url: String,

    /// Add a random segment to the URL's path, which nobody can guess, and print the URL
    ///
    /// So it stands in no command line, which other users of the machine can read.
    #[arg(long)]
    pub(crate) random_segment: bool,

    /// CallEnded, CallStarted, MemberChanged, or any name on the wire; may be repeated [default: all three]
    #[arg(long)]
    pub(crate) command: Vec<String>,

    /// Do not ask whether it is meant
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(clap::Args)]
pub(crate) struct DeleteArgs {
    /// Do not ask whether it is meant
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(clap::Args)]
#[command(after_help = examples::RECORD)]
pub(crate) struct RecordArgs {
    /// The call's id
    #[arg(value_name = "CALL_ID", allow_hyphen_values = true)]
    pub(crate) call_id: String,

    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

#[derive(clap::Args)]
#[command(after_help = examples::RECORDS)]
pub(crate) struct RecordsArgs {
    /// From this time on: 2026-03-01T08:00:00Z, 2026-03-01 (UTC), or 2h or 7d ago
    #[arg(long, value_name = "TIME", value_parser = time::moment, allow_hyphen_values = true)]
    pub(crate) since: SystemTime,

    /// To this time, likewise [default: now]
    #[arg(long, value_name = "TIME", value_parser = time::moment, allow_hyphen_values = true)]
    pub(crate) until: Option<SystemTime>,

    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

#[derive(clap::Args)]
#[command(after_help = examples::RECONCILE)]
pub(crate) struct ReconcileArgs {
    /// The inbox [env: INBOX]
    ///
    /// The path of a file, or the URL of a PostgreSQL database. A URL with a password belongs in the
    /// environment: other users of the machine can read a command line.
    #[arg(long, value_name = "PATH|postgres://URL")]
    pub(crate) inbox: Option<String>,

    /// Calls that ended from this time on: 2026-03-01T08:00:00Z, 2026-03-01 (UTC), or 2h or 7d ago
    ///
    /// If it is not given, from where servers that reconcile this inbox have begun on, or of the seven days for
    /// which the vendor keeps records if none has. Calls that something else has billed are to be left out.
    #[arg(long, value_name = "TIME", value_parser = time::moment, allow_hyphen_values = true)]
    pub(crate) since: Option<SystemTime>,

    /// To this time, likewise [default: now]
    #[arg(long, value_name = "TIME", value_parser = time::moment, allow_hyphen_values = true)]
    pub(crate) until: Option<SystemTime>,

    /// Which callbacks are believed only as their records say [env: CONFIRM] [default: never]
    ///
    /// never, disputed, unsigned or always: what the workers have as well. With anything but never, records
    /// decide disputes, correct what was worked wrongly, and are asked for where an item waits for one.
    #[arg(long, value_name = "MODE")]
    pub(crate) confirm: Option<String>,

    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

#[derive(clap::Args)]
#[command(after_help = examples::DOCTOR)]
pub(crate) struct DoctorArgs {
    /// Look at this endpoint [default: the one that is set at the vendor]
    ///
    /// Without a secret key nothing is asked of the vendor then. Other users of the machine can read a command
    /// line, and a secret segment in it: the one that is set at the vendor need not be given.
    #[arg(long)]
    pub(crate) url: Option<String>,

    /// The endpoint's token, or several with a comma between them [env: CALLBACK_TOKEN] [default: none]
    ///
    /// The first signs a probe. Other users of the machine can read a command line, but not the environment.
    #[arg(long)]
    pub(crate) token: Option<String>,

    /// Look for the vendor's last calls in this inbox [env: INBOX] [default: none]
    ///
    /// The path of a file, or the URL of a PostgreSQL database. A URL with a password belongs in the
    /// environment: other users of the machine can read a command line.
    #[arg(long, value_name = "PATH|postgres://URL")]
    pub(crate) inbox: Option<String>,

    /// Trust the certificates in this PEM file instead of the public authorities
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

fn region() -> impl TypedValueParser<Value = Region> {
    PossibleValuesParser::new(Region::ALL.iter().map(|region| region.as_str()))
        .try_map(|word| word.parse::<Region>())
}
