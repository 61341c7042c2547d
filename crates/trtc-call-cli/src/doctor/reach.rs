//! Whether the endpoint's name leads to addresses, and whether they take connections.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use url::Host;

use super::place::Place;
use super::report::{Check, Report};
use crate::near::is_public;

/// How long a name and a connection are waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// The addresses that take connections.
pub(super) async fn check(place: &Place, report: &mut Report) -> Vec<SocketAddr> {
    let addresses = resolve(place, report).await;
    if addresses.is_empty() {
        report.skip(Check::Tcp, "there is no address");
    }
    let findings = report.findings();
    let (mut open, mut passed_over) = (Vec::new(), 0_usize);
    for address in addresses {
        match timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(_)) => {
                report.ok(Check::Tcp, format!("{address} takes connections"));
                open.push(address);
            }
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => report.find(
                Check::Tcp,
                format!("{address} refuses connections: nothing listens there"),
                "start the server or its proxy; is the port right, and does the name still lead there?",
            ),
            // That says nothing about the endpoint.
            Ok(Err(error)) if address.is_ipv6() && is_here(error.kind()) => {
                passed_over = passed_over.saturating_add(1);
                report.skip(Check::Tcp, format!("{address}: this machine has no way by IPv6"));
            }
            Ok(Err(error)) => report.find(
                Check::Tcp,
                format!("{address} cannot be reached: {error}"),
                "see the firewall and the routes, and whether the name still leads there",
            ),
            Err(_) => report.find(
                Check::Tcp,
                format!("{address} does not answer within {PATIENCE:?}"),
                "does a firewall let the vendor's addresses through?",
            ),
        }
    }
    if open.is_empty() && passed_over > 0 && report.findings() == findings {
        report.find(
            Check::Tcp,
            "no address was reached: all are of IPv6, to which this machine has no way",
            "run it on a machine that has IPv6; whether the vendor has is not documented: does the name have \
             an A record too, and does no firewall turn connections away?",
        );
    }
    open
}

async fn resolve(place: &Place, report: &mut Report) -> Vec<SocketAddr> {
    let port = place.url.port_or_known_default().unwrap_or_default();
    let name = match place.host() {
        Host::Ipv4(ip) => {
            report.skip(Check::Dns, "the URL has an address, and no name");
            return vec![(ip, port).into()];
        }
        Host::Ipv6(ip) => {
            report.skip(Check::Dns, "the URL has an address, and no name");
            return vec![(ip, port).into()];
        }
        Host::Domain(name) => name,
    };
    let addresses: Vec<_> = match timeout(PATIENCE, lookup_host((name, port))).await {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(_)) => Vec::new(),
        Err(_) => {
            report.find(
                Check::Dns,
                format!("there is no answer within {PATIENCE:?} to what {name} is"),
                "see the name servers of the domain, and of this machine",
            );
            return Vec::new();
        }
    };
    if addresses.is_empty() {
        report.find(
            Check::Dns,
            format!("{name} does not resolve"),
            "make its A or AAAA record, or correct the name that is set",
        );
        return addresses;
    }
    let ips = |is_wanted: fn(&SocketAddr) -> bool| {
        let ips = addresses.iter().filter(|address| is_wanted(address));
        ips.map(|address| address.ip().to_string()).collect::<Vec<_>>().join(", ")
    };
    let private = ips(|address| !is_public(address.ip()));
    if private.is_empty() || place.is_at_home {
        report.ok(Check::Dns, format!("{name} is {}", ips(|_| true)));
    } else {
        report.find(
            Check::Dns,
            format!("{name} is {private} from here, which the vendor cannot reach"),
            "have its public records lead to a public address",
        );
    }
    addresses
}

/// Whether this machine has no way to such addresses.
const fn is_here(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable | ErrorKind::AddrNotAvailable
    )
}
