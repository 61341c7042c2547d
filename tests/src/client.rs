//! An HTTP client that keeps its connection, as Tencent's senders are said to do.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::time::timeout;
use trtc_call_webhook::Verifier;

use crate::{Answer, Driver, Endpoint, Kind, Notebook, Request, Sent, Serve, Server, Taken};

/// How long an answer may take. It takes far less unless something hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// How requests travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// HTTP/1.1 with `Content-Length`.
    Http1,
    /// HTTP/1.1 with the body in chunks and no `Content-Length`.
    Http1Chunked,
    /// HTTP/2 by prior knowledge.
    Http2,
    /// HTTP/2 with the body in small frames and no `content-length`.
    Http2Pieces,
}

/// A server and how it is talked to: together a [`Driver`].
pub struct Loopback<S>(pub S, pub Wire);

impl<S: Serve> Driver for Loopback<S> {
    type Endpoint = Client;

    fn name(&self) -> String {
        format!("{} over {:?}", self.0.name(), self.1)
    }

    async fn open<E: Taken>(&self, verifier: Verifier, notebook: Notebook) -> Client {
        let server = self.0.serve::<E>(verifier, notebook).await;
        Client { wire: self.1, connection: None, server }
    }
}

/// A client of one server.
pub struct Client {
    wire: Wire,
    connection: Option<Connection>,
    server: Server,
}

enum Connection {
    Http1(http1::SendRequest<Sent>),
    Http2(http2::SendRequest<Sent>),
}

impl Endpoint for Client {
    /// Uses the connection of the request before if it still stands.
    async fn answer(&mut self, request: &Request) -> Result<Answer, String> {
        if let Some(connection) = self.connection.take()
            && let Ok(answer) = self.send(connection, request).await
        {
            return Ok(answer);
        }
        // A server that leaves a body unread closes the connection.
        let connection = self.connect().await?;
        self.send(connection, request).await
    }
}

impl Client {
    async fn connect(&self) -> Result<Connection, String> {
        connect(self.server.address(), self.wire).await.map_err(|error| error.to_string())
    }

    async fn send(&mut self, mut connection: Connection, sent: &Request) -> Result<Answer, String> {
        let pieces = matches!(self.wire, Wire::Http1Chunked | Wire::Http2Pieces);
        let mut request = sent.to_http(pieces)?;
        let is_http1 = matches!(connection, Connection::Http1(_));
        let authority = self.server.address().to_string();
        if is_http1 {
            let host = authority.parse().map_err(|_| "no host")?;
            request.headers_mut().insert(http::header::HOST, host);
        } else {
            let target = format!("http://{authority}{}", sent.target());
            *request.uri_mut() = target.parse().map_err(|_| "no target")?;
        }
        let exchange = async {
            let response = match &mut connection {
                Connection::Http1(sender) => {
                    sender.ready().await?;
                    sender.send_request(request).await?
                }
                Connection::Http2(sender) => {
                    sender.ready().await?;
                    sender.send_request(request).await?
                }
            };
            let (parts, body) = response.into_parts();
            Ok::<_, hyper::Error>((parts, body.collect().await?.to_bytes()))
        };
        let (parts, body) = timeout(PATIENCE, exchange)
            .await
            .map_err(|_| format!("no answer within {PATIENCE:?}"))?
            .map_err(|error| format!("no answer: {error:?}"))?;
        // A connection with a body under way that never comes is of no more use.
        if sent.announce.is_none() {
            self.connection = Some(connection);
        }
        Ok(Answer::from_parts(&parts, &body, Kind::OutOfSight))
    }
}

async fn connect(
    address: SocketAddr,
    wire: Wire,
) -> Result<Connection, Box<dyn std::error::Error>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let io = TokioIo::new(stream);
    Ok(match wire {
        Wire::Http1 | Wire::Http1Chunked => {
            let (sender, connection) = http1::handshake(io).await?;
            tokio::spawn(connection);
            Connection::Http1(sender)
        }
        Wire::Http2 | Wire::Http2Pieces => {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
            tokio::spawn(connection);
            Connection::Http2(sender)
        }
    })
}
