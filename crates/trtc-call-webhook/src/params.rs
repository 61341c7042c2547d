//! The query's parameters, typed.

use crate::config::SdkAppId;
use crate::event::Command;
use crate::parameter::Parameter;
use crate::query::Query;
use crate::signature::{Sign, Signed};

mod client_ip;
mod words;

pub use client_ip::ClientIp;
pub use words::{ContentType, OptPlatform};

/// What the URL of a callback said, typed (the request parameters of 647/68940).
///
/// Only [`sdk_app_id`](Self::sdk_app_id) is always there, and only it and what was signed were
/// checked: anybody who may call may write anything into the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Params {
    sdk_app_id: SdkAppId,
    command: Option<Command>,
    content_type: Option<ContentType>,
    client_ip: Option<ClientIp>,
    platform: Option<OptPlatform>,
    sign: Option<Sign>,
    request_time: Option<u64>,
}

impl Params {
    #[inline]
    pub(crate) fn new(sdk_app_id: SdkAppId, query: &Query<'_>, signed: &Signed<'_>) -> Self {
        let command = query.get(Parameter::Command).filter(|command| !command.is_empty());
        Self {
            sdk_app_id,
            command: command.map(Command::from),
            content_type: query.get(Parameter::ContentType).map(ContentType::from),
            client_ip: query.get(Parameter::ClientIp).map(ClientIp::from),
            platform: query.get(Parameter::Platform).map(OptPlatform::from),
            sign: signed.sign(),
            request_time: signed.request_time(),
        }
    }

    /// `SdkAppid`: one of the verifier's apps.
    #[must_use]
    pub const fn sdk_app_id(&self) -> SdkAppId {
        self.sdk_app_id
    }

    /// `CallbackCommand` as the URL has it. If it has none, the body's is taken.
    #[must_use]
    pub const fn command(&self) -> Option<&Command> {
        self.command.as_ref()
    }

    /// `contenttype`, documented to be `json`.
    #[must_use]
    pub const fn content_type(&self) -> Option<&ContentType> {
        self.content_type.as_ref()
    }

    /// `ClientIP`: the address of the end user's client, never one of Tencent's.
    #[must_use]
    pub const fn client_ip(&self) -> Option<&ClientIp> {
        self.client_ip.as_ref()
    }

    /// `OptPlatform`: the platform of the end user's client.
    #[must_use]
    pub const fn platform(&self) -> Option<&OptPlatform> {
        self.platform.as_ref()
    }

    /// `Sign`, if it is 64 hex digits. What it was found to be is the delivery's
    /// [`signature`](crate::Delivery::signature).
    #[must_use]
    pub const fn sign(&self) -> Option<Sign> {
        self.sign
    }

    /// `RequestTime` in unix seconds, if it is 1 to 19 digits.
    #[must_use]
    pub const fn request_time(&self) -> Option<u64> {
        self.request_time
    }
}
