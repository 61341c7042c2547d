//! The line on standard output for each call that ended.

use std::io::{self, Write};

use serde::Serialize;
use trtc_call_webhook::{CallEnded, CallResult};

#[derive(Serialize)]
struct Line<'a> {
    call_id: &'a str,
    result: Option<&'a str>,
    caller: Option<&'a str>,
    callees: Vec<&'a str>,
    /// 0 when nobody answered, `null` when only the vendor's record API can tell.
    talk_seconds: Option<u64>,
}

/// Prints an ended call as one line of JSON.
///
/// It blocks the thread for as long as standard output does not take the line. A server that keeps
/// events in a database awaits that instead.
///
/// # Errors
///
/// When standard output does not take it. The call must not be acknowledged then.
pub fn print_call(call: &CallEnded) -> io::Result<()> {
    let mut line = serde_json::to_vec(&Line {
        call_id: &call.call_id,
        result: call.result.as_ref().map(CallResult::as_str),
        caller: call.caller.as_deref(),
        callees: call.callees().collect(),
        talk_seconds: call.billing().seconds(),
    })?;
    line.push(b'\n');
    // In one piece, so that lines of other threads do not come in between.
    let mut stdout = io::stdout().lock();
    stdout.write_all(&line)?;
    stdout.flush()
}
