//! The first acknowledgement after a start: with nothing waiting, and with a million.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use trtc_call_inbox::Inbox;
use trtc_call_inbox_sqlite::SqliteInbox;

use crate::Result;
use crate::callbacks::Callbacks;
use crate::scale::Scale;

/// From before the file is opened to the first acknowledgement: medians.
pub(crate) struct Starts {
    pub(crate) empty: Duration,
    pub(crate) million: Duration,
    /// With none of the file in the system's cache, where that can be had.
    pub(crate) million_cold: Option<Duration>,
}

pub(crate) async fn measure(
    scale: &Scale,
    callbacks: &Callbacks,
    empty: &Path,
    million: &Path,
) -> Result<Starts> {
    let [mut from_empty, mut from_million, mut from_cold] = [const { Vec::new() }; 3];
    for _ in 0..scale.starts {
        from_empty.push(first(callbacks, empty).await?);
        from_million.push(first(callbacks, million).await?);
        if leave_the_cache(million) {
            from_cold.push(first(callbacks, million).await?);
        }
    }
    let million_cold = (!from_cold.is_empty()).then(|| middle(from_cold));
    Ok(Starts { empty: middle(from_empty), million: middle(from_million), million_cold })
}

async fn first(callbacks: &Callbacks, path: &Path) -> Result<Duration> {
    let callback = callbacks.next();
    let start = Instant::now();
    let inbox = Inbox::from(SqliteInbox::open(path)?);
    let acceptance = inbox.accept(&callback).await;
    let time = start.elapsed();
    acceptance.is_durable().then_some(time).ok_or_else(|| format!("{acceptance:?}").into())
}

fn leave_the_cache(path: &Path) -> bool {
    let mut file = std::ffi::OsString::from("of=");
    file.push(path);
    let dd = Command::new("dd")
        .args(["oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none"])
        .arg(file)
        .status();
    dd.is_ok_and(|status| status.success())
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
