//! The load generator: a few connections that are kept alive, each with one request in flight.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How many connections there are.
pub(crate) const CONNECTIONS: usize = 8;

/// How long one answer may take before the run fails.
const PATIENCE: Duration = Duration::from_secs(5);

/// The requests that every connection sends in turn, as bytes, and the status each must get.
pub(crate) type Script = Arc<[(Vec<u8>, u16)]>;

/// What came of a slice of load.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Answers in a second.
    pub(crate) per_second: f64,
    /// The latencies of the answers with status 200, in nanoseconds.
    pub(crate) accepted: Histogram<u64>,
    /// How often the server closed a connection after an answer.
    pub(crate) closed: u64,
}

/// A histogram of latencies in nanoseconds.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new(3).unwrap()
}

/// Loads a server for so long.
///
/// # Errors
///
/// When a connection fails, or an answer has another status than the script says.
pub(crate) async fn run(
    address: SocketAddr,
    script: &Script,
    time: Duration,
) -> io::Result<Outcome> {
    let mut clients = Vec::new();
    for start in 0..CONNECTIONS {
        let mut client = Client::connect(address, Arc::clone(script), start).await?;
        // The first answers are not measured: the connection is accepted, the server is warm.
        for _ in 0..script.len().max(10) {
            client.exchange().await?;
        }
        client.forget();
        clients.push(client);
    }
    let start = Instant::now();
    let mut running = JoinSet::new();
    for mut client in clients {
        running.spawn(async move {
            while start.elapsed() < time {
                client.exchange().await?;
            }
            io::Result::Ok(client)
        });
    }
    let (mut answers, mut accepted, mut closed) = (0, histogram(), 0);
    while let Some(client) = running.join_next().await {
        let client = client.unwrap()?;
        answers += client.answers;
        closed += client.closed;
        accepted.add(client.accepted).unwrap();
    }
    let per_second = answers as f64 / start.elapsed().as_secs_f64();
    Ok(Outcome { per_second, accepted, closed })
}

/// One connection.
struct Client {
    address: SocketAddr,
    stream: TcpStream,
    script: Script,
    next: usize,
    answers: u64,
    closed: u64,
    accepted: Histogram<u64>,
}

impl Client {
    async fn connect(address: SocketAddr, script: Script, next: usize) -> io::Result<Self> {
        let stream = connect(address).await?;
        Ok(Self { address, stream, script, next, answers: 0, closed: 0, accepted: histogram() })
    }

    fn forget(&mut self) {
        (self.answers, self.closed) = (0, 0);
        self.accepted.reset();
    }

    /// Sends the next request and reads its answer.
    async fn exchange(&mut self) -> io::Result<()> {
        let (request, expected) = &self.script[self.next % self.script.len()];
        self.next += 1;
        let start = Instant::now();
        let answered = timeout(PATIENCE, async {
            self.stream.write_all(request).await?;
            read_answer(&mut self.stream).await
        });
        let answer = match answered.await? {
            // A server that did not read a refused body may close the connection behind its
            // answer, which this request then met.
            Err(error) if self.script.len() > 1 && is_closed(&error) => {
                self.closed += 1;
                self.stream = connect(self.address).await?;
                return Ok(());
            }
            answer => answer?,
        };
        if answer.status != *expected {
            let text = format!("answered {} instead of {expected}", answer.status);
            return Err(io::Error::other(text));
        }
        self.answers += 1;
        if answer.status == 200 {
            self.accepted.record(start.elapsed().as_nanos() as u64).unwrap();
        }
        if answer.is_last {
            self.closed += 1;
            self.stream = connect(self.address).await?;
        }
        Ok(())
    }
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

/// An answer, read to its end.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    /// The server closes the connection.
    is_last: bool,
}

async fn read_answer(stream: &mut TcpStream) -> io::Result<Answer> {
    let mut buffer = [0; 4096];
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        filled += read;
        if let Some(answer) = whole_answer(&buffer[..filled])? {
            return Ok(answer);
        }
    }
}

/// The answer, once all of it is there.
fn whole_answer(bytes: &[u8]) -> io::Result<Option<Answer>> {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(bytes).map_err(io::Error::other)? else {
        return Ok(None);
    };
    let header = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.and_then(|header| std::str::from_utf8(header.value).ok())
    };
    let length = header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let is_last = header("connection").is_some_and(|text| text.eq_ignore_ascii_case("close"));
    let status = response.code.unwrap_or(0);
    Ok((bytes.len() >= head + length).then_some(Answer { status, is_last }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_to_its_end() {
        let bytes = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nconnection: close\r\n\r\n{}";
        for length in 0..bytes.len() {
            assert_eq!(whole_answer(&bytes[..length]).unwrap(), None);
        }
        assert_eq!(whole_answer(bytes).unwrap(), Some(Answer { status: 403, is_last: true }));
    }
}
