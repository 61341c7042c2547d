//! An example server as a process, and what Linux says about it.

use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use conformance::example::{APP, Ended, Example, TOKEN};
use conformance::memory;
use conformance::programs::Programs;

/// How long it may take to close connections. Its own time-outs are shorter.
const PATIENCE: Duration = Duration::from_secs(45);

/// How long its descriptors have to stay the same before they are counted.
const CALM: Duration = Duration::from_millis(500);

/// A server that runs, until it is dropped.
#[derive(Debug)]
pub(crate) struct Server(pub(crate) Example);

impl Server {
    /// Starts an example, and hands over each line that it prints, with the end of the line, but for
    /// the first. They are read as they come: a full pipe would stop the server.
    pub(crate) fn start(
        programs: &Programs,
        name: &str,
        printed: impl FnMut(&str) + Send + 'static,
    ) -> Self {
        let switches = [("SDK_APP_ID", &*APP.to_string()), ("CALLBACK_TOKEN", TOKEN)];
        Self(programs.start_read(name, &switches, printed))
    }

    /// Its memory, in KiB: `VmRSS` now, or `VmHWM` at its peak.
    pub(crate) fn memory(&self, field: &str) -> io::Result<u64> {
        let value = memory::field(self.0.id(), field);
        value.ok_or_else(|| io::Error::other(format!("no {field} in /proc")))
    }

    fn descriptors(&self) -> io::Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.0.id()))?.count())
    }

    /// How many descriptors it has once their number does not change any more.
    pub(crate) fn descriptors_when_calm(&self) -> io::Result<usize> {
        let (mut count, mut since) = (self.descriptors()?, Instant::now());
        while since.elapsed() < CALM {
            thread::sleep(Duration::from_millis(20));
            let now = self.descriptors()?;
            if now != count {
                (count, since) = (now, Instant::now());
            }
        }
        Ok(count)
    }

    /// How many descriptors it has once they are as few as these, or does not get there.
    pub(crate) fn descriptors_after(&self, before: usize) -> io::Result<usize> {
        let start = Instant::now();
        while self.descriptors()? > before && start.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(20));
        }
        self.descriptors()
    }

    /// Stops it by SIGTERM, and waits until it has ended and all that it printed has been read.
    pub(crate) fn stop(self) -> Ended {
        let ended = self.0.stop("-TERM");
        let panics = ended.stderr.lines().filter(|line| line.contains("panicked at"));
        panics.for_each(|line| eprintln!("{line}"));
        ended
    }
}
