//! What only adapters need: whoever plugs a framework in, or receives requests without one.
//!
//! One request goes through these types, which make the order of the checks impossible to get wrong:
//!
//! | type | what it stands for |
//! | --- | --- |
//! | [`RequestHead`] | what came before the body: [`Verifier::check`](crate::Verifier::check) takes it |
//! | [`Head`] | a request that passed every check that needs no body |
//! | [`BodyBuffer`] | its body while it arrives |
//! | [`Receipt`] | a [`Delivery`](crate::Delivery) for the handler, or the acknowledgement |
//! | [`Answer`] | the status, the headers and the body to send back |

pub use crate::answer::Answer;
pub use crate::delivery::Receipt;
use crate::error::{Error, Reason};
pub use crate::head::{BodyBuffer, Head, RequestHead};
pub use crate::query::Query;

#[cfg(feature = "http")]
pub mod http;

/// How a route can be set up wrongly, so that it shows only at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Misconfiguration {
    /// The framework finds no verifier for the route.
    NoVerifier,
    /// The framework finds two verifiers for the route.
    TwoVerifiers,
    /// A body was announced, and is at its end before any of it was read.
    BodyTaken,
}

/// The refusal of a request that reached a route which is set up wrongly. Logs it at error.
#[must_use]
pub fn misconfigured(how: Misconfiguration) -> Error {
    let error = Error::new(match how {
        Misconfiguration::NoVerifier => Reason::NoVerifier,
        Misconfiguration::TwoVerifiers => Reason::TwoVerifiers,
        Misconfiguration::BodyTaken => Reason::BodyTaken,
    });
    crate::log::misconfigured(&error);
    error
}
