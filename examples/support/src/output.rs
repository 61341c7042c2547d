//! Standard output: the first line, and one for each call that ended.
//!
//! Whoever reads it may stall, and then a write takes for ever. So a thread of its own writes the
//! lines, and a call whose line is not written in time is not acknowledged.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::timeout;
use trtc_call_webhook::{CallEnded, CallResult};

/// How many lines may wait.
const MAX_WAITING: usize = 1024;

/// How long a call waits for its line to be written. Tencent waits about two seconds for the answer.
const PRINT_TIME: Duration = Duration::from_secs(1);

/// A line, and who waits for it.
type Waiting = (Vec<u8>, oneshot::Sender<io::Result<()>>);

static WRITER: LazyLock<SyncSender<Waiting>> = LazyLock::new(|| {
    let (sender, lines) = sync_channel::<Waiting>(MAX_WAITING);
    thread::spawn(move || {
        for (line, written) in lines {
            // What was given up on was not acknowledged: it comes again.
            if !written.is_closed() {
                let _ = written.send(print(&line));
            }
        }
    });
    sender
});

/// Prints an ended call as one line of JSON.
///
/// A server that keeps events in a database commits there instead. Like a commit that is late, a
/// line that is late may still be printed, and once more when the call is delivered again.
///
/// # Errors
///
/// When standard output does not take it in time. The call must not be acknowledged then.
pub async fn print_call(call: &CallEnded) -> io::Result<()> {
    let line = json!({
        "call_id": call.call_id,
        "result": call.result.as_ref().map(CallResult::as_str),
        "caller": call.caller,
        "callees": call.callees().collect::<Vec<_>>(),
        // 0 when nobody answered, `null` when only the vendor's record API can tell.
        "talk_seconds": call.billing().seconds(),
    });
    print_line(line.to_string()).await
}

/// Prints a line.
///
/// # Errors
///
/// When standard output does not take it in time.
pub async fn print_line(mut line: String) -> io::Result<()> {
    line.push('\n');
    let (written, outcome) = oneshot::channel();
    WRITER.try_send((line.into_bytes(), written)).map_err(|_| io::ErrorKind::WouldBlock)?;
    timeout(PRINT_TIME, outcome).await?.map_err(io::Error::other)?
}

/// Prints the first line, once the server accepts connections there.
///
/// # Errors
///
/// When standard output cannot be written.
pub fn print_listening(scheme: &str, addr: SocketAddr) -> io::Result<()> {
    print(format!("listening on {scheme}://{addr}/callback\n").as_bytes())
}

fn print(line: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(line)?;
    stdout.flush()
}
