//! What an operator is told. Every line is here, and none holds a body, a signature, a URL or a user id.
//! The text of an error is the handler's or the store's own.
//!
//! A flood must not fill a disk: of each kind of line one a minute is loud, with how many there were
//! since, and the others log at debug.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use trtc_call_webhook::SdkAppId;

use crate::item::ItemId;
use crate::job_error::JobError;
use crate::store::LeasedItem;

/// One line, with fields for whoever counts or filters.
#[cfg(feature = "tracing")]
macro_rules! log {
    ($level:ident, { $($field:ident = $value:expr),* }, $message:literal) => {
        tracing::event!(
            target: "trtc_call_inbox", tracing::Level::$level, $($field = $value,)* $message
        )
    };
}

#[cfg(not(feature = "tracing"))]
macro_rules! log {
    ($level:ident, { $($field:ident = $value:expr),* }, $message:literal) => {{
        $(let _ = $value;)*
        let _ = format_args!($message);
    }};
}

/// A line of which one a minute is loud.
macro_rules! log_each_minute {
    ($level:ident, { $($field:ident = $value:expr),* }, $message:literal) => {{
        static THROTTLE: Throttle = Throttle::new();
        if let Some(since) = THROTTLE.loud(Instant::now()) {
            log!($level, { $($field = $value,)* since = since }, $message);
        } else {
            log!(DEBUG, { $($field = $value),* }, $message);
        }
    }};
}

/// How long a kind of line stays quiet after it was loud.
const QUIET: Duration = Duration::from_secs(60);

/// A callback is stored that would be billed differently from another one of its key.
pub(crate) fn disputed(app: SdkAppId, item: ItemId, after_done: bool) {
    let (app, item) = (app.get(), item.get());
    if after_done {
        log_each_minute!(
            WARN,
            { sdk_app_id = app, item = item },
            "callback disputed, and the other one of its key is done: it may have been billed wrongly"
        );
    } else {
        log_each_minute!(
            WARN,
            { sdk_app_id = app, item = item },
            "callback disputed: another one of its key would be billed differently; neither is worked"
        );
    }
}

/// A callback is not stored, and FAIL is the answer.
pub(crate) fn not_stored(app: SdkAppId, error: &(dyn Error + 'static)) {
    let app = app.get();
    log_each_minute!(ERROR, { sdk_app_id = app, error = error }, "callback not stored");
}

/// An item is dead by its handler's word, or since nobody could work it.
pub(crate) fn dead(job: &LeasedItem, error: &str) {
    let (app, item, attempt) = about(job);
    log_each_minute!(
        ERROR,
        { sdk_app_id = app, item = item, attempt = attempt, error = error },
        "dead letter"
    );
}

/// An item is dead since it lost too many leases.
pub(crate) fn died(item: ItemId) {
    let item = item.get();
    log_each_minute!(ERROR, { item = item }, "dead letter: its leases ended without a word");
}

pub(crate) fn retry(job: &LeasedItem, after: Duration, error: &str) {
    let (app, item, attempt) = about(job);
    log_each_minute!(
        INFO,
        { sdk_app_id = app, item = item, attempt = attempt, error = error },
        "job failed, tried again in {after:?}"
    );
}

/// What a handler did is not stored: somebody else has the item, or it is disputed.
pub(crate) fn lease_lost(job: &LeasedItem, was_done: bool) {
    let (app, item, attempt) = about(job);
    if was_done {
        log_each_minute!(
            WARN,
            { sdk_app_id = app, item = item, attempt = attempt },
            "job worked, but its lease was lost before: it may be worked again"
        );
    } else {
        log_each_minute!(
            WARN,
            { sdk_app_id = app, item = item, attempt = attempt },
            "the lease of a job was lost before it ended"
        );
    }
}

pub(crate) fn suspects() {
    log_each_minute!(
        WARN,
        {},
        "there are items whose lease ended without a word: each runs alone, and others wait for it"
    );
}

pub(crate) fn error_after_completion(job: &LeasedItem, error: &JobError) {
    let ((app, item, attempt), error) = (about(job), &*error.to_string());
    log_each_minute!(
        WARN,
        { sdk_app_id = app, item = item, attempt = attempt, error = error },
        "handler failed after it had completed its job, which stays done"
    );
}

pub(crate) fn cannot_lease(error: &(dyn Error + 'static)) {
    log_each_minute!(WARN, { error = error }, "nothing can be leased, tried again");
}

pub(crate) fn cannot_settle(error: &(dyn Error + 'static)) {
    log_each_minute!(WARN, { error = error }, "what came of jobs cannot be stored, tried again");
}

pub(crate) fn cannot_renew(error: &(dyn Error + 'static)) {
    log_each_minute!(WARN, { error = error }, "leases cannot be renewed, tried again");
}

pub(crate) fn cannot_prune(error: &(dyn Error + 'static)) {
    log_each_minute!(WARN, { error = error }, "what is old cannot be removed, tried again");
}

pub(crate) fn stopped(given_back: usize) {
    log!(INFO, { given_back = given_back }, "worker stopped");
}

/// App, item, and attempt.
fn about(job: &LeasedItem) -> (u64, i64, u32) {
    (job.sdk_app_id.get(), job.lease.item.get(), job.attempt)
}

/// Lets one line of a kind through in a while.
struct Throttle(Mutex<Throttled>);

struct Throttled {
    /// When the last loud line was.
    last: Option<Instant>,
    /// How many were quiet since.
    since: u64,
}

impl Throttle {
    const fn new() -> Self {
        Self(Mutex::new(Throttled { last: None, since: 0 }))
    }

    /// How many were quiet since the last loud line, if this one is to be loud.
    fn loud(&self, now: Instant) -> Option<u64> {
        let mut throttled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if throttled.last.is_some_and(|last| now.saturating_duration_since(last) < QUIET) {
            throttled.since = throttled.since.saturating_add(1);
            return None;
        }
        throttled.last = Some(now);
        Some(std::mem::take(&mut throttled.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_loud_once_a_minute_with_how_many_there_were_since() {
        let (throttle, start) = (Throttle::new(), Instant::now());
        let loud = |seconds| throttle.loud(start + Duration::from_secs(seconds));
        assert_eq!(loud(0), Some(0));
        assert_eq!(loud(0), None);
        assert_eq!(loud(59), None);
        assert_eq!(loud(60), Some(2));
        assert_eq!(loud(61), None);
        assert_eq!(loud(1000), Some(1));
    }
}
