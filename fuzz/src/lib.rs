//! What the targets share: the contract written a second time, from `CONTRACT.md` and not from the
//! code, so that the two can be held against each other.
//!
//! Nothing here is quick or clever. JSON is read by a parser that keeps every key, every digit and
//! every lone surrogate, which `serde_json::Value` does not; the rest is as plain as the document.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod billing;
pub mod body;
pub mod event;
pub mod head;
pub mod json;
pub mod verifiers;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The targets' clock, in unix seconds: the time of the documented signature, so that the
/// dictionary can hold one that is right.
pub const NOW: u64 = 1_669_872_112;

/// [`NOW`], as a verifier takes it.
#[must_use]
pub fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}
