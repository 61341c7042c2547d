//! A bill, and the table of them.

use serde_json::json;
use trtc_call_inbox::Job;
use trtc_call_webhook_axum::{CallEnded, CallResult};

/// One row for each call. `times_billed` is 1, or else something was not exactly once.
pub(crate) const TABLE: &str = "CREATE TABLE IF NOT EXISTS bills (
    sdk_app_id BIGINT NOT NULL,
    call_id TEXT NOT NULL,
    caller TEXT,
    result TEXT,
    seconds BIGINT NOT NULL,
    times_billed BIGINT NOT NULL DEFAULT 1,
    PRIMARY KEY (sdk_app_id, call_id)
)";

/// A correction takes the row's place and is no second bill.
pub(crate) const WRITE: &str = "INSERT INTO bills (sdk_app_id, call_id, caller, result, seconds)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (sdk_app_id, call_id) DO UPDATE SET
        caller = excluded.caller, result = excluded.result, seconds = excluded.seconds,
        times_billed = bills.times_billed + $6";

/// What one call costs.
pub(crate) struct Bill {
    pub(crate) sdk_app_id: i64,
    pub(crate) call_id: String,
    pub(crate) caller: Option<String>,
    pub(crate) result: Option<String>,
    pub(crate) seconds: i64,
    /// How often a call that is billed already is billed by this: a correction does not count.
    pub(crate) times: i64,
}

impl Bill {
    pub(crate) fn new(job: &Job<CallEnded>, seconds: u64) -> Self {
        Self {
            sdk_app_id: job.sdk_app_id().get().cast_signed(),
            call_id: job.call_id.clone(),
            caller: job.caller.clone(),
            result: job.result.as_ref().map(CallResult::as_str).map(str::to_owned),
            seconds: seconds.cast_signed(),
            times: i64::from(job.replaces().is_none()),
        }
    }

    /// The bill as a line of JSON.
    pub(crate) fn line(&self) -> String {
        let Self { call_id, caller, result, seconds, .. } = self;
        json!({ "call_id": call_id, "caller": caller, "result": result, "seconds": seconds })
            .to_string()
    }
}
