//! The query's parameters, typed.

use crate::client_ip::ClientIp;
use crate::names::{Command, ContentType, OptPlatform};
use crate::query::Query;
use crate::signature::{Sign, Signature};

/// What the URL of a callback said, typed (the request parameters of 647/68940).
///
/// Only [`sdk_app_id`](Self::sdk_app_id) is always there, and only it and what was signed were
/// checked: anybody who may call may write anything into the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Params {
    sdk_app_id: u64,
    command: Option<Command>,
    content_type: Option<ContentType>,
    client_ip: Option<ClientIp>,
    platform: Option<OptPlatform>,
    sign: Option<Sign>,
    request_time: Option<u64>,
}

impl Params {
    pub(crate) fn new(sdk_app_id: u64, query: &Query<'_>, signature: &Signature<'_>) -> Self {
        let command = query.command.as_deref().filter(|command| !command.is_empty());
        Self {
            sdk_app_id,
            command: command.map(Command::from),
            content_type: query.content_type.get().map(ContentType::from),
            client_ip: query.client_ip.get().map(ClientIp::from),
            platform: query.platform.get().map(OptPlatform::from),
            sign: signature.sign(),
            request_time: signature.request_time(),
        }
    }

    /// `SdkAppid`: one of the receiver's apps.
    #[must_use]
    pub const fn sdk_app_id(&self) -> u64 {
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

    /// `Sign`, if it is 64 hex digits. Whether it was checked is the head's
    /// [`is_signed`](crate::Head::is_signed).
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
