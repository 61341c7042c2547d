//! The example servers, as processes of their own.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use trtc_call_webhook::{CallEnded, Token, sender};

use crate::programs::Programs;
use crate::raw::{Raw, ok, whole};

/// An app for the examples.
pub const APP: u64 = 1_400_000_001;

/// A token for them.
pub const TOKEN: &str = "xxxxyyyy";

/// The query of an ended call of [`APP`], signed now with [`TOKEN`].
#[must_use]
pub fn signed_query() -> String {
    let request = sender::Request::new(APP, CallEnded::new("a"));
    request.signed(&Token::new(TOKEN), SystemTime::now()).query()
}

/// How long an example may take for anything. It takes milliseconds unless something hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// Who reads what an example prints after its first line.
enum Reader {
    /// Whoever asks for the next line.
    Stays,
    /// Nobody.
    Leaves,
    /// Nobody for a while.
    Stalls,
    /// This, as the lines come, each with its end.
    Takes(Box<dyn FnMut(&str) + Send>),
}

impl Programs {
    /// Starts an example on a free port of this machine, and waits until it accepts.
    ///
    /// # Panics
    ///
    /// If it ends instead.
    #[must_use]
    pub fn start(&self, name: &str, switches: &[(&str, &str)]) -> Example {
        Example::running(on_free_port(self.command(name), switches), Reader::Stays)
    }

    /// Like [`start`](Self::start), but nobody reads what it prints after its first line.
    ///
    /// # Panics
    ///
    /// If it ends instead.
    #[must_use]
    pub fn start_unread(&self, name: &str, switches: &[(&str, &str)]) -> Example {
        Example::running(on_free_port(self.command(name), switches), Reader::Leaves)
    }

    /// Like [`start`](Self::start), but what it prints after its first line is only read from
    /// [`Example::is_read`] on, or once it has ended.
    ///
    /// # Panics
    ///
    /// If it ends instead.
    #[must_use]
    pub fn start_stalled(&self, name: &str, switches: &[(&str, &str)]) -> Example {
        Example::running(on_free_port(self.command(name), switches), Reader::Stalls)
    }

    /// Like [`start`](Self::start), but each line after the first is handed over as it comes.
    ///
    /// # Panics
    ///
    /// If it ends instead.
    #[must_use]
    pub fn start_read(
        &self,
        name: &str,
        switches: &[(&str, &str)],
        printed: impl FnMut(&str) + Send + 'static,
    ) -> Example {
        let reader = Reader::Takes(Box::new(printed));
        Example::running(on_free_port(self.command(name), switches), reader)
    }

    /// Like [`start`](Self::start), but it may have no more than so many descriptors.
    ///
    /// # Panics
    ///
    /// If it ends instead.
    #[must_use]
    pub fn start_with_descriptors(&self, name: &str, most: u32) -> Example {
        let command = self.command_after(&format!("ulimit -n {most}"), name);
        Example::running(on_free_port(command, &[]), Reader::Stays)
    }
}

fn on_free_port(mut command: Command, switches: &[(&str, &str)]) -> Command {
    command.env("ADDR", "127.0.0.1:0").envs(switches.iter().copied());
    command
}

/// An example server that runs; it is killed when it is dropped.
pub struct Example {
    child: Child,
    first: String,
    lines: Receiver<String>,
    reading: Sender<()>,
    errors: Option<JoinHandle<String>>,
}

/// What is left of a program that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit status; `None` if a signal ended it.
    pub status: Option<i32>,
    /// What of its standard output was not read before.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

impl Example {
    /// Starts it and waits for its first line, which says that it accepts.
    ///
    /// # Errors
    ///
    /// What is left of it if it ends instead.
    ///
    /// # Panics
    ///
    /// If it does neither in time.
    pub fn start(command: Command) -> Result<Self, Ended> {
        Self::spawn(command, Reader::Stays)
    }

    fn running(command: Command, reader: Reader) -> Self {
        Self::spawn(command, reader).unwrap_or_else(|ended| panic!("it does not run: {ended:?}"))
    }

    fn spawn(mut command: Command, mut reader: Reader) -> Result<Self, Ended> {
        let leaves = matches!(reader, Reader::Leaves);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the example");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut stderr = child.stderr.take().expect("a pipe");
        let errors = thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).expect("UTF-8");
            text
        });
        let (sender, lines) = mpsc::channel();
        let (reading, is_read) = mpsc::channel();
        thread::spawn(move || {
            for number in 0_u64.. {
                if number == 1 && matches!(reader, Reader::Stalls) {
                    // An error says that nobody will ask for lines any more.
                    let _ = is_read.recv();
                }
                let mut line = String::new();
                let length = stdout.read_line(&mut line).expect("UTF-8");
                match &mut reader {
                    _ if length == 0 => break,
                    Reader::Takes(printed) if number > 0 => printed(&line),
                    _ if sender.send(line).is_err() || leaves => break,
                    _ => {}
                }
            }
            // In this order: whoever sees that no more lines come knows that the pipe is closed.
            drop(stdout);
            drop(sender);
        });
        let mut example =
            Self { child, first: String::new(), lines, reading, errors: Some(errors) };
        match example.lines.recv_timeout(PATIENCE) {
            Ok(first) => example.first = first,
            Err(RecvTimeoutError::Disconnected) => return Err(example.ended()),
            Err(RecvTimeoutError::Timeout) => panic!("it neither listens nor ends"),
        }
        if leaves {
            let next = example.lines.recv_timeout(PATIENCE);
            assert_eq!(next, Err(RecvTimeoutError::Disconnected));
        }
        Ok(example)
    }

    /// Its first line, with the end of the line.
    #[must_use]
    pub fn first_line(&self) -> &str {
        &self.first
    }

    /// Its URL, as its first line says it.
    #[must_use]
    pub fn url(&self) -> &str {
        self.first.strip_prefix("listening on ").expect("a first line").trim_end()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        let authority = self.url().split('/').nth(2).expect("a URL");
        authority.parse().expect("an address")
    }

    /// From now on a stalled reader reads.
    pub fn is_read(&self) {
        let _ = self.reading.send(());
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it prints.
    #[must_use]
    pub fn line(&self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).expect("a line");
        assert!(line.ends_with('\n'), "no whole line: {line:?}");
        serde_json::from_str(&line).expect("JSON")
    }

    /// A callback on a new connection is answered, and its line is the next that is printed.
    ///
    /// # Panics
    ///
    /// If that is not so.
    pub async fn is_well(&self) {
        let mut raw = Raw::connect(self.address()).await;
        raw.send(whole(&signed_query(), r#"{"CallRecord":{"CallId":"good"}}"#)).await;
        assert_eq!(raw.answer().await, ok());
        assert_eq!(self.line()["call_id"], "good");
    }

    /// Sends it a signal: `-TERM`, say.
    pub fn signal(&self, signal: &str) {
        let id = self.id().to_string();
        let status = Command::new("kill").args([signal, &id]).status().expect("kill");
        assert!(status.success(), "the example runs no more");
    }

    /// Waits until it ends.
    #[must_use]
    pub fn ended(mut self) -> Ended {
        let start = Instant::now();
        let status = loop {
            match self.child.try_wait().expect("a child") {
                Some(status) => break status,
                None => thread::sleep(Duration::from_millis(5)),
            }
            assert!(start.elapsed() < PATIENCE, "it does not end");
        };
        self.is_read();
        // All of it has been read when the reader is gone.
        let stdout = self.lines.iter().collect();
        let stderr = self.errors.take().expect("once").join().expect("its standard error");
        Ended { status: status.code(), stdout, stderr }
    }

    /// It stops with status 0, and has printed nothing that was not read.
    ///
    /// # Panics
    ///
    /// If that is not so.
    #[allow(clippy::must_use_candidate, reason = "that it stops is what most tests ask for")]
    pub fn stops(self) -> Ended {
        let ended = self.stop("-TERM");
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), ""), "{}", ended.stderr);
        ended
    }

    /// Stops it by a signal and waits until it has ended.
    #[must_use]
    pub fn stop(self, signal: &str) -> Ended {
        self.signal(signal);
        self.ended()
    }
}

impl fmt::Debug for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first)
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
