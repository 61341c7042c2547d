//! A bill, and the table of them.

use serde_json::json;
use trtc_call_inbox::Job;
use trtc_call_inbox_sqlite::rusqlite::{self, Transaction, params};
use trtc_call_webhook_axum::{CallEnded, CallResult};

/// One row for each call. `times_billed` is 1, or else something was not exactly once.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS bills (
    sdk_app_id INTEGER NOT NULL,
    call_id TEXT NOT NULL,
    caller TEXT,
    result TEXT,
    seconds INTEGER NOT NULL,
    times_billed INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (sdk_app_id, call_id)
)";

/// A correction takes the row's place and is no second bill.
const WRITE: &str = "INSERT INTO bills (sdk_app_id, call_id, caller, result, seconds)
    VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (sdk_app_id, call_id) DO UPDATE SET
        caller = excluded.caller, result = excluded.result, seconds = excluded.seconds,
        times_billed = times_billed + ?6";

/// Makes the table if it is not there.
pub(crate) fn create_table(transaction: &Transaction<'_>) -> rusqlite::Result<usize> {
    transaction.execute(TABLE, [])
}

/// What one call costs.
pub(crate) struct Bill {
    sdk_app_id: i64,
    call_id: String,
    caller: Option<String>,
    result: Option<String>,
    seconds: i64,
    is_correction: bool,
}

impl Bill {
    pub(crate) fn new(job: &Job<CallEnded>, seconds: u64) -> Self {
        Self {
            sdk_app_id: job.sdk_app_id().get().cast_signed(),
            call_id: job.call_id.clone(),
            caller: job.caller.clone(),
            result: job.result.as_ref().map(CallResult::as_str).map(str::to_owned),
            seconds: seconds.cast_signed(),
            is_correction: job.replaces().is_some(),
        }
    }

    /// The bill as a line of JSON.
    pub(crate) fn line(&self) -> String {
        let Self { call_id, caller, result, seconds, .. } = self;
        json!({ "call_id": call_id, "caller": caller, "result": result, "seconds": seconds })
            .to_string()
    }

    /// Writes it in the transaction in which the job is completed.
    pub(crate) fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<usize> {
        let Self { sdk_app_id, call_id, caller, result, seconds, is_correction } = self;
        // The file may be a new one, in place of one that was removed.
        create_table(transaction)?;
        transaction.prepare_cached(WRITE)?.execute(params![
            sdk_app_id,
            call_id,
            caller,
            result,
            seconds,
            !is_correction
        ])
    }
}
