//! What an operator is told. Every line is here, and none holds a body, a signature, a URL or a user id.
//! The text of an error is the handler's or the store's own.
//!
//! A flood must not fill a disk: of each kind of line one a minute is loud, with how many there were
//! since, and the others log at debug.

use std::error::Error;
use std::time::{Duration, Instant};

use trtc_call_webhook::SdkAppId;

use crate::item::ItemId;
use crate::job_error::JobError;
use crate::store::LeasedItem;
use crate::throttle::Throttle;

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

/// A handler left it to a transaction to complete its job, and failed.
pub(crate) fn not_tried_again(job: &LeasedItem, error: &str) {
    let (app, item, attempt) = about(job);
    log_each_minute!(
        WARN,
        { sdk_app_id = app, item = item, attempt = attempt, error = error },
        "handler failed after its transaction had completed its job, or had lost the lease: not tried again"
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
