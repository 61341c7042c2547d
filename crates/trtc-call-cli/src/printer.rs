//! Output that may block, on a thread of its own.
//!
//! Whoever reads a server's output may stop to do so, and a full pipe holds whoever writes to it. On
//! a thread of the server it would hold every request that this thread has.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::failure::Failure;

/// How many jobs wait at most.
const MAX_WAITING: usize = 256;

/// How long the peer is let wait for a line to be written: less than Tencent waits.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How long the last lines are waited for.
const LAST_WORDS: Duration = Duration::from_secs(1);

type Job = Box<dyn FnOnce() + Send>;

/// Hands jobs over to a thread that does them in their order.
#[derive(Clone)]
pub(crate) struct Printer(SyncSender<Job>);

/// Tells when a printer's thread has done everything.
pub(crate) struct Ending(Receiver<()>);

impl Printer {
    pub(crate) fn start() -> Result<(Self, Ending), Failure> {
        let (jobs, waiting) = sync_channel::<Job>(MAX_WAITING);
        let (end, ending) = sync_channel(1);
        let work = move || {
            for job in waiting {
                job();
            }
            let _ = end.send(());
        };
        thread::Builder::new()
            .spawn(work)
            .map_err(|error| Failure::new(format!("cannot start a thread: {error}")))?;
        Ok((Self(jobs), Ending(ending)))
    }

    /// Prints, and says whether it was printed in time.
    pub(crate) async fn print(
        &self,
        print: impl FnOnce() -> io::Result<()> + Send + 'static,
    ) -> io::Result<()> {
        let (done, printed) = oneshot::channel();
        let job = move || {
            // Once the time is over it is not printed: the peer was told so, and sends it again.
            if !done.is_closed() {
                let _ = done.send(print());
            }
        };
        if self.0.try_send(Box::new(job)).is_err() {
            return Err(stalled());
        }
        match tokio::time::timeout(PATIENCE, printed).await {
            Ok(Ok(printed)) => printed,
            Ok(Err(_)) | Err(_) => Err(stalled()),
        }
    }

    /// Prints sometime, or never if nobody reads. Says whether there was room for it.
    pub(crate) fn note(&self, print: impl FnOnce() + Send + 'static) -> bool {
        self.0.try_send(Box::new(print)).is_ok()
    }
}

impl Ending {
    /// Waits for what is still to be printed, though not for a reader that has stopped. The printer
    /// and its clones must be gone.
    pub(crate) fn wait(self) {
        let _ = self.0.recv_timeout(LAST_WORDS);
    }
}

fn stalled() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "nobody reads standard output")
}
