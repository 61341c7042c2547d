//! An example server as a process, and what Linux says about it.

use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use conformance::example::{APP, TOKEN};
use conformance::memory;
use conformance::programs::Programs;

/// How long it may take to end, and to close connections. Its own time-outs are shorter.
const PATIENCE: Duration = Duration::from_secs(45);

/// How long its descriptors have to stay the same before they are counted.
const CALM: Duration = Duration::from_millis(500);

/// A process that is killed when it is dropped.
#[derive(Debug)]
struct Process(Child);

/// A server that runs, until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    process: Process,
    pub(crate) address: SocketAddr,
    output: Option<JoinHandle<io::Result<()>>>,
    log: Option<JoinHandle<Log>>,
}

/// What there was on standard error.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Log {
    pub(crate) lines: u64,
    pub(crate) panics: u64,
}

/// What is left of a server that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Exit status; `None` if a signal ended it.
    pub(crate) status: Option<i32>,
    pub(crate) log: Log,
}

impl Server {
    /// Starts an example on a free port, and hands over each line that it prints, with the end of
    /// the line, but for the first. They are read as they come: a full pipe would stop the server.
    pub(crate) fn start(
        programs: &Programs,
        name: &str,
        mut printed: impl FnMut(&[u8]) + Send + 'static,
    ) -> io::Result<Self> {
        let mut command = programs.command(name);
        command.env("ADDR", "127.0.0.1:0").env("SDK_APP_ID", APP.to_string());
        command.env("CALLBACK_TOKEN", TOKEN).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = Process(command.spawn()?);
        let mut stderr = process.0.stderr.take().expect("a pipe");
        let mut stdout = BufReader::new(process.0.stdout.take().expect("a pipe"));
        let mut first = String::new();
        stdout.read_line(&mut first)?;
        let address = first.split('/').nth(2).and_then(|authority| authority.parse().ok());
        let Some(address) = address else {
            // Only then has its standard error an end for sure.
            drop(process);
            stderr.read_to_string(&mut first)?;
            return Err(io::Error::other(format!("{name} does not listen: {first}")));
        };
        let output = thread::spawn(move || {
            let mut line = Vec::new();
            while stdout.read_until(b'\n', &mut line)? > 0 {
                printed(&line);
                line.clear();
            }
            Ok(())
        });
        let log = thread::spawn(move || Log::read(stderr));
        Ok(Self { process, address, output: Some(output), log: Some(log) })
    }

    /// Its memory, in KiB: `VmRSS` now, or `VmHWM` at its peak.
    pub(crate) fn memory(&self, field: &str) -> io::Result<u64> {
        let value = memory::field(self.process.0.id(), field);
        value.ok_or_else(|| io::Error::other(format!("no {field} in /proc")))
    }

    fn descriptors(&self) -> io::Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.process.0.id()))?.count())
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
    pub(crate) fn stop(mut self) -> io::Result<Ended> {
        let id = self.process.0.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.process.0.try_wait()? {
                break status;
            }
            if start.elapsed() > PATIENCE {
                return Err(io::Error::other("it does not end"));
            }
            thread::sleep(Duration::from_millis(5));
        };
        self.output.take().expect("once").join().expect("a reader")?;
        let log = self.log.take().expect("once").join().expect("a reader");
        Ok(Ended { status: status.code(), log })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Log {
    fn read(stderr: ChildStderr) -> Self {
        let mut log = Self::default();
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            log.lines += 1;
            if line.contains("panicked at") {
                log.panics += 1;
                eprintln!("{line}");
            }
        }
        log
    }
}
