//! Whose fault it is that no answer could be read.

use std::error::Error;
use std::io;
use std::time::Duration;

pub(crate) enum Fault {
    /// The time was over.
    Late,
    /// The endpoint closed the connection before its answer was whole: not delivered.
    Closed,
    /// The endpoint is there but did not answer as a server should: not delivered.
    Answer(String),
    /// There is nothing that could answer: the user's to mend.
    Reach(String),
}

impl Fault {
    /// Why no answer could be read, if one was waited for so long.
    pub(crate) fn in_words(self, timeout: Duration) -> String {
        match self {
            Self::Late => format!("no whole answer within {timeout:?}"),
            Self::Closed => "the connection was closed without a whole answer".to_owned(),
            Self::Answer(why) | Self::Reach(why) => why,
        }
    }
}

impl From<reqwest::Error> for Fault {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Late;
        }
        if error.is_connect() {
            return Self::Reach(match find::<rustls::Error>(&error) {
                Some(rustls::Error::InvalidCertificate(error)) => format!(
                    "its certificate is not trusted ({error}); --ca-cert FILE trusts another"
                ),
                Some(error) => format!("TLS: {error}"),
                None => cause(&error),
            });
        }
        match find::<hyper::Error>(&error) {
            Some(error) if error.is_parse() => Self::Answer("the answer is not HTTP".to_owned()),
            // Whatever else breaks an open connection, the endpoint was there.
            Some(_) => Self::Closed,
            None if find::<io::Error>(&error).is_some() => Self::Closed,
            None => Self::Reach(cause(&error)),
        }
    }
}

/// What is behind an error, in its own words, which hold no URL.
pub(crate) fn cause(error: &reqwest::Error) -> String {
    chain(error).last().map_or_else(String::new, ToString::to_string)
}

fn find<E: Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// What an error comes from, from the outside to the inside.
fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |&error| {
        match error.downcast_ref().and_then(io::Error::get_ref) {
            // One that wraps another does not name it as its source.
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}
