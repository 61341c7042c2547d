//! The address of the end user's client, or whatever stands in its place.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// The value of `ClientIP`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ClientIp {
    /// An IPv4 or IPv6 address; the latter may have stood in brackets.
    Ip(IpAddr),
    /// Neither, as it was sent: `unknown`, a list of addresses …
    Text(Box<str>),
}

impl ClientIp {
    /// The address, if it is one.
    #[must_use]
    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(*ip),
            Self::Text(_) => None,
        }
    }
}

impl From<&str> for ClientIp {
    fn from(text: &str) -> Self {
        let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
        let ip = text.parse().ok().or_else(|| bracketed().map(IpAddr::V6));
        ip.map_or_else(|| Self::Text(text.into()), Self::Ip)
    }
}

impl From<IpAddr> for ClientIp {
    fn from(ip: IpAddr) -> Self {
        Self::Ip(ip)
    }
}

impl fmt::Display for ClientIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}
