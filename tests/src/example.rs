//! The example servers and the command `trtc-call`, as processes of their own.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};
use std::{env, fmt};

use serde_json::Value;
use trtc_call_webhook::{CallEnded, Token, sender};

use crate::raw::{Raw, ok, whole};

/// The packages of the example servers.
pub const EXAMPLES: [&str; 3] = ["example-axum", "example-actix-web", "example-hyper"];

/// An app for them.
pub const APP: u64 = 1_400_000_001;

/// A token for them.
pub const TOKEN: &str = "xxxxyyyy";

/// The query of an ended call of [`APP`], signed now with [`TOKEN`].
#[must_use]
pub fn signed_query() -> String {
    let request = sender::Request::new(APP, CallEnded::new("a"));
    request.signed(&Token::new(TOKEN), SystemTime::now()).query()
}

/// The package of the command that sends callbacks.
const COMMAND: &str = "trtc-call-cli";

/// The switches of all programs; they have none but what a test gives them.
const SWITCHES: [&str; 9] = [
    "ADDR",
    "SDK_APP_ID",
    "CALLBACK_TOKEN",
    "TLS_CERT",
    "TLS_KEY",
    "RUST_LOG",
    // Of all that print in colours.
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
];

/// How long a program may take for anything. It takes milliseconds unless something hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// The programs, built.
pub struct Programs(BTreeMap<String, PathBuf>);

impl Programs {
    /// Builds them, once in each process, beside the tests that ask for it: `tmpdir` is their
    /// `CARGO_TARGET_TMPDIR`, and the profile is theirs.
    ///
    /// # Panics
    ///
    /// If they do not compile.
    #[must_use]
    pub fn build(tmpdir: &str) -> &'static Self {
        static PROGRAMS: OnceLock<Programs> = OnceLock::new();
        PROGRAMS.get_or_init(|| {
            let target = Path::new(tmpdir).parent().expect("a target folder");
            Self::compile(target, EXAMPLES.into_iter().chain([COMMAND]))
        })
    }

    /// Builds these packages beside this program, which is no test, in its profile.
    ///
    /// # Panics
    ///
    /// If they do not compile.
    #[must_use]
    pub fn build_beside(packages: &[&str]) -> Self {
        let folder = profile_folder();
        let target = folder.parent().expect("a target folder");
        Self::compile(target, packages.iter().copied())
    }

    fn compile<'a>(target: &Path, packages: impl IntoIterator<Item = &'a str>) -> Self {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["build", "--quiet", "--locked", "--profile", &profile()])
            .args(["--message-format", "json-render-diagnostics", "--target-dir"])
            .arg(target)
            .arg("--manifest-path")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
        for package in packages {
            cargo.args(["--package", package]);
        }
        // What cargo tells a program about its package would make it build anew whatever asks for
        // the same about its own.
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(&name);
            }
        }
        let output = cargo.output().expect("cargo");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self(String::from_utf8_lossy(&output.stdout).lines().filter_map(executable).collect())
    }

    /// A program in an environment without any of its switches.
    #[must_use]
    pub fn command(&self, name: &str) -> Command {
        without_switches(Command::new(&self.0[name]))
    }

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

    /// Like [`start`](Self::start), but it may have no more than so many descriptors.
    ///
    /// # Panics
    ///
    /// If it ends instead.
    #[must_use]
    pub fn start_with_descriptors(&self, name: &str, most: u32) -> Example {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {most} && exec \"$0\"")]).arg(&self.0[name]);
        Example::running(on_free_port(without_switches(shell), &[]), Reader::Stays)
    }

    /// Runs `trtc-call send` with `token`, more arguments, and `input` on its standard input.
    #[must_use]
    pub fn send(&self, url: &str, token: Option<&str>, more: &[&str], input: &str) -> Sending {
        let mut command = self.command("trtc-call");
        // Not two seconds: what is asked here is what is answered, not how soon.
        command.args(["send", "--timeout", "20", "--url", url]).args(more);
        if !more.contains(&"--sdk-app-id") {
            command.args(["--sdk-app-id", &APP.to_string()]);
        }
        if let Some(token) = token {
            command.env("CALLBACK_TOKEN", token);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command");
        // Whoever does not read its input closes it.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        Sending::new(&child.wait_with_output().expect("its output"))
    }
}

fn without_switches(mut command: Command) -> Command {
    command.stdin(Stdio::null());
    for switch in SWITCHES {
        command.env_remove(switch);
    }
    command
}

fn on_free_port(mut command: Command, switches: &[(&str, &str)]) -> Command {
    command.env("ADDR", "127.0.0.1:0").envs(switches.iter().copied());
    command
}

/// The name of an example, once it is built: that takes its time.
#[must_use]
pub fn built<'a>(name: &'a str, tmpdir: &str) -> &'a str {
    let _ = Programs::build(tmpdir);
    name
}

/// The profile that this program was built with.
fn profile() -> String {
    match profile_folder().file_name().and_then(OsStr::to_str).expect("a name") {
        "debug" => "dev".to_owned(),
        name => name.to_owned(),
    }
}

/// `target/debug`, of `target/debug/program` as of `target/debug/deps/test`.
fn profile_folder() -> PathBuf {
    let program = env::current_exe().expect("this program");
    let mut folders = program.ancestors().skip(1);
    folders.find(|folder| !folder.ends_with("deps")).expect("a folder").to_owned()
}

/// The name and the place of a program, if this line of cargo's is about one.
fn executable(line: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(line).ok()?;
    let program = message["executable"].as_str()?;
    Some((message["target"]["name"].as_str()?.to_owned(), PathBuf::from(program)))
}

/// What came of `trtc-call send`.
#[derive(Debug)]
pub struct Sending {
    /// Exit status.
    pub status: Option<i32>,
    /// Status, `content-type` and body of each answer, as printed.
    pub answers: Vec<[String; 3]>,
    /// Everything that it printed.
    pub text: String,
}

impl Sending {
    fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        let text = text(&output.stdout) + &text(&output.stderr);
        let mut lines = text.lines();
        let mut answers = Vec::new();
        while let Some(line) = lines.next() {
            if let Some(head) = line.strip_prefix("HTTP ") {
                let mut words = head.split("  ").map(str::to_owned);
                let status = words.next().expect("a status");
                let kind = words.next().expect("a content-type");
                answers.push([status, kind, lines.next().expect("a body").to_owned()]);
            }
        }
        Self { status: output.status.code(), answers, text }
    }
}

/// Whether somebody reads what an example prints after its first line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    Stays,
    Leaves,
}

/// An example server that runs; it is killed when it is dropped.
pub struct Example {
    child: Child,
    first: String,
    lines: Receiver<String>,
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

    fn spawn(mut command: Command, reader: Reader) -> Result<Self, Ended> {
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
        thread::spawn(move || {
            loop {
                let mut line = String::new();
                let length = stdout.read_line(&mut line).expect("UTF-8");
                if length == 0 || sender.send(line).is_err() || reader == Reader::Leaves {
                    break;
                }
            }
            // In this order: whoever sees that no more lines come knows that the pipe is closed.
            drop(stdout);
            drop(sender);
        });
        let mut example = Self { child, first: String::new(), lines, errors: Some(errors) };
        match example.lines.recv_timeout(PATIENCE) {
            Ok(first) => example.first = first,
            Err(RecvTimeoutError::Disconnected) => return Err(example.ended()),
            Err(RecvTimeoutError::Timeout) => panic!("it neither listens nor ends"),
        }
        if reader == Reader::Leaves {
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
