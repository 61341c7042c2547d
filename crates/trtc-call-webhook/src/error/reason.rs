//! Why a check failed: one reason for each thing that can be wrong.

use std::fmt;

use super::ErrorKind;
use crate::parameter::Parameter;

/// Why a check failed, in more detail than the [kind](ErrorKind) of the refusal tells.
///
/// It names what is wrong and repeats nothing of the request. A later version may have more of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// No verifier is configured for the route.
    NoVerifier,
    /// Two verifiers are in the scope of the route, and which of them is meant cannot be told.
    TwoVerifiers,
    /// A body was announced, and something in this server has taken it before: another extractor, or a
    /// middleware.
    BodyTaken,
    /// The method is not `POST`.
    NotPost,
    /// The query is longer than 8192 bytes.
    QueryTooLong,
    /// The value of a parameter that is checked does not decode to UTF-8.
    NotUtf8(Parameter),
    /// A parameter that is checked is given twice, with two values.
    GivenTwice(Parameter),
    /// `SdkAppid` is missing.
    NoSdkAppId,
    /// `SdkAppid` is not a plain decimal number from 1 to 2^64 − 1.
    BadSdkAppId,
    /// The SDKAppID is none of the verifier's apps.
    ForeignApp,
    /// Neither `Sign` nor `RequestTime` is there, and a signature is required.
    Unsigned,
    /// `RequestTime` is there without `Sign`.
    NoSign,
    /// `Sign` is there without `RequestTime`.
    NoRequestTime,
    /// `Sign` is not 64 hex digits.
    BadSign,
    /// `RequestTime` is not 1 to 19 digits.
    BadRequestTime,
    /// No token of the app made `Sign`.
    NoTokenMatches,
    /// `RequestTime` is outside the replay window: so many seconds after the clock, or before it if
    /// negative.
    Stale {
        /// `RequestTime` less the clock, in seconds.
        seconds_ahead: i64,
    },
    /// More bytes are announced than the limit.
    AnnouncedTooLarge,
    /// More bytes came than the limit.
    TooLarge,
    /// The body ended before the announced length.
    BodyEndsEarly,
    /// The transport broke while the body arrived; the error's `source` says how.
    BodyBroken,
    /// The body is empty.
    BodyEmpty,
    /// The body is not UTF-8.
    BodyNotUtf8,
    /// The body is something else than a JSON object.
    NotAnObject,
    /// The JSON ends in the middle.
    JsonEndsEarly,
    /// The body is not JSON.
    NotJson,
    /// One of the protocol's keys is given twice, or its value cannot be read: an escaped lone surrogate,
    /// or a number beyond a double.
    UnreadableField,
    /// Neither the URL nor the body says which command it is.
    NoCommand,
    /// The command in the URL and the body's differ.
    CommandsDiffer,
    /// The event has no wrapper, or no call id in it.
    NoCallId,
}

impl Reason {
    /// The kind of refusal that it is a reason for.
    #[must_use]
    pub const fn kind(self) -> ErrorKind {
        match self {
            Self::NoVerifier | Self::TwoVerifiers | Self::BodyTaken => ErrorKind::Misconfigured,
            Self::NotPost => ErrorKind::MethodNotAllowed,
            Self::QueryTooLong
            | Self::NotUtf8(_)
            | Self::GivenTwice(_)
            | Self::NoSdkAppId
            | Self::BadSdkAppId => ErrorKind::MalformedQuery,
            Self::ForeignApp => ErrorKind::ForeignApp,
            Self::Unsigned => ErrorKind::Unsigned,
            Self::NoSign
            | Self::NoRequestTime
            | Self::BadSign
            | Self::BadRequestTime
            | Self::NoTokenMatches => ErrorKind::BadSignature,
            Self::Stale { .. } => ErrorKind::StaleSignature,
            Self::AnnouncedTooLarge | Self::TooLarge => ErrorKind::BodyTooLarge,
            Self::BodyEndsEarly | Self::BodyBroken => ErrorKind::UnreadableBody,
            Self::BodyEmpty
            | Self::BodyNotUtf8
            | Self::NotAnObject
            | Self::JsonEndsEarly
            | Self::NotJson
            | Self::UnreadableField => ErrorKind::MalformedBody,
            Self::NoCommand | Self::CommandsDiffer => ErrorKind::CommandMismatch,
            Self::NoCallId => ErrorKind::NoCallId,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoVerifier => "no `Verifier` is configured for this route",
            Self::TwoVerifiers => "two verifiers are configured for this route: keep one of them",
            Self::BodyTaken => {
                "the body was taken before the webhook could read it: by another extractor of the \
                 handler, or by a middleware"
            }
            Self::NotPost => "the method is not POST",
            Self::QueryTooLong => "the query has more than 8192 bytes",
            Self::NotUtf8(parameter) => return write!(f, "`{parameter}` is not UTF-8"),
            Self::GivenTwice(parameter) => {
                return write!(f, "`{parameter}` is given twice, with two values");
            }
            Self::NoSdkAppId => "`SdkAppid` is missing",
            Self::BadSdkAppId => "`SdkAppid` is not a plain decimal number",
            Self::ForeignApp => "the SDKAppID is none of the verifier's",
            Self::Unsigned => "`Sign` is missing",
            Self::NoSign => "`RequestTime` has no `Sign`",
            Self::NoRequestTime => "`Sign` has no `RequestTime`",
            Self::BadSign => "`Sign` is not 64 hex digits",
            Self::BadRequestTime => "`RequestTime` is not 1 to 19 digits",
            Self::NoTokenMatches => "`Sign` is not by any token of the app",
            Self::Stale { seconds_ahead } => {
                let side = if *seconds_ahead < 0 { "behind" } else { "ahead of" };
                let seconds = seconds_ahead.unsigned_abs();
                return write!(f, "`RequestTime` is {seconds} s {side} the clock");
            }
            Self::AnnouncedTooLarge => "more bytes are announced than the limit",
            Self::TooLarge => "the body is longer than the limit",
            Self::BodyEndsEarly => "the body ends before its announced length",
            Self::BodyBroken => "the body did not arrive whole",
            Self::BodyEmpty => "it is empty",
            Self::BodyNotUtf8 => "it is not UTF-8",
            Self::NotAnObject => "it is no JSON object",
            Self::JsonEndsEarly => "the JSON ends too early",
            Self::NotJson => "it is not JSON",
            Self::UnreadableField => "a known key is given twice, or its value cannot be read",
            Self::NoCommand => "neither the URL nor the body has a command",
            Self::CommandsDiffer => "the command in the URL and the body's do not agree",
            Self::NoCallId => "the event has no call id",
        })
    }
}
