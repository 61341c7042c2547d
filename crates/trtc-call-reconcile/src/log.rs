//! What an operator is told. Every line is here, and none holds a secret, a user id or a body. Of each kind of
//! line one a minute is loud, and the others log at debug.

use std::time::Instant;

use trtc_call_inbox::store::{PutRecord, Throttle};
use trtc_call_webhook::SdkAppId;

use crate::error::Error;
use crate::report::Report;

/// One line, with fields for whoever counts or filters.
#[cfg(feature = "tracing")]
macro_rules! log {
    ($level:ident, { $($field:ident = $value:expr),* }, $message:literal) => {
        tracing::event!(
            target: "trtc_call_reconcile", tracing::Level::$level, $($field = $value,)* $message
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

/// Records were read.
pub(crate) fn read(app: SdkAppId, report: &Report) {
    let (app, records) = (app.get(), report.records);
    let count = |items: &[_]| u64::try_from(items.len()).unwrap_or(u64::MAX);
    if !report.found.is_empty() {
        let found = count(&report.found);
        log!(WARN, { sdk_app_id = app, found = found }, "calls found whose callback never came");
    }
    if !report.corrections.is_empty() {
        let corrections = count(&report.corrections);
        log!(
            WARN,
            { sdk_app_id = app, corrections = corrections },
            "calls were worked wrongly by their records, and are corrected"
        );
    }
    if report.differing > 0 {
        let differing = report.differing;
        log_each_minute!(
            WARN,
            { sdk_app_id = app, differing = differing },
            "records differ from what is known of their calls, and nothing is changed"
        );
    }
    if report.unreadable > 0 {
        let unreadable = report.unreadable;
        log_each_minute!(
            WARN,
            { sdk_app_id = app, unreadable = unreadable },
            "records cannot be read"
        );
    }
    if report.missing > 0 {
        let missing = report.missing;
        log_each_minute!(
            WARN,
            { sdk_app_id = app, missing = missing },
            "the vendor counts more records than it gives: calls may be missing"
        );
    }
    log!(DEBUG, { sdk_app_id = app, records = records }, "records read");
}

/// Records came that were asked for.
pub(crate) fn confirmed(app: SdkAppId, put: &[PutRecord]) {
    let app = app.get();
    let corrections = put.iter().filter(|put| matches!(put, PutRecord::Corrects { .. })).count();
    if corrections > 0 {
        log_each_minute!(
            WARN,
            { sdk_app_id = app, corrections = corrections },
            "disputed calls were worked wrongly by their records, and are corrected"
        );
    }
}

/// An item is dead for want of a record.
pub(crate) fn given_up(app: SdkAppId, item: i64, error: &str) {
    let app = app.get();
    log_each_minute!(
        ERROR,
        { sdk_app_id = app, item = item, error = error },
        "not confirmed: nothing is done for this callback"
    );
}

/// The vendor did not answer.
pub(crate) fn cannot_ask(app: SdkAppId, error: &trtc_call_api::Error) {
    let (app, error) = (app.get(), &*error.to_string());
    log_each_minute!(
        WARN,
        { sdk_app_id = app, error = error },
        "the vendor cannot be asked, what is to be confirmed waits"
    );
}

pub(crate) fn cannot_reconcile(app: SdkAppId, error: &Error) {
    let (app, error) = (app.get(), &*error.to_string());
    log_each_minute!(WARN, { sdk_app_id = app, error = error }, "cannot reconcile, tried again");
}

pub(crate) fn cannot_confirm(app: SdkAppId, error: &Error) {
    let (app, error) = (app.get(), &*error.to_string());
    log_each_minute!(WARN, { sdk_app_id = app, error = error }, "cannot confirm, tried again");
}
