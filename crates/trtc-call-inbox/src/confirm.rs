//! Which callbacks are believed only once the vendor's record says the same.

use std::fmt;
use std::str::FromStr;

use trtc_call_webhook::{Billing, CallEnded, decode};

use crate::item::{Confirmation, SignatureFound, Source};
use crate::store::LeasedItem;

/// Which ended calls wait for the vendor's record (647/68930) before a handler gets them.
///
/// The event that is handed over then is the record's; what the callback said is
/// [`Job::received`](crate::Job::received). In every mode but `Never` so do callbacks that do not tell
/// themselves what to bill ([`Billing::AskRecord`]). Who fetches the records is `trtc-call-reconcile`: nothing
/// is handed over without it. Other callbacks than of ended calls have no record, and never wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Confirm {
    /// None: the default.
    #[default]
    Never,
    /// Those that are disputed. Finds and corrects a bill that was forged, once the true callback or the
    /// record comes.
    Disputed,
    /// Those without a valid signature, and those that are disputed. Prevents a forged bill where signatures
    /// are not required.
    Unsigned,
    /// All of them. Prevents a forged bill.
    Always,
}

impl Confirm {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Never, Self::Disputed, Self::Unsigned, Self::Always];

    /// The word for it, as settings have it: `never`, `disputed`, `unsigned`, `always`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Disputed => "disputed",
            Self::Unsigned => "unsigned",
            Self::Always => "always",
        }
    }

    /// What is to be done with an item before a handler gets it.
    pub(crate) fn judge(self, item: &LeasedItem) -> Judgement {
        if self == Self::Never || item.confirmation == Some(Confirmation::Resolved) {
            return Judgement::HandOver;
        }
        let Ok(Some(call)) = decode::<CallEnded>(item.command_of_event(), item.event_body()) else {
            return Judgement::HandOver;
        };
        let asks = match call.billing() {
            Billing::AskRecord(reason) => Some(reason),
            _ => None,
        };
        if item.record.is_some() || item.source == Source::Record {
            return match asks {
                Some(reason) => {
                    Judgement::Undecidable(format!("{}: {reason}", Confirmation::Undecidable))
                }
                None => Judgement::HandOver,
            };
        }
        let is_confirmed = match self {
            Self::Never | Self::Disputed => true,
            Self::Unsigned => item.signature == SignatureFound::Valid,
            Self::Always => false,
        };
        if is_confirmed && asks.is_none() { Judgement::HandOver } else { Judgement::Ask }
    }
}

/// What is to be done with an item.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// A handler gets it.
    HandOver,
    /// It waits for its record.
    Ask,
    /// Its record does not tell either what to bill, and why.
    Undecidable(String),
}

impl fmt::Display for Confirm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Confirm {
    type Err = InvalidConfirm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|known| known.as_str() == text).ok_or(InvalidConfirm)
    }
}

/// A text that is none of [`Confirm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidConfirm;

impl fmt::Display for InvalidConfirm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it must be never, disputed, unsigned or always")
    }
}

impl std::error::Error for InvalidConfirm {}
