//! HTTPS, which the vendor's callback pages ask for.

use std::env;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What accepts TLS with the certificates and the key in the files that `TLS_CERT` and `TLS_KEY`
/// name; `None` if neither is set.
pub(crate) fn from_env() -> Result<Option<TlsAcceptor>, String> {
    let (cert, key) = match (env::var_os("TLS_CERT"), env::var_os("TLS_KEY")) {
        (None, None) => return Ok(None),
        (Some(cert), Some(key)) => (cert, key),
        _ => return Err("TLS_CERT and TLS_KEY must be set together".to_owned()),
    };
    let certs: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&cert)
        .and_then(Iterator::collect)
        .map_err(|error| format!("TLS_CERT cannot be read: {error}"))?;
    let key = PrivateKeyDer::from_pem_file(&key)
        .map_err(|error| format!("TLS_KEY cannot be read: {error}"))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certs, key))
        .map_err(|error| format!("TLS_CERT and TLS_KEY do not fit: {error}"))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}
