//! Which hosts are this machine or near it, and not of the internet.

use std::net::{IpAddr, Ipv4Addr};

use url::{Host, Url};

/// Names that no public name server knows.
const PRIVATE_NAMES: [&str; 5] = ["localhost", "local", "internal", "lan", "home.arpa"];

/// Whether a URL's host has a private address or a private name.
pub(crate) fn is_near(url: &Url) -> bool {
    match address(url) {
        Some(ip) => !is_public(ip),
        None => is_private_name(url.host_str().unwrap_or_default()),
    }
}

/// The host, where it is an address.
pub(crate) fn address(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(ip) => Some(ip.into()),
        Host::Ipv6(ip) => Some(ip.into()),
        Host::Domain(_) => None,
    }
}

fn is_private_name(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let is_below = |name: &str| host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
    !host.contains('.') || PRIVATE_NAMES.iter().any(|name| is_below(name))
}

/// Whether an address is of the internet.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let is_shared = ip & Ipv4Addr::new(255, 192, 0, 0) == Ipv4Addr::new(100, 64, 0, 0);
            let [first, ..] = ip.octets();
            !(is_shared
                || matches!(first, 0 | 224..)
                || ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_documentation())
        }
        // 2000::/3 is all that has been given out.
        IpAddr::V6(ip) => {
            ip.segments().first().is_some_and(|first| matches!(first, 0x2000..=0x3fff))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for (ip, expected) in [
            ("8.8.8.8", true),
            ("100.128.0.1", true),
            ("2606:4700::1111", true),
            ("::ffff:8.8.8.8", true),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("192.168.1.1", false),
            ("100.64.0.1", false),
            ("169.254.169.254", false),
            ("0.0.0.0", false),
            ("255.255.255.255", false),
            ("::1", false),
            ("fe80::1", false),
            ("fd00::1", false),
            ("::ffff:127.0.0.1", false),
        ] {
            assert_eq!(is_public(ip.parse().unwrap()), expected, "{ip}");
        }
    }

    #[test]
    fn what_is_near_has_a_private_host() {
        for (url, expected) in [
            ("http://127.0.0.1:8090/", true),
            ("http://[::1]:8090/", true),
            ("http://localhost:8090/", true),
            ("http://vendor:8090/", true),
            ("http://vendor.lan/", true),
            ("https://console.tim.qq.com/", false),
            ("https://notlocal.example.com/", false),
        ] {
            assert_eq!(is_near(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
