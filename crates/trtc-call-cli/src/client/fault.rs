//! Whose fault it is that no answer could be read.

use std::io::{self, ErrorKind};

use ureq::Error;

pub(super) enum Fault {
    /// The time was over.
    Late,
    /// The endpoint is there but did not answer as a server should: not delivered.
    Answer(String),
    /// There is nothing that could answer: the user's to mend.
    Reach(String),
}

pub(super) fn of(error: Error) -> Fault {
    match error {
        Error::Timeout(_) => Fault::Late,
        Error::Io(error) => of_io(&error),
        Error::Protocol(_) | Error::LargeResponseHeader(..) | Error::BodyStalled => {
            Fault::Answer("the answer is not HTTP".to_owned())
        }
        Error::BodyExceedsLimit(limit) => {
            Fault::Answer(format!("the answer has more than {limit} bytes"))
        }
        Error::HostNotFound => Fault::Reach("there is no such host".to_owned()),
        Error::Rustls(error) => of_tls(&error),
        other => Fault::Reach(other.to_string()),
    }
}

fn of_io(error: &io::Error) -> Fault {
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
        return of_tls(error);
    }
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Fault::Late,
        kind if is_disconnect_kind(kind) => {
            Fault::Answer("the connection was closed without a whole answer".to_owned())
        }
        ErrorKind::InvalidData => Fault::Answer("the answer is not HTTP".to_owned()),
        _ => Fault::Reach(error.to_string()),
    }
}

fn of_tls(error: &rustls::Error) -> Fault {
    Fault::Reach(match error {
        rustls::Error::InvalidCertificate(error) => {
            format!("its certificate is not trusted ({error}); --ca-cert FILE trusts another")
        }
        error => format!("TLS: {error}"),
    })
}

/// Whether the peer closed the connection.
pub(super) fn is_disconnect(error: &Error) -> bool {
    matches!(error, Error::Io(error) if is_disconnect_kind(error.kind()))
}

const fn is_disconnect_kind(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
    )
}
