//! HTTP/1 written and read by hand, for what a well-behaved client does not send.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{Answer, Kind};

const PATIENCE: Duration = Duration::from_secs(10);

/// A connection.
pub struct Raw {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Raw {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a server");
        stream.set_nodelay(true).expect("a socket");
        Self { stream, read: Vec::new() }
    }

    /// Sends bytes. A server that has answered may have closed; then they go nowhere.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Says that nothing more will be sent.
    pub async fn finish(&mut self) {
        let _ = self.stream.shutdown().await;
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
        loop {
            if let Some(end) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.read[..end]).into_owned();
                let status = head.split(' ').nth(1)?.parse().ok()?;
                let values = |name: &str| -> Vec<String> {
                    let headers = head.lines().filter_map(|line| line.split_once(':'));
                    headers
                        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
                        .map(|(_, value)| value.trim().to_owned())
                        .collect()
                };
                let length = values("content-length").first().map_or(0, |v| v.parse().unwrap());
                if self.read.len() >= end + 4 + length {
                    let body = self.read[end + 4..end + 4 + length].to_vec();
                    self.read.drain(..end + 4 + length);
                    let (content_type, allow) = (values("content-type"), values("allow"));
                    return Some(Answer {
                        status,
                        content_type,
                        allow,
                        body,
                        kind: Kind::OutOfSight,
                    });
                }
            }
            let mut chunk = [0; 4096];
            match timeout(PATIENCE, self.stream.read(&mut chunk)).await.expect("no answer in time")
            {
                Ok(0) | Err(_) => return None,
                Ok(length) => self.read.extend_from_slice(&chunk[..length]),
            }
        }
    }
}
