//! The switches of `trtc-call inbox`.

#![expect(clippy::doc_markdown, reason = "these are the texts of `--help`, not of rustdoc")]

use std::time::{Duration, SystemTime};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Subcommand};
use trtc_call_inbox::{ItemId, State};

use super::{examples, whole};
use crate::time;

#[derive(clap::Args)]
#[command(after_help = examples::INBOX)]
pub(crate) struct InboxArgs {
    /// The inbox: the path of its file, or the URL of its database [env: INBOX]
    ///
    /// A URL with a password belongs in the environment: other users of the machine can read a command
    /// line.
    #[arg(long, value_name = "PATH|postgres://URL", global = true)]
    pub(crate) inbox: Option<String>,

    /// Print JSON, an object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Count the items, and say how far the work is behind and whether the inbox can store
    Status(AppArgs),
    /// List items by their numbers, without their bodies
    List(ListArgs),
    /// Show all of an item: where it stands, what it says, and what may be billed
    Show(ShowArgs),
    /// Have items that are dead, or wait for another try or for their record, tried at once, as if they were new
    ///
    /// With --all those that are dead, unless --state waiting or confirming is given.
    Replay(ChosenArgs),
    /// Put away items that wait, also for their record, are dead or disputed: nothing is done for them
    Discard(DiscardArgs),
    /// Decide a dispute: this item, disputed or done, is the true one of its key
    ///
    /// An item that waits for its record, or is dead for want of one, is believed without it.
    Resolve(ResolveArgs),
    /// Remove the bodies of a user's calls, or of a call's, where they are done
    ///
    /// Their hashes and keys stay, so that a redelivery is still known. What is not done keeps its
    /// body: work, discard or resolve it first. Backups keep what they hold.
    Erase(EraseArgs),
    /// Remove what is older than it has to be kept; a worker does so by itself
    Prune(PruneArgs),
    /// Look for damage, dead and disputed items, late or failing work, records that nobody asks for, and what this
    /// version does not know
    ///
    /// Reads every body: it takes a while.
    Check(AppArgs),
}

#[derive(clap::Args)]
pub(crate) struct AppArgs {
    /// Only of the app with this SDKAppID [env: SDK_APP_ID] [default: all]
    #[arg(long, value_name = "N")]
    pub(crate) sdk_app_id: Option<String>,
}

#[derive(clap::Args)]
pub(crate) struct FilterArgs {
    /// In this state
    #[arg(long, value_parser = state())]
    pub(crate) state: Option<State>,

    /// Of this call
    #[arg(long, value_name = "ID")]
    pub(crate) call_id: Option<String>,

    /// Stored at this time or later: 2026-03-01T08:00:00Z, 2026-03-01 (UTC), or 2h or 7d ago
    #[arg(long, value_name = "TIME", value_parser = time::moment, allow_hyphen_values = true)]
    pub(crate) since: Option<SystemTime>,

    #[command(flatten)]
    pub(crate) app: AppArgs,
}

#[derive(clap::Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,

    /// The most items that are listed
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = whole(1..=usize::MAX),
        allow_negative_numbers = true)]
    pub(crate) limit: usize,
}

#[derive(clap::Args)]
pub(crate) struct ShowArgs {
    /// The item's number
    #[arg(value_name = "ID", value_parser = item(), allow_negative_numbers = true)]
    pub(crate) item: ItemId,

    /// Print the body too, and the record if there is one
    #[arg(long)]
    pub(crate) body: bool,

    #[command(flatten)]
    pub(crate) app: AppArgs,
}

#[derive(clap::Args)]
pub(crate) struct ChosenArgs {
    /// The items' numbers
    #[arg(value_name = "ID", value_parser = item(), required_unless_present = "all",
        conflicts_with = "all", allow_negative_numbers = true)]
    pub(crate) items: Vec<ItemId>,

    /// All that the other switches let through
    #[arg(long)]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

#[derive(clap::Args)]
pub(crate) struct DiscardArgs {
    #[command(flatten)]
    pub(crate) chosen: ChosenArgs,

    /// Do not ask whether --all is meant
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(clap::Args)]
pub(crate) struct ResolveArgs {
    /// The number of the item that is right
    #[arg(value_name = "ID", value_parser = item(), allow_negative_numbers = true)]
    pub(crate) item: ItemId,

    #[command(flatten)]
    pub(crate) app: AppArgs,
}

#[derive(clap::Args)]
#[command(group = ArgGroup::new("whose").args(["user", "call_id"]).required(true))]
pub(crate) struct EraseArgs {
    /// Of the calls in which this user is named
    #[arg(long, value_name = "ID")]
    pub(crate) user: Option<String>,

    /// Of this call
    #[arg(long, value_name = "ID")]
    pub(crate) call_id: Option<String>,

    #[command(flatten)]
    pub(crate) app: AppArgs,
}

#[derive(clap::Args)]
pub(crate) struct PruneArgs {
    /// Items that have been done for so long
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = time::span,
        allow_hyphen_values = true)]
    pub(crate) done_after: Duration,

    /// Keys that have had no item and no delivery for so long, at least 7d
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = time::span,
        allow_hyphen_values = true)]
    pub(crate) keys_after: Duration,

    /// Do not ask whether a shorter time than the defaults is meant
    #[arg(long)]
    pub(crate) yes: bool,
}

fn state() -> impl TypedValueParser<Value = State> {
    PossibleValuesParser::new(State::ALL.iter().map(|state| state.as_str()))
        .try_map(|word| State::from_word(&word).ok_or("a state"))
}

fn item() -> impl TypedValueParser<Value = ItemId> {
    whole(1..=i64::MAX).map(ItemId::new)
}
