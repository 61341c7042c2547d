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

/// The refusal of a request that reached a route which is set up wrongly, and logs it at error.
///
/// `reason` is [`NoVerifier`](Reason::NoVerifier) or [`TwoVerifiers`](Reason::TwoVerifiers), where a
/// framework looks its configuration up at run time, or [`BodyTaken`](Reason::BodyTaken).
#[must_use]
pub fn misconfigured(reason: Reason) -> Error {
    let error = Error::from(reason);
    crate::log::misconfigured(&error);
    error
}
