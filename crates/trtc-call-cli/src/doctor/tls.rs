//! The endpoint's certificate, as somebody sees it who trusts the public authorities.

mod certificate;
mod handshake;

use std::net::SocketAddr;

use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, ServerName};
use url::Host;

use self::certificate::Judged;
use super::place::Place;
use super::report::{Check, Report};

/// Whether the vendor would send something to each of the addresses. They may have different certificates.
pub(super) async fn check(
    place: &Place,
    addresses: &[SocketAddr],
    authorities: &[CertificateDer<'static>],
    report: &mut Report,
) -> bool {
    if !place.endpoint.is_https() {
        report.skip(Check::Certificate, "the URL is not HTTPS");
        return true;
    }
    if addresses.is_empty() {
        report.skip(Check::Certificate, "nothing takes connections");
        return true;
    }
    let name = match place.host() {
        Host::Domain(name) => ServerName::try_from(name.to_owned()).ok(),
        Host::Ipv4(ip) => Some(ServerName::from(std::net::IpAddr::from(ip))),
        Host::Ipv6(ip) => Some(ServerName::from(std::net::IpAddr::from(ip))),
    };
    let Some(name) = name else {
        report.find(Check::Certificate, "no certificate can have such a name", "set another name");
        return false;
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(authorities.iter().cloned());
    let mut is_trusted = true;
    for address in addresses {
        // Of one address it need not be told which.
        let of = if addresses.len() == 1 { String::new() } else { format!("{address}: ") };
        match handshake::chain(*address, name.clone()).await {
            Ok(chain) => {
                let Judged { ok, findings, is_trusted: is_this } =
                    certificate::judge(&chain, &name, &roots);
                is_trusted &= is_this;
                for (text, advice) in findings {
                    report.find(Check::Certificate, format!("{of}{text}"), advice);
                }
                if let Some(text) = ok {
                    report.ok(Check::Certificate, format!("{of}{text}"));
                }
            }
            Err(error) => {
                is_trusted = false;
                report.find(
                    Check::Certificate,
                    format!("{of}there is no TLS: {error}"),
                    "is it the port that serves HTTPS, and does the server know this name?",
                );
            }
        }
    }
    is_trusted
}
