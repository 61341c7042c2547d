//! The switches of `trtc-call vendor`.

#![expect(clippy::doc_markdown, reason = "these are the texts of `--help`, not of rustdoc")]

use std::path::PathBuf;
use std::time::Duration;

use super::{examples, whole};

#[derive(clap::Args)]
#[command(after_help = examples::VENDOR)]
pub(crate) struct VendorArgs {
    /// Where to listen; port 0 takes a free one [env: ADDR] [default: 127.0.0.1:8090]
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) addr: Option<String>,

    /// The app's SDKAppID [env: SDK_APP_ID] [default: 1400000001]
    #[arg(long, value_name = "N")]
    pub(crate) sdk_app_id: Option<String>,

    /// The app's administrator
    #[arg(long, value_name = "USER", default_value = "administrator")]
    pub(crate) admin: String,

    /// The file with the secret key that UserSigs are checked by [env: the key itself in TRTC_SECRET_KEY]
    ///
    /// Any will do, if those who ask have the same; never a real one.
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_key_file: Option<PathBuf>,

    /// Sign callbacks with this token [env: CALLBACK_TOKEN] [default: none]
    ///
    /// Of several with a comma between them, with the first. Other users of the machine can read a
    /// command line, but not the environment.
    #[arg(long)]
    pub(crate) token: Option<String>,

    /// Keep the calls and the setting in this file over a restart [default: nowhere]
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,

    /// Have a record found only so long after its call's end
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds,
        allow_negative_numbers = true)]
    pub(crate) record_delay: Duration,

    /// Answer API requests with this error, all of them or this share; may be repeated
    #[arg(long, value_name = "CODE[:RATE]", value_parser = error, allow_hyphen_values = true)]
    pub(crate) error: Vec<(i64, f64)>,

    /// Print a line of JSON for each callback
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) calls: CallsArgs,

    #[command(flatten)]
    pub(crate) chances: ChancesArgs,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Calls of its own")]
pub(crate) struct CallsArgs {
    /// Make so many calls that end, with each result in turn
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole(0..=u32::MAX),
        allow_negative_numbers = true)]
    pub(crate) calls: u32,

    /// So many in a second
    #[arg(long, value_name = "R", default_value = "1", value_parser = per_second,
        allow_negative_numbers = true)]
    pub(crate) per_second: f64,
}

/// What befalls callbacks on their way. A rate is a share from 0 to 1.
#[derive(Clone, Default, clap::Args)]
#[command(next_help_heading = "What befalls callbacks")]
pub(crate) struct ChancesArgs {
    /// Never send this share of them
    #[arg(long, value_name = "RATE", default_value = "0", value_parser = rate,
        allow_negative_numbers = true)]
    pub(crate) lose: f64,

    /// Send this share of them twice
    #[arg(long, value_name = "RATE", default_value = "0", value_parser = rate,
        allow_negative_numbers = true)]
    pub(crate) repeat: f64,

    /// Hold this share of them back for a second, so that later ones overtake them
    #[arg(long, value_name = "RATE", default_value = "0", value_parser = rate,
        allow_negative_numbers = true)]
    pub(crate) reorder: f64,

    /// For this share of the calls send a forged end besides
    ///
    /// In turn for a call that does not exist, and for the true one with a longer talk, before or
    /// after the true callback. It has no signature, or a wrong one.
    #[arg(long, value_name = "RATE", default_value = "0", value_parser = rate,
        allow_negative_numbers = true)]
    pub(crate) forge: f64,

    /// Delay each by a random time of at most so long
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds,
        allow_negative_numbers = true)]
    pub(crate) delay: Duration,

    /// Draw the same each time, if the same comes in the same order [default: something else each time]
    #[arg(long, value_name = "N", value_parser = whole(0..=u64::MAX), allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
}

/// Reads a time that may be none. Like all of these, it does not repeat the value.
fn seconds(text: &str) -> Result<Duration, &'static str> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("a number of seconds from 0 to 86400"),
    }
}

fn rate(text: &str) -> Result<f64, &'static str> {
    let rate = text.parse().ok().filter(|rate| (0.0..=1.0).contains(rate));
    rate.ok_or("a share from 0 to 1, such as 0.1")
}

fn per_second(text: &str) -> Result<f64, &'static str> {
    let number = text.parse().ok().filter(|number| (0.001..=10_000.0).contains(number));
    number.ok_or("a number from 0.001 to 10000")
}

fn error(text: &str) -> Result<(i64, f64), &'static str> {
    let (code, share) =
        text.split_once(':').map_or((text, Ok(1.0)), |(code, share)| (code, rate(share)));
    let code = code.parse().ok().filter(|code| *code != 0);
    code.zip(share.ok()).ok_or("a code, or a code and a share from 0 to 1, such as 60008:0.1")
}
