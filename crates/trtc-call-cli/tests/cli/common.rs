//! Runs the real binary.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread;

pub(crate) const TOKEN: &str = "xxxxyyyy";
pub(crate) const APP: &str = "1400000001";

/// The command, in an environment without its switches.
pub(crate) fn trtc_call<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trtc-call"));
    command.args(args).stdin(Stdio::null());
    for variable in [
        "ADDR",
        "SDK_APP_ID",
        "CALLBACK_TOKEN",
        "INBOX",
        "TRTC_SECRET_KEY",
        "TRTC_API_URL",
        "NO_COLOR",
        "CLICOLOR_FORCE",
    ] {
        command.env_remove(variable);
    }
    command
}

/// Runs `send` with the app, and more arguments.
pub(crate) fn send(url: &str, more: &[&str]) -> Output {
    let args = ["send", "--sdk-app-id", APP, "--url", url].into_iter().chain(more.iter().copied());
    trtc_call(args).output().unwrap()
}

/// Runs it with this on its standard input.
pub(crate) fn with_input(mut command: Command, input: &[u8]) -> Output {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Whoever does not read its input closes it.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// What it wrote to standard output, if it ended with this status.
#[track_caller]
pub(crate) fn stdout(output: &Output, status: i32) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let stdout = text(&output.stdout);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "stdout: {stdout}\nstderr: {stderr}");
    stdout
}

/// The lines of its standard output.
pub(crate) fn lines(output: &Output) -> Vec<&str> {
    std::str::from_utf8(&output.stdout).unwrap().lines().collect()
}

/// The one sentence on standard error of a run that could not be done.
#[track_caller]
pub(crate) fn sentence(output: &Output) -> String {
    stdout(output, 2);
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr
}

/// A running `listen` or `vendor`, which is killed at the end of a test that fails.
pub(crate) struct Listen {
    child: Child,
    /// Unless nobody reads it any more.
    stdout: Option<BufReader<ChildStdout>>,
    pub(crate) url: String,
}

impl Listen {
    /// Starts it on a free port with a token, and waits until it accepts.
    pub(crate) fn start(more: &[&str]) -> Self {
        let args = ["listen", "--addr", "127.0.0.1:0", "--token", TOKEN].iter().chain(more);
        Self::spawn(&mut trtc_call(args))
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        stdout.read_line(&mut first).unwrap();
        let url = first.strip_prefix("listening on ").and_then(|rest| rest.strip_suffix('\n'));
        let url = url.unwrap_or_else(|| panic!("first line: {first:?}")).to_owned();
        Self { child, stdout: Some(stdout), url }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        let authority = self.url.strip_prefix("http://").unwrap();
        authority.strip_suffix("/callback").unwrap_or(authority).parse().unwrap()
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.as_mut().unwrap().read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "no whole line: {line:?}");
        line
    }

    /// Reads no more of what it prints.
    pub(crate) fn close(&mut self) {
        self.stdout = None;
    }

    /// Stops it by a signal, and reads nothing of what it prints until it has ended: then its standard
    /// error.
    pub(crate) fn stop_unread(mut self, signal: &str) -> (Option<i32>, String) {
        self.signal(signal);
        let status = self.child.wait().unwrap().code();
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (status, stderr)
    }

    fn signal(&self, signal: &str) {
        let kill = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// Stops it by a signal; gives its exit status, the rest of its standard output, and its
    /// standard error.
    pub(crate) fn stop(mut self, signal: &str) -> (Option<i32>, String, String) {
        self.signal(signal);
        let mut rest = String::new();
        if let Some(stdout) = &mut self.stdout {
            stdout.read_to_string(&mut rest).unwrap();
        }
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap().code(), rest, stderr)
    }
}

impl Drop for Listen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An endpoint that reads one request and answers with these bytes, or never if there are none.
/// Gives its URL and, once it has served, the request's head.
pub(crate) fn endpoint(answer: &'static [u8]) -> (String, thread::JoinHandle<String>) {
    let (url, served) = request(answer);
    (url, thread::spawn(|| served.join().unwrap()[0].clone()))
}

/// The same, and gives the request's head and body.
pub(crate) fn request(answer: &'static [u8]) -> (String, thread::JoinHandle<[String; 2]>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/callback", listener.local_addr().unwrap());
    let served = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let request = read_request(&mut stream);
        if answer.is_empty() {
            // Until the sender gives up.
            let _ = stream.read(&mut [0]);
        } else {
            stream.write_all(answer).unwrap();
        }
        request
    });
    (url, served)
}

/// Reads a whole request.
fn read_request(stream: &mut TcpStream) -> [String; 2] {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
    }
    let length = head.to_lowercase();
    let length = length.split_once("content-length: ").unwrap().1;
    let length = length.split_once("\r\n").unwrap().0.parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    [head, String::from_utf8(body).unwrap()]
}

/// Sends a request over a connection of its own, and gives the status and the body of the answer.
pub(crate) fn http(addr: SocketAddr, method: &str, target: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(addr).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: {length}\r\n\
         \r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}
