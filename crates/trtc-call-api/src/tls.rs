//! TLS with a provider of our own: a library leaves the process's default to the program.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

/// What connects by TLS; whom it trusts the system says. Without `https` there is nobody to trust, and the
/// system's certificates are not read.
///
/// `None` if the system has no certificates.
pub(crate) fn config(is_https: bool) -> Option<ClientConfig> {
    let mut roots = RootCertStore::empty();
    if is_https {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if is_https && roots.is_empty() {
        return None;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?;
    Some(config.with_root_certificates(roots).with_no_client_auth())
}
