//! HTTP/1 written and read by hand, for what a well-behaved client does not send.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{Answer, Kind, PATH};

const PATIENCE: Duration = Duration::from_secs(10);

/// A connection.
pub struct Raw {
    stream: TcpStream,
    read: Vec<u8>,
    says_close: bool,
}

impl Raw {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a server");
        stream.set_nodelay(true).expect("a socket");
        Self { stream, read: Vec::new(), says_close: false }
    }

    /// Sends bytes. A server that has answered may have closed; then they go nowhere.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Sends bytes, and tells whether the connection took them.
    pub async fn is_taken(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Says that nothing more will be sent.
    pub async fn finish(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Goes away without a farewell.
    pub fn reset(self) {
        // A socket that is closed with a linger of nothing is reset.
        let _ = self.stream.set_zero_linger();
    }

    /// Waits until the server closes, for as long as it takes, and gives what it says before.
    pub async fn closed(&mut self) -> Vec<u8> {
        // How it closes does not matter.
        let _ = self.stream.read_to_end(&mut self.read).await;
        std::mem::take(&mut self.read)
    }

    /// Reads the next answer; its body has to have a `Content-Length`.
    ///
    /// # Panics
    ///
    /// If none comes.
    pub async fn answer(&mut self) -> Answer {
        self.try_answer().await.expect("an answer")
    }

    /// Reads the next answer; `None` if the connection is closed before it is whole.
    pub async fn try_answer(&mut self) -> Option<Answer> {
        read_answer(&mut self.stream, &mut self.read, &mut self.says_close).await
    }

    /// Whether the last answer said that the connection ends with it.
    #[must_use]
    pub const fn says_close(&self) -> bool {
        self.says_close
    }

    /// Sends the same bytes so many times, or until the server closes, whatever it answers
    /// meanwhile; and reads that answer.
    ///
    /// # Panics
    ///
    /// If the server neither takes the bytes nor closes.
    pub async fn flood(&mut self, bytes: impl AsRef<[u8]>, times: usize) -> Option<Answer> {
        let (mut reader, mut writer) = self.stream.split();
        let sending = async {
            for _ in 0..times {
                if writer.write_all(bytes.as_ref()).await.is_err() {
                    break;
                }
            }
        };
        let sending = timeout(PATIENCE, sending);
        let answer = read_answer(&mut reader, &mut self.read, &mut self.says_close);
        let (sent, answer) = tokio::join!(sending, answer);
        sent.expect("the server takes the bytes, or closes");
        answer
    }
}

/// Reads the next answer; `read` holds what has come already, and keeps what comes after it.
async fn read_answer(
    stream: &mut (impl AsyncRead + Unpin),
    read: &mut Vec<u8>,
    says_close: &mut bool,
) -> Option<Answer> {
    loop {
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).into_owned();
            let status = head.split(' ').nth(1)?.parse().ok()?;
            let values = |name: &str| -> Vec<String> {
                let headers = head.lines().filter_map(|line| line.split_once(':'));
                headers
                    .filter(|(key, _)| key.eq_ignore_ascii_case(name))
                    .map(|(_, value)| value.trim().to_owned())
                    .collect()
            };
            let length = values("content-length").first().map_or(0, |v| v.parse().unwrap());
            if read.len() >= end + 4 + length {
                let body = read[end + 4..end + 4 + length].to_vec();
                read.drain(..end + 4 + length);
                *says_close = values("connection")
                    .iter()
                    .flat_map(|value| value.split(','))
                    .any(|option| option.trim().eq_ignore_ascii_case("close"));
                let (content_type, allow) = (values("content-type"), values("allow"));
                return Some(Answer { status, content_type, allow, body, kind: Kind::OutOfSight });
            }
        }
        let mut chunk = [0; 4096];
        match timeout(PATIENCE, stream.read(&mut chunk)).await.expect("no answer in time") {
            Ok(0) | Err(_) => return None,
            Ok(length) => read.extend_from_slice(&chunk[..length]),
        }
    }
}

/// The query of an ended call, for a receiver that needs no signature.
pub const QUERY: &str = "SdkAppid=1400000001&CallbackCommand=Call.CallbackAfterEndCall";

/// The body of an ended call.
pub const BODY: &str = r#"{"CallRecord":{"CallId":"a"}}"#;

/// The header of a body whose length is not known.
pub const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

/// The head of a callback, with more headers, each with the end of its line.
#[must_use]
pub fn head(query: &str, headers: &str) -> String {
    format!("POST {PATH}?{query} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
}

/// A callback with its body.
#[must_use]
pub fn whole(query: &str, body: &str) -> String {
    head(query, &format!("Content-Length: {}\r\n", body.len())) + body
}

/// The contract's refusal.
#[must_use]
pub fn refusal(status: u16, text: &str) -> Answer {
    let body = format!(r#"{{"ActionStatus":"FAIL","ErrorInfo":"{text}","ErrorCode":{status}}}"#);
    answer(status, &body)
}

/// The contract's acknowledgement.
#[must_use]
pub fn ok() -> Answer {
    answer(200, r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#)
}

/// Whether a server has refused a request in its own words, or by closing the connection.
#[must_use]
pub fn is_refused(answer: Option<&Answer>) -> bool {
    answer.is_none_or(|answer| (400..500).contains(&answer.status))
}

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status,
        content_type: vec!["application/json".to_owned()],
        allow: Vec::new(),
        body: body.as_bytes().to_vec(),
        kind: Kind::OutOfSight,
    }
}
