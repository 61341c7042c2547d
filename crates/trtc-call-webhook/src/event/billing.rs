//! What a biller may take from the callback of an ended call alone.

use std::fmt;
use std::time::Duration;

use super::{CallEnded, CallResult, UnixSeconds};

/// What a biller may take from a [`CallEnded`] alone: [`CallEnded::billing`] says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Billing {
    /// Somebody answered, and they were connected for so long.
    ///
    /// For a group this is the call's time since its first accept, not each member's.
    Connected(Duration),
    /// Nobody answered.
    Unanswered,
    /// The callback does not tell, or contradicts itself: ask the vendor's record API (647/68930).
    AskRecord(AskReason),
}

impl Billing {
    /// The whole seconds to bill: 0 if nobody answered, `None` if the callback does not tell.
    #[must_use]
    pub const fn seconds(self) -> Option<u64> {
        match self {
            Self::Connected(time) => Some(time.as_secs()),
            Self::Unanswered => Some(0),
            Self::AskRecord(_) => None,
        }
    }
}

/// Why a callback alone must not be billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AskReason {
    /// The accept time is there and cannot be read as a time.
    AcceptTimeUnreadable,
    /// There is no accept time, and the result is missing or none that this version knows.
    ResultUnknown,
    /// There is no accept time, but the result is [`NormalEnd`](CallResult::NormalEnd).
    AcceptTimeMissing,
    /// There is an accept time, but the result says that nobody answered.
    ResultContradicts,
    /// There is an accept time, but no end time that can be read.
    EndTimeMissing,
    /// The end is before the accept time, or one of them is before the start.
    TimesOutOfOrder,
    /// A time is in another unit than seconds: it is before September 2001 or after the year 5138.
    TimesNotInSeconds,
}

impl AskReason {
    /// The reason in words, for a log or a report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AcceptTimeUnreadable => "the accept time cannot be read",
            Self::ResultUnknown => "no accept time, and no result that is known",
            Self::AcceptTimeMissing => "a normal end without an accept time",
            Self::ResultContradicts => "an accept time, but a result that says nobody answered",
            Self::EndTimeMissing => "an accept time, but no end time",
            Self::TimesOutOfOrder => "the times are out of order",
            Self::TimesNotInSeconds => "a time is not in seconds",
        }
    }
}

impl fmt::Display for AskReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl CallEnded {
    /// What a biller may take from this callback alone.
    ///
    /// Without an accept time no other time matters: an unanswered call is unanswered whatever its
    /// start and end say. There is no upper bound: the vendor's samples have a call of two days.
    ///
    /// ```
    /// use std::time::Duration;
    /// use trtc_call_webhook::{AskReason, Billing, CallEnded};
    ///
    /// let call = CallEnded::new("a-1").with_result("NormalEnd").with_end_time(1741231296);
    /// let asked = Billing::AskRecord(AskReason::AcceptTimeMissing);
    /// assert_eq!(call.billing(), asked);
    ///
    /// let call = call.with_accept_time(1741231156);
    /// assert_eq!(call.billing(), Billing::Connected(Duration::from_secs(140)));
    /// ```
    #[must_use]
    pub fn billing(&self) -> Billing {
        self.connected_time().map_or_else(Billing::AskRecord, |time| {
            time.map_or(Billing::Unanswered, Billing::Connected)
        })
    }

    /// `None` if nobody answered.
    fn connected_time(&self) -> Result<Option<Duration>, AskReason> {
        use CallResult::{CallBusy, Cancel, Interrupt, NormalEnd, NotAnswer, Offline, Reject};

        if self.accept_time_unreadable {
            return Err(AskReason::AcceptTimeUnreadable);
        }
        let Some(accepted) = self.accepted() else {
            return match self.result {
                Some(Cancel | Reject | NotAnswer | CallBusy | Interrupt | Offline) => Ok(None),
                Some(NormalEnd) => Err(AskReason::AcceptTimeMissing),
                Some(CallResult::Other(_)) | None => Err(AskReason::ResultUnknown),
            };
        };
        if let Some(Cancel | Reject | NotAnswer | CallBusy) = self.result {
            return Err(AskReason::ResultContradicts);
        }
        let ended = self.end_time.ok_or(AskReason::EndTimeMissing)?;
        let times = [self.start_time.unwrap_or(accepted), accepted, ended];
        if !times.iter().all(|time| time.is_in_seconds()) {
            return Err(AskReason::TimesNotInSeconds);
        }
        if !times.is_sorted() {
            return Err(AskReason::TimesOutOfOrder);
        }
        Ok(ended.since(accepted))
    }

    /// The accept time, unless it is the vendor's way to write none.
    fn accepted(&self) -> Option<UnixSeconds> {
        self.accept_time.filter(|time| time.get() > 0)
    }

    /// How long it rang: from the start until somebody answered, or until the end if nobody did.
    ///
    /// `None` if a time is missing, not in seconds or out of order, and where
    /// [`billing`](Self::billing) says to ask.
    #[must_use]
    pub fn ringing_time(&self) -> Option<Duration> {
        let until = match self.billing() {
            Billing::Connected(_) => self.accept_time?,
            Billing::Unanswered => self.end_time?,
            Billing::AskRecord(_) => return None,
        };
        let start = self.start_time?;
        if start.is_in_seconds() && until.is_in_seconds() { until.since(start) } else { None }
    }
}
