//! A server in a process of its own, and the cores that server and load are kept on.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::adapters::{self, Framework, Variant};

/// Whether processes are pinned to cores.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pinning(bool);

impl Pinning {
    pub(crate) const fn new(is_pinned: bool) -> Self {
        Self(is_pinned)
    }

    /// Needs `taskset`, and two cores. A process that is pinned itself sees a single core.
    pub(crate) fn find() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let works = || Command::new("taskset").args(["-c", "1", "true"]).status();
        Self(cores >= 2 && works().is_ok_and(|status| status.success()))
    }

    pub(crate) const fn is_pinned(self) -> bool {
        self.0
    }

    pub(crate) const fn text(self) -> &'static str {
        if self.0 {
            "servers on core 0, load generator on core 1"
        } else {
            "not pinned (no `taskset`, or a single core)"
        }
    }

    /// A command that runs this program again on the core of the servers.
    fn server(self) -> io::Result<Command> {
        self.on("0")
    }

    /// A command that runs this program again on the core of the load generator.
    pub(crate) fn load(self) -> io::Result<Command> {
        self.on("1")
    }

    fn on(self, core: &str) -> io::Result<Command> {
        let this = env::current_exe()?;
        Ok(if self.0 {
            let mut command = Command::new("taskset");
            command.args(["-c", core]).arg(this);
            command
        } else {
            Command::new(this)
        })
    }
}

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts a server, and waits until it listens.
    pub(crate) fn start(pinning: Pinning, what: Framework, variant: Variant) -> io::Result<Self> {
        let mut child = pinning
            .server()?
            .args(["serve", what.text(), variant.text()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let said = child.stdout.take().map(|output| BufReader::new(output).read_line(&mut line));
        match (said, line.trim().parse()) {
            (Some(Ok(_)), Ok(address)) => Ok(Self { child, address }),
            _ => {
                child.kill()?;
                Err(io::Error::other("a server does not say its address"))
            }
        }
    }

    /// The time that its process has been on a core, as far as the system says.
    pub(crate) fn busy(&self) -> Option<Duration> {
        busy(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The time that a process has been on a core: the sum of its threads, from Linux's `/proc`.
pub(crate) fn busy(process: u32) -> Option<Duration> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).ok()?;
    let nanoseconds = threads.map(|thread| {
        let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    nanoseconds.sum::<Option<u64>>().map(Duration::from_nanos)
}

/// Serves until standard input ends, so that no server outlives the one who started it.
pub(crate) fn serve(framework: Framework, variant: Variant) {
    std::thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });
    adapters::serve(framework, variant);
}
