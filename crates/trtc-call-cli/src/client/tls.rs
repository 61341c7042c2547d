//! Which certificates are trusted.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::Endpoint;
use crate::failure::Failure;

/// The certificates that an endpoint's own may be signed by; none are read where none are needed.
pub(crate) struct Trust(RootCerts);

impl Trust {
    /// Those of `--ca-cert` and no others, or those of the system.
    pub(crate) fn new(endpoint: &Endpoint, ca_cert: Option<&Path>) -> Result<Self, Failure> {
        Ok(Self(RootCerts::new_with_certs(&match ca_cert {
            Some(file) => read(file)?,
            None if endpoint.is_https() => system()?,
            None => Vec::new(),
        })))
    }

    /// No certificate: for an endpoint without TLS.
    pub(crate) fn none() -> Self {
        Self(RootCerts::new_with_certs(&[]))
    }

    pub(super) fn config(&self) -> TlsConfig {
        TlsConfig::builder()
            .root_certs(self.0.clone())
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .build()
    }
}

fn read(file: &Path) -> Result<Vec<Certificate<'static>>, Failure> {
    let failure = |why: &str| Failure::new(format!("cannot use {}: {why}", file.display()));
    let pem = fs::read(file).map_err(|error| failure(&error.to_string()))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(_) => return Err(failure("it is not PEM")),
        }
    }
    if certificates.is_empty() {
        return Err(failure("there is no certificate in it"));
    }
    Ok(certificates)
}

fn system() -> Result<Vec<Certificate<'static>>, Failure> {
    // Some may be unreadable; only without any there is nothing to go by.
    let found = rustls_native_certs::load_native_certs().certs;
    if found.is_empty() {
        return Err(Failure::new(
            "the system has no certificates to trust: give some by --ca-cert",
        ));
    }
    Ok(found.iter().map(|der| Certificate::from_der(der).to_owned()).collect())
}
