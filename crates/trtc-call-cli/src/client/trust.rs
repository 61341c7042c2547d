//! Which certificates are trusted.

use std::fs;
use std::path::Path;

use reqwest::{Certificate, ClientBuilder};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::Endpoint;
use crate::failure::Failure;

/// The certificates that an endpoint's own may be signed by: those of the system if `None`.
pub(crate) struct Trust(Option<Vec<Certificate>>);

impl Trust {
    /// Those of `--ca-cert` and no others, or those of the system.
    pub(crate) fn new(endpoint: &Endpoint, ca_cert: Option<&Path>) -> Result<Self, Failure> {
        Ok(match ca_cert {
            Some(file) => Self::only(&authorities(file)?)?,
            None if endpoint.is_https() => Self(None),
            None => Self::none(),
        })
    }

    /// These certificates and no others.
    pub(crate) fn only(authorities: &[CertificateDer<'_>]) -> Result<Self, Failure> {
        let read: Result<_, _> = authorities.iter().map(|der| Certificate::from_der(der)).collect();
        read.map(|certificates| Self(Some(certificates)))
            .map_err(|_| Failure::new("a certificate to trust cannot be read"))
    }

    /// No certificate: for an endpoint without TLS, where the system's are not read.
    pub(crate) const fn none() -> Self {
        Self(Some(Vec::new()))
    }

    pub(super) fn apply(self, builder: ClientBuilder) -> ClientBuilder {
        // Where there is one already it is this one.
        let _ = ring::default_provider().install_default();
        match self.0 {
            Some(certificates) => builder.tls_certs_only(certificates),
            None => builder,
        }
    }
}

/// The certificates of `--ca-cert`.
pub(crate) fn authorities(file: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let failure = |why: &str| Failure::new(format!("cannot use {}: {why}", file.display()));
    let pem = fs::read(file).map_err(|error| failure(&error.to_string()))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates.map_err(|_| failure("it is not PEM"))?;
    if certificates.is_empty() {
        return Err(failure("there is no certificate in it"));
    }
    Ok(certificates)
}
