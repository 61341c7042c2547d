//! What becomes of the connection of a request that asks for another protocol.

use actix_web::HttpRequest;
use actix_web::dev::ResponseHead;
use actix_web::http::ConnectionType;
use actix_web::http::header::{TRANSFER_ENCODING, UPGRADE};

/// Whether actix-http takes all that follows the head for the payload, which then ends with the
/// connection and not sooner.
///
/// It does so for one value of `Upgrade`, whatever the request's method, version, `Connection` and
/// `Content-Length` are; only the chunked coding goes before it. (And for `CONNECT`, which is
/// refused for its method.)
pub(crate) fn is_tunnel(request: &HttpRequest) -> bool {
    let headers = request.headers();
    let mut protocols = headers.get_all(UPGRADE).map(|value| value.as_bytes().trim_ascii());
    !headers.contains_key(TRANSFER_ENCODING)
        && protocols.any(|protocol| protocol.eq_ignore_ascii_case(b"websocket"))
}

/// Whether the connection ends with the answer. An answer has to say so, or a proxy sends the next
/// callback into it.
///
/// The middleware sees every answer, the extractor none but its own and an [`Ack`](crate::Ack).
/// What else a handler behind it answers goes out as actix-http has it: after a tunnel's request it
/// says so, after `Connection: upgrade` it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Connection {
    ends: bool,
}

impl Connection {
    /// Of a tunnel nothing else can come. After `Connection: upgrade` actix-http ends it too, but
    /// with an answer that only repeats these words.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let asks = request.head().connection_type() == ConnectionType::Upgrade;
        Self { ends: asks || is_tunnel(request) }
    }

    /// Makes an answer say `Connection: close` where that is so.
    pub(crate) fn tell(self, response: &mut ResponseHead) {
        if self.ends {
            response.set_connection_type(ConnectionType::Close);
        }
    }

    /// The same for an answer that is still to be made of an error.
    pub(crate) fn tell_later(self, error: &mut actix_web::Error) {
        if self.ends {
            error.add_response_mapper(move |mut response| {
                self.tell(response.head_mut());
                response
            });
        }
    }
}
